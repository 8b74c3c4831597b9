-- What webhooks are told of media: each table in a migration of its own, which holds up nobody for long.

create function webhook_media_added() returns trigger language plpgsql as $$
begin
  perform webhook_emit(
    array_agg('media.created'::text), array_agg(jsonb_build_object('media_id', id, 'version', version)),
    max(created_at))
  from added;
  return null;
end $$;
create trigger webhook_media_added after insert on media
  referencing new table as added for each statement execute function webhook_media_added();

create function webhook_media_gone() returns trigger language plpgsql as $$
begin
  perform webhook_emit(
    array_agg('media.deleted'::text), array_agg(jsonb_build_object('media_id', id, 'version', version + 1)), now())
  from gone;
  return null;
end $$;
create trigger webhook_media_gone after delete on media
  referencing old table as gone for each statement execute function webhook_media_gone();
