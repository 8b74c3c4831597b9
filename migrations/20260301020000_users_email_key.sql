-- An e-mail address whatever its case, as the service folds it: the database's own lower case depends on its locale.
-- Null in a row that an earlier version of the service wrote, for which the database's lower case stands in.
alter table users add column email_key text collate "C";

create function users_forget_email_key() returns trigger language plpgsql as $$
begin
  if new.email is distinct from old.email and new.email_key is not distinct from old.email_key then
    new.email_key := null;
  end if;
  return new;
end $$;
create trigger users_forget_email_key before update of email on users
  for each row execute function users_forget_email_key();
