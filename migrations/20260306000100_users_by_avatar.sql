-- no-transaction
create index concurrently users_by_avatar on users (avatar_id) where avatar_id is not null;
