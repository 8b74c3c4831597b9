-- Every saved version of what a post says; `number` is the version that the post's row had then.
create table post_revisions (
  post_id uuid not null constraint post_revisions_post_id_fkey references posts on delete cascade,
  number bigint not null,
  editor_id uuid constraint post_revisions_editor_id_fkey references users on delete set null,
  title text not null,
  summary text,
  body text not null,
  tags text[] not null,
  created_at timestamptz not null,
  primary key (post_id, number)
);
create index post_revisions_by_editor on post_revisions (editor_id);
insert into post_revisions (post_id, number, editor_id, title, summary, body, tags, created_at)
  select id, version, author_id, title, summary, body, tags, updated_at from posts;
