-- no-transaction
create index concurrently post_stats_by_time on post_stats (listed_at desc) where listed_at is not null;
