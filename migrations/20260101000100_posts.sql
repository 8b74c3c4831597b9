-- A post has no status column: a draft has no `published_at`, a scheduled post has one in the future.
-- So a post appears at its time without a job, and no two columns can disagree.
create table posts (
  id uuid primary key,
  author_id uuid constraint posts_author_id_fkey references users on delete set null,
  slug text not null,
  title text not null constraint posts_title_check check (char_length(title) between 1 and 200),
  summary text constraint posts_summary_check check (char_length(summary) between 1 and 500),
  body text not null constraint posts_body_check check (char_length(body) between 1 and 200000),
  body_html text not null,
  tags text[] not null default '{}' constraint posts_tags_check check (cardinality(tags) <= 10),
  comments_open boolean not null default true,
  published_at timestamptz,
  deleted_at timestamptz,
  -- A tsvector holds at most 1 MiB; the first 100,000 characters always fit.
  search tsvector not null generated always as (
    setweight(to_tsvector('english', title), 'A')
    || setweight(to_tsvector('english', coalesce(summary, '')), 'B')
    || setweight(to_tsvector('english', left(body, 100000)), 'C')
  ) stored,
  version bigint not null default 1,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  -- `/v1/posts/{post}` takes an id or a slug: a slug must not read as an id.
  constraint posts_slug_check check (
    char_length(slug) <= 100
    and slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'
    and slug !~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'
  )
);
create unique index posts_slug_key on posts (slug);
-- The order of every list of posts: by publication, a draft by its creation.
create index posts_newest on posts (coalesce(published_at, created_at) desc, id desc);
create index posts_by_author on posts (author_id, coalesce(published_at, created_at) desc, id desc);
create index posts_tags on posts using gin (tags);
create index posts_search on posts using gin (search);
