-- no-transaction
-- Takes some minutes for a million posts. What was written last is in a list of its own, which every window of a search
-- reads as a whole, and which the write that fills it moves into the index: it is short.
create index concurrently posts_by_terms on posts
  using gin (posts_terms(search, author_id, tags, language, published_at, created_at, deleted_at))
  with (gin_pending_list_limit = 256);
