-- no-transaction
create index concurrently post_stats_by_language_and_comments on post_stats (language, comments desc, post_id desc)
  include (listed_at, author_id) where listed_at is not null;
