-- no-transaction
create index concurrently posts_drafts_by_title on posts (coalesce(title_key, title collate "C"), id)
  where published_at is null and deleted_at is null;
