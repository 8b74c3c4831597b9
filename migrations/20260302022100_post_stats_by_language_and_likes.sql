-- no-transaction
create index concurrently post_stats_by_language_and_likes on post_stats (language, likes desc, post_id desc)
  include (listed_at, author_id) where listed_at is not null;
