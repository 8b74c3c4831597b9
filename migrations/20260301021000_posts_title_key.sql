-- What a list by title is ordered by, as the service makes it: whatever the letters' case and accents. The database's
-- own order depends on its locale. Null in a row that an earlier version of the service wrote.
alter table posts add column title_key text collate "C";
