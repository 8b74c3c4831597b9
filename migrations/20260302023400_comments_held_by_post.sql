-- no-transaction
create index concurrently comments_held_by_post on comments (post_id, status, id) where status <> 'approved';
