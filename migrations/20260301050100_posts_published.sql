-- no-transaction
-- The sitemap counts the posts of each month, and goes to the page of a month that is asked for, in the index alone.
create index concurrently posts_published on posts (published_at desc, id desc) where deleted_at is null;
