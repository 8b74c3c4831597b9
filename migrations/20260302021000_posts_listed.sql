-- no-transaction
-- What everybody sees, by time, with all that the sitemap has of it.
create index concurrently posts_listed on posts (published_at desc, id desc) include (slug, updated_at)
  where deleted_at is null and published_at is not null;
