-- no-transaction
-- The sitemap of the version before reads posts_listed as well.
drop index concurrently if exists posts_published;
