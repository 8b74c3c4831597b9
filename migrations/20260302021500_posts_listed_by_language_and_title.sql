-- no-transaction
create index concurrently posts_listed_by_language_and_title on posts (language, coalesce(title_key, title collate "C"), id)
  where deleted_at is null and published_at is not null;
