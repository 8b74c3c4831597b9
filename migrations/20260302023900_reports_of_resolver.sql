-- no-transaction
create index concurrently reports_of_resolver on reports (resolver_id, id);
