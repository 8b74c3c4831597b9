create table follows (
  follower_id uuid not null constraint follows_follower_id_fkey references users on delete cascade,
  followed_id uuid not null constraint follows_followed_id_fkey references users on delete cascade,
  created_at timestamptz not null,
  primary key (follower_id, followed_id),
  constraint follows_followed_id_check check (follower_id <> followed_id)
);
create index follows_by_followed on follows (followed_id, follower_id);
