-- no-transaction
create index concurrently post_stats_by_author_and_comments on post_stats (author_id, comments desc, post_id desc)
  include (listed_at, language) where listed_at is not null;
