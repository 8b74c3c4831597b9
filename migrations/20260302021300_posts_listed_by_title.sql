-- no-transaction
-- With the time, which is filtered by. PostgreSQL reads the rows unless the index also has what its expression is made of.
create index concurrently posts_listed_by_title on posts (coalesce(title_key, title collate "C"), id)
  include (title_key, title, published_at)
  where deleted_at is null and published_at is not null;
