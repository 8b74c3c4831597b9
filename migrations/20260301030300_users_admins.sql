-- no-transaction
create index concurrently users_admins on users (id) where role = 'admin';
