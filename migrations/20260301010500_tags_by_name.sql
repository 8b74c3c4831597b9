-- no-transaction
-- In the "C" collation, so that a prefix is a range. Tags that no post has any more are not shown.
create index concurrently tags_by_name on tags (name collate "C") where posts > 0;
