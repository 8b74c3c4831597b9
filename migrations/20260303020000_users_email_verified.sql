-- Whether its user has shown that they read the address; and the one that will take its place once they show it.
alter table users
  add column email_verified_at timestamptz,
  add column pending_email text,
  add column pending_email_key text,
  -- Grows with each change of the password or the address: what was proven before proves nothing after it.
  add column credentials_version bigint not null default 1;

alter table one_time_tokens
  -- What a change of address has replaced.
  add column email text,
  -- Of six digits, for who cannot open the link, and how often they may be tried.
  add column code_hash bytea,
  add column tries_left smallint not null default 5;
