-- no-transaction
create index concurrently post_stats_unlisted_by_likes on post_stats (deleted, likes desc, post_id desc)
  include (author_id, language) where listed_at is null;
