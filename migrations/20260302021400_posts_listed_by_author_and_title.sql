-- no-transaction
create index concurrently posts_listed_by_author_and_title on posts (author_id, coalesce(title_key, title collate "C"), id)
  where deleted_at is null and published_at is not null;
