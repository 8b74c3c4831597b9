-- The answers to writes, to be given again. Neither the key nor the body is kept, only their hashes.
create table idempotency_keys (
  key_hash bytea primary key,
  fingerprint bytea not null,
  user_id uuid constraint idempotency_keys_user_id_fkey references users on delete cascade,
  status smallint not null,
  headers jsonb not null,
  body bytea not null,
  created_at timestamptz not null
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
create index idempotency_keys_by_user on idempotency_keys (user_id);

-- How often was tried what may be tried only so often, whichever task was asked: sign-in and sign-up.
create table attempts (
  key bytea primary key,
  count integer not null,
  ends_at timestamptz not null
);
create index attempts_by_end on attempts (ends_at);
