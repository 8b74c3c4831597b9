-- What is done after the response: written in the transaction of the act, deleted when it is done.
create table jobs (
  id uuid primary key,
  kind text not null constraint jobs_kind_check check (octet_length(kind) between 1 and 40),
  -- Of a job of which there is one at a time.
  key text constraint jobs_key_key unique,
  payload jsonb not null default '{}',
  -- Whom it is about: without them it is not done.
  user_id uuid constraint jobs_user_id_fkey references users on delete cascade,
  -- When it was to be done first.
  due_at timestamptz not null,
  -- When it is tried next; of one that is being worked on, when its lease ends.
  run_at timestamptz not null,
  attempts integer not null default 0,
  -- The process that works on it, if its lease has not ended.
  holder uuid,
  -- The last failure's.
  error text,
  -- When it was given up.
  failed_at timestamptz,
  created_at timestamptz not null,
  constraint jobs_failed_check check (failed_at is null or holder is null)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index jobs_due on jobs (kind, run_at) where failed_at is null;
create index jobs_held on jobs (holder) where holder is not null;
create index jobs_unfinished on jobs (id) where failed_at is null;
create index jobs_by_due_at on jobs (due_at) where failed_at is null;
create index jobs_failed on jobs (id) where failed_at is not null;
create index jobs_failed_by_kind on jobs (kind) where failed_at is not null;
create index jobs_failed_by_age on jobs (failed_at) where failed_at is not null;
create index jobs_of_user on jobs (user_id, id) where user_id is not null;
