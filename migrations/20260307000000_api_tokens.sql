-- Tokens that users give to machines: each does what its user may and its scopes say.
create table api_tokens (
  id uuid primary key,
  user_id uuid not null constraint api_tokens_user_id_fkey references users on delete cascade,
  name text not null,
  -- SHA-256 of the token.
  token_hash bytea not null constraint api_tokens_token_hash_key unique,
  scopes text[] not null,
  created_at timestamptz not null,
  last_used_at timestamptz,
  expires_at timestamptz not null
);
create index api_tokens_of_user on api_tokens (user_id, id);
create index api_tokens_by_expiry on api_tokens (expires_at);

-- Which token of the actor's did it, also after its end; null if it was the user themselves.
alter table audit_log add column token_id uuid;
