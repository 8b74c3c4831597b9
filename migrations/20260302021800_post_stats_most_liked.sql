-- no-transaction
-- With what lists filter by. Two indexes as before: each like and each comment writes an entry of every index of this table.
create index concurrently post_stats_most_liked on post_stats (likes desc, post_id desc) include (listed_at, author_id, language);
