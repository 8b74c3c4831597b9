-- no-transaction
create index concurrently posts_deleted on posts (coalesce(published_at, created_at) desc, id desc)
  where deleted_at is not null;
