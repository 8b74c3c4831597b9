-- no-transaction
create index concurrently posts_listed_by_author on posts (author_id, published_at desc, id desc) include (language)
  where deleted_at is null and published_at is not null;
