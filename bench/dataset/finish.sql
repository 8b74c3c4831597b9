-- What triggers would have counted.
\set ON_ERROR_STOP 1
set session_replication_role = replica;
set work_mem = '512MB';
-- An older schema has no tables that lists are read from.
select to_regclass('post_tags') is not null as has_lists \gset
\if :has_lists
  \set columns ', listed_at, deleted, author_id, language'
  \set values ', case when deleted_at is null then published_at end, deleted_at is not null, author_id, language'
  insert into post_tags (post_id, tag, listed_at, author_id, language)
    select id, tag, published_at, author_id, language from posts cross join unnest(tags) as tag
    where deleted_at is null and published_at is not null;
  insert into post_months (start, posts)
    select date_trunc('month', published_at, 'UTC'), count(*) from posts
    where deleted_at is null and published_at is not null group by 1;
\else
  \set columns ''
  \set values ''
\endif
insert into post_stats (post_id, likes, comments :columns)
  select p.id, coalesce(l.likes, 0), coalesce(c.comments, 0) :values from posts p
  left join (select post_id, count(*) as likes from post_likes group by post_id) l on l.post_id = p.id
  left join (select post_id, count(*) as comments from comments where status = 'approved' and deleted_at is null group by post_id) c
    on c.post_id = p.id
  order by p.id;
select definition from bench.indexes where "table" in ('post_stats', 'post_tags') \gexec
-- So that pgbench finds ids by one look and does not compute them.
create table bench.post_ids as select n::integer as n, bench.post_id(n) as post_id from bench.size, generate_series(1, posts) n;
alter table bench.post_ids add primary key (n);
create table bench.user_ids as select n, bench.user_id(n) as user_id from generate_series(1, 1000) n;
alter table bench.user_ids add primary key (n);
drop table bench.words, bench.sentences, bench.sections, bench.indexes;
vacuum analyze;
