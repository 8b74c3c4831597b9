-- How many posts appear or have appeared in each month, in UTC: the sitemap names them, and the 50,000s of each. Counted
-- while nobody writes posts, from an index: less than a second for a million.
create table post_months (
  start timestamptz primary key,
  posts integer not null
);

create function posts_count_months() returns trigger language plpgsql as $$
begin
  insert into post_months as m (start, posts)
    select date_trunc('month', at, 'UTC'), sum(change) from (values
      (case when tg_op <> 'INSERT' and old.deleted_at is null then old.published_at end, -1),
      (case when tg_op <> 'DELETE' and new.deleted_at is null then new.published_at end, 1)) changes (at, change)
    where at is not null
    group by 1 having sum(change) <> 0 order by 1
  on conflict (start) do update set posts = m.posts + excluded.posts;
  return null;
end $$;
create trigger posts_count_months after insert or delete or update of published_at, deleted_at on posts
  for each row execute function posts_count_months();

insert into post_months (start, posts)
  select date_trunc('month', published_at, 'UTC'), count(*) from posts
  where deleted_at is null and published_at is not null group by 1;
