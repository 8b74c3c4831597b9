-- no-transaction
create index concurrently idempotency_keys_by_person on idempotency_keys using gin (people) where people is not null;
