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
-- there are no webhooks, nothing is kept. As the owner: the version that serves meanwhile has no right to these tables yet.
create function webhook_emit(types text[], data jsonb[], at timestamptz) returns void
  language plpgsql security definer set search_path from current as $$
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
