-- no-transaction
create index concurrently posts_by_title_key on posts (coalesce(title_key, title collate "C"), id);
