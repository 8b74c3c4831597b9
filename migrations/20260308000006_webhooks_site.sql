-- What webhooks are told of the site: each table in a migration of its own, which holds up nobody for long.

create function webhook_site_changed() returns trigger language plpgsql as $$
begin
  perform webhook_emit(
    array_agg('site.updated'::text), array_agg(jsonb_build_object('version', after.version)), max(after.updated_at))
  from after join before using (id) where after.version <> before.version;
  return null;
end $$;
create trigger webhook_site_changed after update on site
  referencing old table as before new table as after for each statement execute function webhook_site_changed();
