-- no-transaction
create index concurrently comments_by_renderer on comments (renderer) where deleted_at is null;
