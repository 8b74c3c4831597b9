-- What webhooks are told of comments: each table in a migration of its own, which holds up nobody for long.

create function webhook_comments_added() returns trigger language plpgsql as $$
begin
  perform webhook_emit(
    array_agg('comment.created'::text),
    array_agg(jsonb_build_object('comment_id', id, 'post_id', post_id, 'status', status, 'version', version)),
    max(created_at))
  from added;
  return null;
end $$;
create trigger webhook_comments_added after insert on comments
  referencing new table as added for each statement execute function webhook_comments_added();

create function webhook_comments_changed() returns trigger language plpgsql as $$
begin
  perform webhook_emit(
    array_agg(case when after.deleted_at is null then 'comment.approved' else 'comment.deleted' end),
    array_agg(jsonb_build_object('comment_id', id, 'post_id', after.post_id, 'version', after.version)),
    max(after.updated_at))
  from after join before using (id)
  where before.deleted_at is null
    and (after.deleted_at is not null or after.status = 'approved' and before.status <> 'approved');
  return null;
end $$;
create trigger webhook_comments_changed after update on comments
  referencing old table as before new table as after for each statement execute function webhook_comments_changed();

create function webhook_comments_gone() returns trigger language plpgsql as $$
begin
  -- Those of a post that goes with them are not told of one by one.
  perform webhook_emit(
    array_agg('comment.deleted'::text),
    array_agg(jsonb_build_object('comment_id', id, 'post_id', post_id, 'version', version + 1)),
    now())
  from gone where deleted_at is null and exists (select from posts where id = gone.post_id);
  return null;
end $$;
create trigger webhook_comments_gone after delete on comments
  referencing old table as gone for each statement execute function webhook_comments_gone();
