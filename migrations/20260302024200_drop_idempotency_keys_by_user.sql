-- no-transaction
drop index concurrently if exists idempotency_keys_by_user;
