-- When mails that are not digests were due to the user, those of the last hour and those that wait: what limits them
-- outlives the notifications that they were about.
alter table notification_settings add column at_once_mails timestamptz[] not null default '{}';
