-- no-transaction
create index concurrently posts_by_language on posts (language, coalesce(published_at, created_at) desc, id desc);
