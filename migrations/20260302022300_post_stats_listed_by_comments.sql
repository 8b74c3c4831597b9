-- no-transaction
create index concurrently post_stats_listed_by_comments on post_stats (comments desc, post_id desc)
  include (listed_at, author_id, language) where listed_at is not null;
