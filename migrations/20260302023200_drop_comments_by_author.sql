-- no-transaction
drop index concurrently if exists comments_by_author;
