-- no-transaction
drop index concurrently if exists post_revisions_by_editor;
