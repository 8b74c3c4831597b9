-- no-transaction
-- Nothing has used it since posts_by_title_key.
drop index concurrently if exists posts_by_title;
