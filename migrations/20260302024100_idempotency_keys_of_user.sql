-- no-transaction
create index concurrently idempotency_keys_of_user on idempotency_keys (user_id, key_hash);
