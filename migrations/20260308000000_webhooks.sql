-- Where others are told of what happens here (https://www.standardwebhooks.com).
create table webhooks (
  id uuid primary key,
  -- There are as many places as there may be webhooks.
  place smallint not null constraint webhooks_place_key unique
    constraint webhooks_place_check check (place between 1 and 20),
  created_by uuid constraint webhooks_created_by_fkey references users on delete set null,
  url text not null constraint webhooks_url_check check (octet_length(url) between 1 and 2048),
  description text constraint webhooks_description_check check (char_length(description) between 1 and 200),
  events text[] not null constraint webhooks_events_check check (cardinality(events) between 1 and 50),
  secret bytea not null constraint webhooks_secret_check check (octet_length(secret) = 32),
  -- The one before it, which still signs until then.
  previous_secret bytea,
  previous_secret_until timestamptz,
  enabled boolean not null default true,
  -- Why it is off, if nobody has turned it off.
  disabled_reason text constraint webhooks_disabled_reason_check check (disabled_reason in ('gone', 'failing')),
  -- Since when every attempt has failed.
  failing_since timestamptz,
  version bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  constraint webhooks_disabled_check check (disabled_reason is null or not enabled)
);
create index webhooks_of_user on webhooks (created_by) where created_by is not null;

-- What has happened: ids and versions, no texts and nothing about a person but ids.
create table webhook_events (
  id uuid primary key,
  type text not null constraint webhook_events_type_check check (octet_length(type) between 1 and 40),
  data jsonb not null,
  occurred_at timestamptz not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index webhook_events_by_time on webhook_events (occurred_at, id);

-- An event on its way to a webhook, each once.
create table webhook_deliveries (
  id uuid primary key,
  webhook_id uuid not null constraint webhook_deliveries_webhook_id_fkey references webhooks on delete cascade,
  event_id uuid not null constraint webhook_deliveries_event_id_fkey references webhook_events on delete cascade,
  status text not null default 'pending'
    constraint webhook_deliveries_status_check check (status in ('pending', 'delivered', 'failed')),
  -- How often it was tried, and how often since it was last asked for.
  attempts integer not null default 0,
  tries integer not null default 0,
  next_attempt_at timestamptz,
  delivered_at timestamptz,
  created_at timestamptz not null,
  constraint webhook_deliveries_key unique (webhook_id, event_id),
  constraint webhook_deliveries_next_attempt_at_check check ((status = 'pending') = (next_attempt_at is not null))
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index webhook_deliveries_due on webhook_deliveries (webhook_id, next_attempt_at) where status = 'pending';
create index webhook_deliveries_of_webhook on webhook_deliveries (webhook_id, created_at, id);
create index webhook_deliveries_by_status on webhook_deliveries (webhook_id, status, created_at, id);
create index webhook_deliveries_pending on webhook_deliveries (created_at) where status = 'pending';
create index webhook_deliveries_of_event on webhook_deliveries (event_id);

create table webhook_attempts (
  delivery_id uuid not null constraint webhook_attempts_delivery_id_fkey references webhook_deliveries on delete cascade,
  number integer not null,
  at timestamptz not null,
  milliseconds integer not null,
  -- That of the answer, if there was one.
  status smallint,
  -- What kind of failure it was.
  error text constraint webhook_attempts_error_check check (octet_length(error) between 1 and 40),
  primary key (delivery_id, number)
);

-- Has what is due sent to webhooks. Each has one job, so that none waits for another; one that is at work looks for what
-- is due before it ends, for which it has to wait until this is committed.
create function webhook_wake(webhooks uuid[], at timestamptz) returns void language sql as $$
  insert into jobs as j (id, kind, key, payload, due_at, run_at, created_at)
  select gen_random_uuid(), 'webhook_delivery', 'webhook ' || id, jsonb_build_object('webhook_id', id), at, at, at
  from (select distinct id from unnest(webhooks) id order by id) due
  on conflict (key) do update set
    due_at = least(j.due_at, excluded.due_at),
    run_at = case when j.holder is null then least(j.run_at, excluded.run_at) else j.run_at end,
    attempts = case when j.failed_at is null then j.attempts else 0 end,
    failed_at = null
$$;

-- Writes events, and the job that finds out whom they are for: in the transaction of the act, or not at all. Where
-- there are no webhooks, nothing is kept.
create function webhook_emit(types text[], data jsonb[], at timestamptz) returns void language plpgsql as $$
begin
  if cardinality(types) > 0 and exists (select from webhooks where enabled) then
    with new as (
      insert into webhook_events (id, type, data, occurred_at)
      select gen_random_uuid(), e.type, e.data, at from unnest(types, data) as e (type, data)
      returning id)
    insert into jobs (id, kind, payload, due_at, run_at, created_at)
    -- At once, also for a process whose clock is behind.
    select gen_random_uuid(), 'webhook_event', jsonb_build_object('events', jsonb_agg(id)), at,
      at - interval '1 minute', at
    from new;
  end if;
end $$;

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
  perform webhook_schedule(id, published_at, updated_at) from after
  where id = any(changed) and deleted_at is null and published_at > updated_at;
  perform webhook_emit(array_agg(type), array_agg(data), max(at)) from (
    select after.updated_at as at,
      case when is_out and was_out then 'post.updated' when is_out then 'post.published'
        when after.deleted_at is not null then 'post.deleted' else 'post.unpublished' end as type,
      jsonb_build_object('post_id', id, 'slug', after.slug, 'version', after.version)
        || case when was_out and before.slug <> after.slug then jsonb_build_object('old_slug', before.slug)
           else '{}' end as data
    from after join before using (id) cross join lateral (
      select before.deleted_at is null and coalesce(before.published_at <= after.updated_at, false)
          and id <> all(untold) as was_out,
        after.deleted_at is null and coalesce(after.published_at <= after.updated_at, false) as is_out) state
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

create function webhook_site_changed() returns trigger language plpgsql as $$
begin
  perform webhook_emit(
    array_agg('site.updated'::text), array_agg(jsonb_build_object('version', after.version)), max(after.updated_at))
  from after join before using (id) where after.version <> before.version;
  return null;
end $$;
create trigger webhook_site_changed after update on site
  referencing old table as before new table as after for each statement execute function webhook_site_changed();

-- What was scheduled before.
insert into jobs (id, kind, key, payload, due_at, run_at, created_at)
select gen_random_uuid(), 'webhook_publication', 'publication ' || id, jsonb_build_object('post_id', id), published_at,
  published_at, now()
from posts where published_at > now() and deleted_at is null
on conflict (key) do nothing;
