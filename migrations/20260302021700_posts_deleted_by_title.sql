-- no-transaction
create index concurrently posts_deleted_by_title on posts (coalesce(title_key, title collate "C"), id) where deleted_at is not null;
