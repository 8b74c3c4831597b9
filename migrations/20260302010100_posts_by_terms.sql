-- no-transaction
-- Takes some minutes for a million posts.
create index concurrently posts_by_terms on posts
  using gin (posts_terms(search, author_id, tags, language, published_at, created_at, deleted_at));
