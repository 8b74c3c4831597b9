-- What a link in a mail proves, once: of the token in it only the hash is kept.
create table one_time_tokens (
  hash bytea primary key,
  purpose text not null,
  user_id uuid not null constraint one_time_tokens_user_id_fkey references users on delete cascade,
  -- The address that it is about, and the version of the credentials then.
  email_key text not null,
  version bigint not null,
  expires_at timestamptz not null
);
create index one_time_tokens_of_user on one_time_tokens (user_id);
create index one_time_tokens_of_address on one_time_tokens (email_key);
create index one_time_tokens_by_expiry on one_time_tokens (expires_at);
