-- no-transaction
create index concurrently posts_planned on posts (author_id) where planned_at is not null;
