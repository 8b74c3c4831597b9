-- no-transaction
create index concurrently posts_listed_by_language on posts (language, published_at desc, id desc) include (author_id)
  where deleted_at is null and published_at is not null;
