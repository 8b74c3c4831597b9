-- no-transaction
drop index concurrently if exists tags_by_posts;
