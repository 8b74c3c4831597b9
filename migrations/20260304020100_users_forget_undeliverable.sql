-- What became of mail to an address says nothing of another, whichever version of the service changes it.
create function users_forget_undeliverable() returns trigger language plpgsql as $$
begin
  if new.email is distinct from old.email then
    new.email_undeliverable := null;
  end if;
  return new;
end $$;
create trigger users_forget_undeliverable before update of email on users
  for each row execute function users_forget_undeliverable();
