-- Why nothing but what a user asks for is mailed to their address: it does not exist, or its reader objects.
alter table users add column email_undeliverable text;
