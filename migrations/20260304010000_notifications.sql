-- What users are told, in the API and by mail.
create table notifications (
  id uuid primary key,
  user_id uuid not null constraint notifications_user_id_fkey references users on delete cascade,
  kind text not null constraint notifications_kind_check check (octet_length(kind) between 1 and 40),
  post_id uuid constraint notifications_post_id_fkey references posts on delete cascade,
  comment_id uuid constraint notifications_comment_id_fkey references comments on delete cascade,
  report_id uuid constraint notifications_report_id_fkey references reports on delete cascade,
  -- Of what the first is mailed at once, and more of it later: a post, or all that waits for editors.
  thread uuid not null,
  created_at timestamptz not null,
  read_at timestamptz,
  -- How it is mailed, if it is.
  delivery text constraint notifications_delivery_check check (delivery in ('at_once', 'digest')),
  -- When its mail is due, until that is sent.
  mail_at timestamptz,
  -- The job whose mail it is in.
  mail_job uuid,
  mailed_at timestamptz
);
create unique index notifications_once on notifications (user_id, kind, coalesce(report_id, comment_id, post_id));
create index notifications_of_user on notifications (user_id, id);
create index notifications_unread on notifications (user_id, id) where read_at is null;
create index notifications_to_mail on notifications (user_id, mail_at) where mail_at is not null;
create index notifications_mailed on notifications (user_id, thread, mailed_at) where mailed_at is not null;
create index notifications_of_post on notifications (post_id) where post_id is not null;
create index notifications_of_comment on notifications (comment_id) where comment_id is not null;
create index notifications_of_report on notifications (report_id) where report_id is not null;
create index notifications_by_age on notifications (created_at);

-- What a user has chosen; the defaults are those of who has chosen nothing.
create table notification_settings (
  user_id uuid primary key constraint notification_settings_user_id_fkey references users on delete cascade,
  reply text not null default 'at_once' constraint notification_settings_reply_check check (reply in ('at_once', 'digest', 'never')),
  comment text not null default 'at_once' constraint notification_settings_comment_check check (comment in ('at_once', 'digest', 'never')),
  held_comment text not null default 'at_once' constraint notification_settings_held_comment_check check (held_comment in ('at_once', 'digest', 'never')),
  report text not null default 'at_once' constraint notification_settings_report_check check (report in ('at_once', 'digest', 'never')),
  post text not null default 'digest' constraint notification_settings_post_check check (post in ('at_once', 'digest', 'never')),
  -- In the links that end mails: whoever has it can end them, and nothing else.
  unsubscribe_key bytea constraint notification_settings_unsubscribe_key_key unique,
  version bigint not null default 1
);

-- Posts of which a user is told nothing.
create table muted_posts (
  user_id uuid not null constraint muted_posts_user_id_fkey references users on delete cascade,
  post_id uuid not null constraint muted_posts_post_id_fkey references posts on delete cascade,
  created_at timestamptz not null,
  primary key (user_id, post_id)
);
create index muted_posts_of_post on muted_posts (post_id);
