-- no-transaction
drop index concurrently if exists reports_by_reporter;
