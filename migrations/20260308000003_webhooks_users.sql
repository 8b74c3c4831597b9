-- What webhooks are told of accounts: each table in a migration of its own, which holds up nobody for long.

create function webhook_users_added() returns trigger language plpgsql as $$
begin
  perform webhook_emit(
    array_agg('user.created'::text), array_agg(jsonb_build_object('user_id', id, 'version', version)), max(created_at))
  from added;
  return null;
end $$;
create trigger webhook_users_added after insert on users
  referencing new table as added for each statement execute function webhook_users_added();

create function webhook_users_gone() returns trigger language plpgsql as $$
begin
  perform webhook_emit(
    array_agg('user.deleted'::text), array_agg(jsonb_build_object('user_id', id, 'version', version + 1)), now())
  from gone;
  return null;
end $$;
create trigger webhook_users_gone after delete on users
  referencing old table as gone for each statement execute function webhook_users_gone();
