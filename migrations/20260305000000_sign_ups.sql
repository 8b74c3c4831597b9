-- An account that is to be: asked for by its user, or offered to them (an invitation).
create table sign_ups (
  id uuid primary key,
  email text not null,
  email_key text not null,
  role text not null,
  -- Of an invitation, which goes with who makes it.
  inviter_id uuid constraint sign_ups_inviter_id_fkey references users on delete cascade,
  -- What the user has chosen; of an invitation they have not yet.
  username text,
  password_hash text,
  display_name text,
  bio text,
  -- Of the mail, and of the account unless another is chosen.
  language text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- Who is invited again by the same has the invitation anew. Those without an inviter may be several.
  constraint sign_ups_email_key unique (email_key, inviter_id),
  constraint sign_ups_username_check check ((inviter_id is null) = (username is not null)),
  constraint sign_ups_password_check check ((inviter_id is null) = (password_hash is not null))
);
create index sign_ups_of_inviter on sign_ups (inviter_id, id) where inviter_id is not null;
create index sign_ups_invitations on sign_ups (id) where inviter_id is not null;
create index sign_ups_by_expiry on sign_ups (expires_at);
-- What a mailed link proves, of which only the hash is kept: a mail whose answer was lost is sent again with another.
create table sign_up_tokens (
  hash bytea primary key,
  sign_up_id uuid not null constraint sign_up_tokens_sign_up_id_fkey references sign_ups on delete cascade
);
create index sign_up_tokens_of_sign_up on sign_up_tokens (sign_up_id);
