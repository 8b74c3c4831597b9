-- What a name like `C#` or `.NET` joins is found by its parts as well, with and without accents: `pdf` and `resume` in
-- `résumé.pdf`. Before, it was found whole, or without its signs, which made another word of `1#é`. Posts that are
-- there get this when they are next written.

-- The words of a text as `search_words` makes it, and after them the parts of its names.
create function search_named(words text) returns text
  language sql immutable strict parallel safe
  return concat_ws(' ', words, (
    select string_agg(translate(name[1], U&'\+010600\+010601\+010602', '   '), ' ')
    from regexp_matches(words, U&'[^\0001-\0020]*[\+010600-\+010602][^\0001-\0020]*', 'g') as name));

create or replace function search_vector(language text, words text) returns tsvector
  language plpgsql immutable strict parallel safe as $$
declare
  text text := search_words(translate(normalize(words, nfkc), 'ς', 'σ'));
  spaced text := search_named(regexp_replace(text, search_unspaced(), ' ', 'g'));
  found tsvector := to_tsvector(language::regconfig, spaced);
  plain tsvector := to_tsvector(('plain_' || language)::regconfig, spaced);
begin
  if plain <> found then
    found := found || plain;
  end if;
  if text ~ search_unspaced() then
    found := found || to_tsvector('simple', search_pairs(text));
  end if;
  return found;
end $$;

create or replace function posts_set_search() returns trigger language plpgsql as $$
declare
  body text;
  portion integer;
begin
  if new.renderer < 2 then
    -- Of an earlier version, which does not know of it: it may be of another text.
    new.search_text := null;
  end if;
  if tg_op = 'UPDATE' and new.title is distinct from old.title
    and new.title_key is not distinct from old.title_key then
    new.title_key := null;
  end if;
  body := coalesce(new.search_text, regexp_replace(left(new.body, 20000), '(\S{100})', '\1 ', 'g'));
  portion := char_length(body);
  loop
    begin
      new.search := setweight(search_vector(new.language, new.title), 'A')
        || setweight(to_tsvector('plain_simple', search_named(search_words(normalize(new.title, nfkc)))), 'D')
        || setweight(search_vector(new.language, coalesce(new.summary, '')), 'B')
        || setweight(search_vector(new.language, left(body, portion)), 'C');
      return new;
    exception when program_limit_exceeded then
      -- A tsvector holds at most 1 MiB.
      portion := portion / 2;
    end;
  end loop;
end $$;
