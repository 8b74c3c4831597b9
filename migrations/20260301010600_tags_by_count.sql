-- no-transaction
-- One direction for both columns, so that the rows after a given one are a range.
create index concurrently tags_by_count on tags ((-posts), name collate "C") where posts > 0;
