-- no-transaction
-- Two minutes for a million posts, during which nobody waits for it for longer than a moment.
call posts_list_all();
