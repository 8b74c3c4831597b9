-- no-transaction
create index concurrently posts_drafts_by_author
  on posts (author_id, coalesce(published_at, created_at) desc, id desc)
  where published_at is null and deleted_at is null;
