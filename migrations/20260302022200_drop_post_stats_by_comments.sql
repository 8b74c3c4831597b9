-- no-transaction
drop index concurrently if exists post_stats_by_comments;
