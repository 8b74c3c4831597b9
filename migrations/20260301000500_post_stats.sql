create table post_likes (
  post_id uuid not null constraint post_likes_post_id_fkey references posts on delete cascade,
  user_id uuid not null constraint post_likes_user_id_fkey references users on delete cascade,
  created_at timestamptz not null,
  primary key (post_id, user_id)
);
create index post_likes_by_user on post_likes (user_id, post_id);

-- Beside the posts, so that a like does not write a post's row and all of its indexes anew. Triggers keep
-- the counts exact, whatever adds or takes away what is counted: also the erasure of a user.
create table post_stats (
  post_id uuid primary key constraint post_stats_post_id_fkey references posts on delete cascade,
  likes integer not null default 0,
  -- Those that everybody reads.
  comments integer not null default 0
);
create index post_stats_by_likes on post_stats (likes desc, post_id desc);
create index post_stats_by_comments on post_stats (comments desc, post_id desc);

create function posts_add_stats() returns trigger language plpgsql as $$
begin
  insert into post_stats (post_id) values (new.id);
  return null;
end $$;
create trigger posts_add_stats after insert on posts for each row execute function posts_add_stats();

create function post_likes_count() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    update post_stats set likes = likes + 1 where post_id = new.post_id;
  else
    update post_stats set likes = likes - 1 where post_id = old.post_id;
  end if;
  return null;
end $$;
create trigger post_likes_count after insert or delete on post_likes
  for each row execute function post_likes_count();

create function comments_count() returns trigger language plpgsql as $$
declare change integer := 0;
begin
  if tg_op <> 'INSERT' and old.status = 'approved' and old.deleted_at is null then
    change := change - 1;
  end if;
  if tg_op <> 'DELETE' and new.status = 'approved' and new.deleted_at is null then
    change := change + 1;
  end if;
  if change <> 0 then
    update post_stats set comments = comments + change where post_id = coalesce(new.post_id, old.post_id);
  end if;
  return null;
end $$;
create trigger comments_count after insert or delete or update of status, deleted_at on comments
  for each row execute function comments_count();

insert into post_stats (post_id, comments)
  select p.id, (select count(*) from comments c
                where c.post_id = p.id and c.status = 'approved' and c.deleted_at is null)
  from posts p;
