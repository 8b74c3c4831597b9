-- Every tag that a post has or had. `posts` counts those that are published or scheduled and not deleted;
-- a trigger keeps it exact.
create table tags (
  name text primary key,
  posts integer not null default 0
);
create index tags_by_posts on tags (posts desc, name);

create function posts_count_tags() returns trigger language plpgsql as $$
declare
  before text[] := '{}';
  after text[] := '{}';
begin
  if tg_op <> 'INSERT' and old.published_at is not null and old.deleted_at is null then
    before := old.tags;
  end if;
  if tg_op <> 'DELETE' and new.published_at is not null and new.deleted_at is null then
    after := new.tags;
  end if;
  -- In one order for everyone, so that two posts with the same tags never wait for each other.
  insert into tags (name, posts)
    select tag, sum(change) from (select unnest(before) as tag, -1 as change
                                  union all select unnest(after), 1) changes
    group by tag having sum(change) <> 0 order by tag
  on conflict (name) do update set posts = tags.posts + excluded.posts;
  return null;
end $$;
create trigger posts_count_tags after insert or delete or update of tags, published_at, deleted_at on posts
  for each row execute function posts_count_tags();

insert into tags (name, posts)
  select tag, count(*) from posts, unnest(posts.tags) as tag
  where published_at is not null and deleted_at is null group by tag order by tag;
