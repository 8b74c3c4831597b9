-- Admins make, change and delete webhooks.
alter table audit_log
  -- contract: the one below takes its place, and allows more
  drop constraint audit_log_target_type_check,
  add constraint audit_log_target_type_check
    check (target_type in ('user', 'post', 'comment', 'media', 'report', 'job', 'site', 'webhook')) not valid;
