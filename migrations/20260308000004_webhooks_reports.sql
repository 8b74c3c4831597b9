-- What webhooks are told of reports: each table in a migration of its own, which holds up nobody for long.

create function webhook_reports_added() returns trigger language plpgsql as $$
begin
  perform webhook_emit(
    array_agg('report.created'::text),
    array_agg(jsonb_strip_nulls(jsonb_build_object(
      'report_id', id, 'post_id', post_id, 'comment_id', comment_id, 'version', version))),
    max(created_at))
  from added;
  return null;
end $$;
create trigger webhook_reports_added after insert on reports
  referencing new table as added for each statement execute function webhook_reports_added();
