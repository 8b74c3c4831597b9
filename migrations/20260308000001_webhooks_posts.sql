-- What webhooks are told of posts: each table in a migration of its own, which holds up nobody for long.

-- A post that is scheduled has a job for its time, whoever schedules, moves or withholds it. While that is there, the
-- post has not been told of as published. `webhook_unschedule` gives those that had one.
create function webhook_schedule(post uuid, at timestamptz, asked_at timestamptz) returns void language sql as $$
  insert into jobs (id, kind, key, payload, due_at, run_at, created_at)
  values (gen_random_uuid(), 'webhook_publication', 'publication ' || post, jsonb_build_object('post_id', post), at, at,
    asked_at)
  on conflict (key) do update set due_at = excluded.due_at, run_at = excluded.run_at, attempts = 0, holder = null,
    error = null, failed_at = null
$$;
create function webhook_unschedule(posts uuid[]) returns uuid[] language plpgsql as $$
declare unscheduled uuid[];
begin
  with gone as (
    delete from jobs where key = any(select 'publication ' || post from unnest(posts) post)
    returning (payload ->> 'post_id')::uuid as post)
  select coalesce(array_agg(post), '{}') from gone into unscheduled;
  return unscheduled;
end $$;

create function webhook_posts_added() returns trigger language plpgsql as $$
begin
  perform webhook_schedule(id, published_at, created_at) from added where published_at > created_at;
  perform webhook_emit(
    array_agg('post.published'::text),
    array_agg(jsonb_build_object('post_id', id, 'slug', slug, 'version', version)),
    max(created_at))
  from added where published_at <= created_at;
  return null;
end $$;
create trigger webhook_posts_added after insert on posts
  referencing new table as added for each statement execute function webhook_posts_added();

create function webhook_posts_changed() returns trigger language plpgsql as $$
declare
  changed uuid[] := array(select id from after join before using (id) where after.version <> before.version);
  untold uuid[];
begin
  if changed = '{}' then
    return null;
  end if;
  untold := webhook_unschedule(changed);
  -- Of a post without a job its time has come, whatever time a slow request goes by.
  perform webhook_schedule(id, after.published_at, after.updated_at) from after join before using (id)
  where id = any(changed) and after.deleted_at is null and after.published_at > after.updated_at
    and (id = any(untold) or before.deleted_at is not null or after.published_at is distinct from before.published_at);
  perform webhook_emit(array_agg(type), array_agg(data), max(at)) from (
    select after.updated_at as at,
      case when is_out and was_out then 'post.updated' when is_out then 'post.published'
        when after.deleted_at is not null then 'post.deleted' else 'post.unpublished' end as type,
      jsonb_build_object('post_id', id, 'slug', after.slug, 'version', after.version)
        || case when was_out and before.slug <> after.slug then jsonb_build_object('old_slug', before.slug)
           else '{}' end as data
    from after join before using (id)
      cross join lateral (
        select before.deleted_at is null and before.published_at is not null and id <> all(untold) as was_out) earlier
      cross join lateral (
        select after.deleted_at is null and after.published_at is not null
          and (after.published_at <= after.updated_at or was_out and after.published_at = before.published_at) as is_out) now
    where id = any(changed) and (was_out or is_out)) told;
  return null;
end $$;
create trigger webhook_posts_changed after update on posts
  referencing old table as before new table as after for each statement execute function webhook_posts_changed();

-- Nobody has read what is deleted like this: drafts and what is deleted already.
create function webhook_posts_gone() returns trigger language plpgsql as $$
begin
  perform webhook_unschedule(array(select id from gone));
  return null;
end $$;
create trigger webhook_posts_gone after delete on posts
  referencing old table as gone for each statement execute function webhook_posts_gone();

-- What was scheduled before.
insert into jobs (id, kind, key, payload, due_at, run_at, created_at)
select gen_random_uuid(), 'webhook_publication', 'publication ' || id, jsonb_build_object('post_id', id), published_at,
  published_at, now()
from posts where published_at > now() and deleted_at is null
on conflict (key) do nothing;
