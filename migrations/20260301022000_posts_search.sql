-- Search by rules of this schema instead of the server's parser and locale: words without their accents, compounds by
-- their parts, parts of texts in scripts that put no spaces between words, names like `C++`, and stop words in titles.
-- A post of an earlier version keeps what it was found by until it is rendered anew in the background.
create extension if not exists unaccent;

-- Each language once more, without accents: `cafe` finds `café`.
create text search configuration plain_arabic (copy = pg_catalog.arabic);
alter text search configuration plain_arabic alter mapping for hword, hword_part, word with unaccent, arabic_stem;
create text search configuration plain_armenian (copy = pg_catalog.armenian);
alter text search configuration plain_armenian alter mapping for hword, hword_part, word with unaccent, armenian_stem;
create text search configuration plain_basque (copy = pg_catalog.basque);
alter text search configuration plain_basque alter mapping for hword, hword_part, word with unaccent, basque_stem;
create text search configuration plain_catalan (copy = pg_catalog.catalan);
alter text search configuration plain_catalan alter mapping for hword, hword_part, word with unaccent, catalan_stem;
create text search configuration plain_danish (copy = pg_catalog.danish);
alter text search configuration plain_danish alter mapping for hword, hword_part, word with unaccent, danish_stem;
create text search configuration plain_dutch (copy = pg_catalog.dutch);
alter text search configuration plain_dutch alter mapping for hword, hword_part, word with unaccent, dutch_stem;
create text search configuration plain_english (copy = pg_catalog.english);
alter text search configuration plain_english alter mapping for hword, hword_part, word with unaccent, english_stem;
create text search configuration plain_finnish (copy = pg_catalog.finnish);
alter text search configuration plain_finnish alter mapping for hword, hword_part, word with unaccent, finnish_stem;
create text search configuration plain_french (copy = pg_catalog.french);
alter text search configuration plain_french alter mapping for hword, hword_part, word with unaccent, french_stem;
create text search configuration plain_german (copy = pg_catalog.german);
alter text search configuration plain_german alter mapping for hword, hword_part, word with unaccent, german_stem;
create text search configuration plain_greek (copy = pg_catalog.greek);
alter text search configuration plain_greek alter mapping for hword, hword_part, word with unaccent, greek_stem;
create text search configuration plain_hindi (copy = pg_catalog.hindi);
alter text search configuration plain_hindi alter mapping for hword, hword_part, word with unaccent, hindi_stem;
create text search configuration plain_hungarian (copy = pg_catalog.hungarian);
alter text search configuration plain_hungarian alter mapping for hword, hword_part, word with unaccent, hungarian_stem;
create text search configuration plain_indonesian (copy = pg_catalog.indonesian);
alter text search configuration plain_indonesian alter mapping for hword, hword_part, word with unaccent, indonesian_stem;
create text search configuration plain_irish (copy = pg_catalog.irish);
alter text search configuration plain_irish alter mapping for hword, hword_part, word with unaccent, irish_stem;
create text search configuration plain_italian (copy = pg_catalog.italian);
alter text search configuration plain_italian alter mapping for hword, hword_part, word with unaccent, italian_stem;
create text search configuration plain_lithuanian (copy = pg_catalog.lithuanian);
alter text search configuration plain_lithuanian alter mapping for hword, hword_part, word with unaccent, lithuanian_stem;
create text search configuration plain_nepali (copy = pg_catalog.nepali);
alter text search configuration plain_nepali alter mapping for hword, hword_part, word with unaccent, nepali_stem;
create text search configuration plain_norwegian (copy = pg_catalog.norwegian);
alter text search configuration plain_norwegian alter mapping for hword, hword_part, word with unaccent, norwegian_stem;
create text search configuration plain_portuguese (copy = pg_catalog.portuguese);
alter text search configuration plain_portuguese alter mapping for hword, hword_part, word with unaccent, portuguese_stem;
create text search configuration plain_romanian (copy = pg_catalog.romanian);
alter text search configuration plain_romanian alter mapping for hword, hword_part, word with unaccent, romanian_stem;
create text search configuration plain_russian (copy = pg_catalog.russian);
alter text search configuration plain_russian alter mapping for hword, hword_part, word with unaccent, russian_stem;
create text search configuration plain_serbian (copy = pg_catalog.serbian);
alter text search configuration plain_serbian alter mapping for hword, hword_part, word with unaccent, serbian_stem;
create text search configuration plain_simple (copy = pg_catalog.simple);
alter text search configuration plain_simple alter mapping for hword, hword_part, word with unaccent, simple;
create text search configuration plain_spanish (copy = pg_catalog.spanish);
alter text search configuration plain_spanish alter mapping for hword, hword_part, word with unaccent, spanish_stem;
create text search configuration plain_swedish (copy = pg_catalog.swedish);
alter text search configuration plain_swedish alter mapping for hword, hword_part, word with unaccent, swedish_stem;
create text search configuration plain_tamil (copy = pg_catalog.tamil);
alter text search configuration plain_tamil alter mapping for hword, hword_part, word with unaccent, tamil_stem;
create text search configuration plain_turkish (copy = pg_catalog.turkish);
alter text search configuration plain_turkish alter mapping for hword, hword_part, word with unaccent, turkish_stem;
create text search configuration plain_yiddish (copy = pg_catalog.yiddish);
alter text search configuration plain_yiddish alter mapping for hword, hword_part, word with unaccent, yiddish_stem;

-- A run of characters of the scripts that put no spaces between words, or as Korean write particles onto them: Thai, Lao,
-- Tibetan, Myanmar, Hangul, Khmer, Han, kana and bopomofo, without their punctuation.
create function search_unspaced() returns text
  language sql immutable parallel safe
  return U&'[\0E01-\0E3A\0E40-\0E4E\0E80-\0ECF\0EDC-\0EDF\0F40-\0FBC\1000-\103F\1050-\109F\1100-\11FF\1780-\17D3\1950-\19DF\1A20-\1AAD\2E80-\2FDF\3005-\3007\3041-\3096\309D-\309F\30A1-\30FA\30FC-\318F\31A0-\31FF\3400-\9FFF\AC00-\D7FF\F900-\FAFF\+020000-\+03FFFF]+';

-- A text as the parser gets it: without anything that it would join words by, so that a word is found in an address,
-- a path, a number or a version. Each stand-in is a control character, or for what makes a name (`C++`, `C#`, `.NET`) a
-- letter of Linear A, so that the text can be shown again; those of the text itself are left out, and so are the
-- marks of a headline.
create function search_words(text text) returns text
  language sql immutable strict parallel safe
  return translate(
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(
      translate(text, U&'\0011\0012\0013\0014\0015\0016\0017\0018\0019\001A\001B\001C\+010600\+010601\+010602\E000\E001', ''),
      '([A-Za-z0-9])\+\+(?![A-Za-z0-9+])', U&'\\1\+010600\+010600', 'g'),
      '([A-Za-z0-9])#(?![A-Za-z0-9#])', U&'\\1\+010601', 'g'),
      '(?<![A-Za-z0-9.])\.(?=[A-Za-z])', U&'\+010602', 'g'),
      '(' || search_unspaced() || ')', U&'\001C\\1\001C', 'g'),
    '<>&/@_:+-.#',
    U&'\0011\0012\0013\0014\0015\0016\0017\0018\0019\001A\001B');

-- What is found of a text in those scripts: each character and each pair of neighbours, so that a part of the text is
-- found by its pairs.
create function search_pairs(text text) returns text
  language sql immutable strict parallel safe
  return (
    select coalesce(string_agg(distinct pair, ' '), '')
    from regexp_matches(text, search_unspaced(), 'g') as run
      cross join generate_series(1, char_length(run[1])) as at
      cross join unnest(array[substr(run[1], at, 1), substr(run[1], at, 2)]) as pair);

create function search_vector(language text, words text) returns tsvector
  language plpgsql immutable strict parallel safe as $$
declare
  text text := search_words(translate(normalize(words, nfkc), 'ς', 'σ'));
  spaced text := regexp_replace(text, search_unspaced(), ' ', 'g');
  found tsvector := to_tsvector(language::regconfig, spaced);
  plain tsvector := to_tsvector(('plain_' || language)::regconfig, spaced);
begin
  if plain <> found then
    found := found || plain;
  end if;
  if text <> spaced then
    found := found || to_tsvector('simple', search_pairs(text));
  end if;
  if spaced ~ U&'[\+010600-\+010602]' then
    found := found || to_tsvector(language::regconfig, (
      select string_agg(translate(name[1], U&'\+010600\+010601\+010602', ''), ' ')
      from regexp_matches(spaced, U&'\\w*[\+010600-\+010602]\\w*', 'g') as name));
  end if;
  return found;
end $$;

-- What is searched for, for the parser of web searches: a run of those scripts as its pairs, outside of quotes, and each
-- excluded if the run is. At most 60 of them: the rest adds nothing.
create function search_terms(words text) returns text
  language sql immutable strict parallel safe
  return (
    select string_agg(case
        when run is null then rest
        when quotes % 2 = 1 then '" ' || array_to_string(pairs, ' ') || ' "'
        when before like U&'%\001D' then array_to_string(pairs, U&' \001D') || ' '
        else ' ' || array_to_string(pairs, ' ') || ' ' end, '' order by n)
    from (
      select n, piece[1] as run, piece[2] as rest, lag(piece[2]) over (order by n) as before,
        sum(char_length(piece[2]) - char_length(replace(piece[2], '"', ''))) over (order by n) as quotes,
        array(select substr(piece[1], at, 2)
              from generate_series(1, least(60, greatest(1, char_length(piece[1]) - 1))) as at) as pairs
      from regexp_matches(words, '(' || search_unspaced() || ')|(' || replace(search_unspaced(), '[', '[^') || ')', 'g')
        with ordinality as pieces(piece, n)) pieces);

create or replace function posts_query(language text, words text) returns tsquery
  language plpgsql immutable strict parallel safe cost 1000000 set client_min_messages = warning as $$
declare
  -- A `-` that excludes a word is no hyphen.
  marked text := regexp_replace(translate(normalize(words, nfkc), 'ς', 'σ'), '(^|\s)-(?=\S)', U&'\\1\001D', 'g');
  terms text := translate(search_words(coalesce(search_terms(marked), '')), U&'\001D\001C', '-');
  query tsquery := websearch_to_tsquery(language::regconfig, terms);
  plain tsquery := websearch_to_tsquery(('plain_' || language)::regconfig, terms);
begin
  if numnode(query) = 0 then
    -- Stop words alone: titles have them.
    return websearch_to_tsquery('plain_simple', terms);
  end if;
  return case when query = plain then query else query || plain end;
end $$;

-- Where a text has what is searched for, as `search_words` makes it, with U+E000 and U+E001 around each match. Any of the
-- words is marked: to find all of them, or a phrase, PostgreSQL tries all places against all others. No word has one
-- of the operators in it: the parser gets no `&` and `<`, and takes the others for white space.
create function search_headline(language text, words text, text text) returns text
  language plpgsql immutable strict parallel safe cost 1000000 set client_min_messages = warning as $$
declare
  runs text := (select string_agg(distinct run[1], '|') from regexp_matches(normalize(words, nfkc), search_unspaced(), 'g') as run);
  shown text := search_words(text);
  query tsquery := posts_query(language, words);
  marks tsquery := translate(regexp_replace(query::text, '<(-|[0-9]+)>', '|', 'g'), '&!', '| ')::tsquery;
  options text := U&'StartSel=\E000, StopSel=\E001, MaxFragments=2, FragmentDelimiter=" … "';
  headline text;
begin
  if runs is not null then
    -- Each by itself, so that the parser takes it for a word.
    shown := regexp_replace(shown, '(' || runs || ')', U&'\001C\\1\001C', 'g');
    marks := marks || to_tsquery('simple', runs);
  end if;
  headline := ts_headline(language::regconfig, shown, marks, options);
  if strpos(headline, U&'\E000') = 0 then
    headline := ts_headline(('plain_' || language)::regconfig, shown, marks, options);
  end if;
  return headline;
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
        || setweight(to_tsvector('plain_simple', search_words(normalize(new.title, nfkc))), 'D')
        || setweight(search_vector(new.language, coalesce(new.summary, '')), 'B')
        || setweight(search_vector(new.language, left(body, portion)), 'C');
      return new;
    exception when program_limit_exceeded then
      -- A tsvector holds at most 1 MiB.
      portion := portion / 2;
    end;
  end loop;
end $$;
create or replace trigger posts_set_search
  before insert or update of title, title_key, summary, body, language, search_text, renderer on posts
  for each row execute function posts_set_search();
