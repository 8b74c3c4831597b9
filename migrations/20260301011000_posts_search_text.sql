-- What a search reads of a post: the text as people see it, bounded, and cut into short runs. PostgreSQL's parser
-- takes time that grows with the square of a run without white space, in which it looks for addresses, files
-- and numbers from every character. Null in a row that an earlier version of the service wrote; it is filled in
-- in the background.
alter table posts add column search_text text;

-- A text as the parser gets it. Without markup, addresses and files, which it would look for beyond white space too
-- (`<!--`), a word is found however it is joined to others. The stand-ins are control characters, each for the one
-- at its place, so that they can be shown again; those of the text itself are left out, and so are the marks of
-- a headline.
create function posts_words(text text) returns text
  language sql immutable strict parallel safe
  return translate(text,
    U&'<>&/@_:\0011\0012\0013\0014\0015\0016\0017\E000\E001',
    U&'\0011\0012\0013\0014\0015\0016\0017');

create or replace function posts_query(language text, words text) returns tsquery
  language sql immutable strict parallel safe cost 1000000
  return websearch_to_tsquery(language::regconfig, posts_words(words));

-- What a headline marks: any of the words. To find all of them, or a phrase, PostgreSQL tries all places against
-- all others. No word has one of the operators in it: the parser gets no `&` and `<`, and takes the others for
-- white space.
create function posts_marked(language text, words text) returns tsquery
  language sql immutable strict parallel safe cost 1000000
  return translate(regexp_replace(posts_query(language, words)::text, '<(-|[0-9]+)>', '|', 'g'), '&!', '| ')::tsquery;

create or replace function posts_set_search() returns trigger language plpgsql as $$
begin
  if new.renderer < 2 then
    -- Of an earlier version, which does not know of it: it may be of another text.
    new.search_text := null;
  end if;
  -- A tsvector holds at most 1 MiB; 100,000 characters always fit.
  new.search := setweight(to_tsvector(new.language::regconfig, posts_words(new.title)), 'A')
    || setweight(to_tsvector(new.language::regconfig, posts_words(coalesce(new.summary, ''))), 'B')
    || setweight(to_tsvector(new.language::regconfig, posts_words(coalesce(new.search_text,
         regexp_replace(left(new.body, 20000), '(\S{100})', '\1 ', 'g')))), 'C');
  return new;
end $$;
create or replace trigger posts_set_search
  before insert or update of title, summary, body, language, search_text, renderer on posts
  for each row execute function posts_set_search();
