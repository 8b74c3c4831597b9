alter table users validate constraint users_avatar_id_fkey;
