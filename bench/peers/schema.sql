-- For the peers: the data set's published posts and approved comments in plain tables, with the indexes that anybody would make.
create schema peer;
create table peer.users as select id, username, email, created_at from users;
create table peer.posts as
  select id, author_id, slug, title, summary, body, body_html, tags, 'published'::text as status, created_at, updated_at, published_at
  from posts where deleted_at is null and published_at <= now() order by published_at;
create table peer.comments as
  select id, post_id, author_id, body, body_html, created_at from comments where status = 'approved' and deleted_at is null order by id;
alter table peer.users add primary key (id);
alter table peer.posts add primary key (id), add unique (slug);
alter table peer.comments add primary key (id);
create index on peer.posts (published_at desc, id desc) where status = 'published';
create index on peer.comments (post_id, created_at, id);
alter role blog in database :"DBNAME" set search_path = peer, public;
vacuum analyze;
