-- no-transaction
create index concurrently post_stats_most_commented on post_stats (comments desc, post_id desc)
  include (listed_at, author_id, language);
