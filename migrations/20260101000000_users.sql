-- Usernames are ASCII, so lower() in the "C" collation folds their case whatever the database's own
-- collation (in a Turkish one, I is not i), and the one index serves
-- uniqueness, lookup, prefix search and alphabetical keyset pages.
create table users (
  id uuid primary key,
  username text not null constraint users_username_check check (username ~ '^[A-Za-z0-9_.-]{1,39}$'),
  email text not null constraint users_email_check check (char_length(email) between 3 and 254 and email ~ '^[^@\s]+@[^@\s]+$'),
  password_hash text not null,
  role text not null constraint users_role_check check (role in ('reader', 'author', 'editor', 'admin')),
  display_name text constraint users_display_name_check check (char_length(display_name) between 1 and 80),
  bio text constraint users_bio_check check (char_length(bio) between 1 and 2000),
  version bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create unique index users_username_key on users (lower(username collate "C"));
create unique index users_email_key on users (lower(email));

-- Only the SHA-256 of a token is kept: a copy of this table signs nobody in.
create table sessions (
  id uuid primary key,
  user_id uuid not null constraint sessions_user_id_fkey references users on delete cascade,
  token_hash bytea not null constraint sessions_token_hash_check check (octet_length(token_hash) = 32),
  user_agent text constraint sessions_user_agent_check check (char_length(user_agent) <= 400),
  ip_address text constraint sessions_ip_address_check check (char_length(ip_address) <= 45),
  created_at timestamptz not null,
  last_used_at timestamptz not null,
  expires_at timestamptz not null
);
create unique index sessions_token_hash_key on sessions (token_hash);
create index sessions_by_user on sessions (user_id, id desc);
