-- no-transaction
create index concurrently reports_of_reporter on reports (reporter_id, id);
