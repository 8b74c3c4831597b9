-- no-transaction
create index concurrently post_stats_unlisted_by_comments on post_stats (deleted, comments desc, post_id desc)
  include (author_id, language) where listed_at is null;
