-- no-transaction
create index concurrently users_staff on users (id) where role in ('editor', 'admin');
