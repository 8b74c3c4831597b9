-- no-transaction
create index concurrently posts_by_renderer on posts (renderer);
