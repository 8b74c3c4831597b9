-- Whom a stored response shows, beside the user whose it is: it goes with each of them.
alter table idempotency_keys add column people uuid[];
