-- no-transaction
create index concurrently comments_held_by_author on comments (author_id, status, id) where status <> 'approved';
