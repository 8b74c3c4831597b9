-- no-transaction
-- In the order of the export, which else sorts all that a user has for each of its batches.
create index concurrently comments_of_author on comments (author_id, id);
