-- no-transaction
create unique index concurrently users_email_folded on users (coalesce(email_key, lower(email)));
