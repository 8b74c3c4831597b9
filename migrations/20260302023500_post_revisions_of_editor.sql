-- no-transaction
create index concurrently post_revisions_of_editor on post_revisions (editor_id, post_id, number);
