-- Once for all posts that a statement changes, not for each: the erasure of a user changes thousands.
create function posts_change_listing() returns trigger language plpgsql as $$
declare
  changed uuid[] := array(
    select id from after join before using (id)
    where (before.tags, before.author_id, before.language, before.published_at, before.deleted_at)
      is distinct from (after.tags, after.author_id, after.language, after.published_at, after.deleted_at));
begin
  if changed <> '{}' then
    perform posts_list(changed);
  end if;
  return null;
end $$;
create or replace trigger posts_change_listing after update on posts
  referencing old table as before new table as after
  for each statement execute function posts_change_listing();
