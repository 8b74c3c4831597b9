-- What is made from a post's text when it is written. A row of an earlier version of the service has 0 as
-- its renderer, and is rendered anew in the background.
alter table posts
  add column toc jsonb not null default '[]',
  add column excerpt text not null default '',
  add column reading_minutes integer not null default 1,
  add column renderer smallint not null default 0,
  -- Whether new comments wait for an editor; the site's policy if null.
  add column comments_policy text,
  -- The configuration of PostgreSQL's text search that its words are stemmed by.
  add column language text not null default 'english';
alter table posts
  add constraint posts_comments_policy_check check (comments_policy in ('open', 'first_held', 'all_held')) not valid,
  add constraint posts_language_check check (language in (
    'arabic', 'armenian', 'basque', 'catalan', 'danish', 'dutch', 'english', 'finnish', 'french', 'german', 'greek',
    'hindi', 'hungarian', 'indonesian', 'irish', 'italian', 'lithuanian', 'nepali', 'norwegian', 'portuguese',
    'romanian', 'russian', 'serbian', 'simple', 'spanish', 'swedish', 'tamil', 'turkish', 'yiddish')) not valid;
alter table posts validate constraint posts_comments_policy_check;
alter table posts validate constraint posts_language_check;

-- A generated column cannot depend on the row's language, since the cast of its name is not immutable.
alter table posts alter column search drop expression;
create function posts_set_search() returns trigger language plpgsql as $$
begin
  -- A tsvector holds at most 1 MiB; the first 100,000 characters always fit.
  new.search := setweight(to_tsvector(new.language::regconfig, new.title), 'A')
    || setweight(to_tsvector(new.language::regconfig, coalesce(new.summary, '')), 'B')
    || setweight(to_tsvector(new.language::regconfig, left(new.body, 100000)), 'C');
  return new;
end $$;
create trigger posts_set_search before insert or update of title, summary, body, language on posts
  for each row execute function posts_set_search();
