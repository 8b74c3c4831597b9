-- no-transaction
-- When any post last changed, which the feeds and the sitemap give as their own last change.
create index concurrently posts_by_update on posts (updated_at);
