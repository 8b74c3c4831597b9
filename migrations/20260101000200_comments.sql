-- `thread` is the path from the root of the thread to the comment: 16 bytes of id for each level.
-- Ids are UUIDv7, so its byte order is depth first and, between siblings, oldest first.
create table comments (
  id uuid primary key,
  post_id uuid not null constraint comments_post_id_fkey references posts on delete cascade,
  author_id uuid constraint comments_author_id_fkey references users on delete set null,
  parent_id uuid,
  thread bytea not null,
  body text not null,
  body_html text not null,
  status text not null constraint comments_status_check check (status in ('pending', 'approved', 'spam')),
  deleted_at timestamptz,
  version bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- A tombstone keeps its place in the thread and nothing of what was written.
  constraint comments_body_check check (
    case when deleted_at is null then char_length(body) between 1 and 10000 else body = '' and body_html = '' end
  ),
  -- A thread is at most 8 levels deep.
  constraint comments_thread_check check (
    octet_length(thread) between 16 and 128 and (octet_length(thread) = 16) = (parent_id is null)
  ),
  constraint comments_post_id_id_key unique (post_id, id),
  -- A reply stays on the post of its parent.
  constraint comments_parent_id_fkey foreign key (post_id, parent_id) references comments (post_id, id)
);
create unique index comments_thread_key on comments (post_id, thread);
create index comments_by_parent on comments (post_id, parent_id) where parent_id is not null;
create index comments_by_author on comments (author_id);
create index comments_by_status on comments (status, id);
