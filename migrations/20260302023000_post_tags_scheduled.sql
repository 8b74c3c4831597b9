-- no-transaction
-- The tags of scheduled posts, for the counts of tags.
create index concurrently post_tags_scheduled on post_tags (listed_at, tag);
