-- no-transaction
create index concurrently sessions_by_expiry on sessions (expires_at);
