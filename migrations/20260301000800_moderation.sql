-- Until then the user reads, but writes nothing.
alter table users add column banned_until timestamptz, add column ban_reason text;
alter table users add constraint users_ban_reason_check check (
  char_length(ban_reason) between 1 and 500 and (banned_until is null) = (ban_reason is null)) not valid;
alter table users validate constraint users_ban_reason_check;

create table reports (
  id uuid primary key,
  reporter_id uuid constraint reports_reporter_id_fkey references users on delete set null,
  post_id uuid constraint reports_post_id_fkey references posts on delete cascade,
  comment_id uuid constraint reports_comment_id_fkey references comments on delete cascade,
  reason text not null constraint reports_reason_check check (reason in ('spam', 'abuse', 'illegal', 'off_topic', 'other')),
  note text constraint reports_note_check check (char_length(note) between 1 and 1000),
  status text not null default 'open' constraint reports_status_check check (status in ('open', 'upheld', 'dismissed')),
  resolver_id uuid constraint reports_resolver_id_fkey references users on delete set null,
  resolved_at timestamptz,
  version bigint not null default 1,
  created_at timestamptz not null,
  constraint reports_target_check check (num_nonnulls(post_id, comment_id) = 1)
);
create unique index reports_post_id_key on reports (post_id, reporter_id) where post_id is not null;
create unique index reports_comment_id_key on reports (comment_id, reporter_id) where comment_id is not null;
create index reports_by_status on reports (status, id);
create index reports_by_reporter on reports (reporter_id);
create index reports_by_resolver on reports (resolver_id);

-- Who did what to whom. A target may be gone, and its line stays.
create table audit_log (
  id uuid primary key,
  actor_id uuid constraint audit_log_actor_id_fkey references users on delete set null,
  action text not null,
  target_type text not null constraint audit_log_target_type_check check (target_type in ('user', 'post', 'comment', 'report', 'site')),
  target_id uuid,
  details jsonb not null default '{}',
  created_at timestamptz not null
);
create index audit_log_by_actor on audit_log (actor_id, id desc);
create index audit_log_by_action on audit_log (action, id desc);
create index audit_log_by_target on audit_log (target_id, id desc);
