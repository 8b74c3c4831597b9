-- An account that is to be: asked for by its user, or offered to them (an invitation).
create table sign_ups (
  id uuid primary key,
  email text not null,
  email_key text not null,
  role text not null,
  -- Of an invitation, which goes with who makes it.
  inviter_id uuid constraint sign_ups_inviter_id_fkey references users on delete cascade,
  -- What the user has chosen; of an invitation they have not yet. A password is chosen by who reads the address.
  username text,
  display_name text,
  bio text,
  -- Of the mail, and of the account unless another is chosen.
  language text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  -- Who is invited again by the same has the invitation anew. Those without an inviter may be several.
  constraint sign_ups_email_key unique (email_key, inviter_id),
  constraint sign_ups_username_check check ((inviter_id is null) = (username is not null))
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
-- Once an address is an account's, nobody makes another one with it. Kept answers that show an invitation of it show its
-- user, and go with them.
create function users_void_sign_ups() returns trigger language plpgsql as $$
declare
  voided uuid[];
begin
  with deleted as (
    delete from sign_ups where email_key = coalesce(new.email_key, lower(new.email)) returning id, inviter_id)
  select array_agg(id) filter (where inviter_id is not null) into voided from deleted;
  if voided is not null then
    update idempotency_keys set people = people || new.id where people && voided;
  end if;
  return null;
end $$;
create trigger users_void_sign_ups_of_new after insert on users
  for each row execute function users_void_sign_ups();
create trigger users_void_sign_ups after update of email on users
  for each row when (new.email is distinct from old.email) execute function users_void_sign_ups();
