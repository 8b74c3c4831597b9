-- no-transaction
create index concurrently posts_by_title on posts (lower(title), id);
