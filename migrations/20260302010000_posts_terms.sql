-- A search costs what it asks for, however common its words are: an index of terms has, beside the words of a post, what
-- a search filters by and when the post is listed, so that the newest matches are read without all others.
--
-- `posts_search` stays for the version before this one; a later migration drops it, and `search_headline` with it.

-- As before, faster: `translate` compares each character with each of its list.
create or replace function search_words(text text) returns text
  language sql immutable strict parallel safe
  return
    replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(text,
      U&'[\0011-\001C\+010600-\+010602\E000\E001]', '', 'g'),
      '([A-Za-z0-9])\+\+(?![A-Za-z0-9+])', U&'\\1\+010600\+010600', 'g'),
      '([A-Za-z0-9])#(?![A-Za-z0-9#])', U&'\\1\+010601', 'g'),
      '(?<![A-Za-z0-9.])\.(?=[A-Za-z])', U&'\+010602', 'g'),
      '(' || search_unspaced() || ')', U&'\001C\\1\001C', 'g'),
    '<', U&'\0011'), '>', U&'\0012'), '&', U&'\0013'), '/', U&'\0014'), '@', U&'\0015'), '_', U&'\0016'),
    ':', U&'\0017'), '+', U&'\0018'), '-', U&'\0019'), '.', U&'\001A'), '#', U&'\001B');

-- What a search asks the index of a post: its words, without their places, and terms that begin with a space, which no
-- word has. The time is there in periods of 2^12 to 2^30 seconds (68 minutes to 34 years), each eight of the one before,
-- so that any span of time is some of them.
create function posts_terms(search tsvector, author_id uuid, tags text[], language text, published_at timestamptz,
    created_at timestamptz, deleted_at timestamptz) returns tsvector
  language plpgsql immutable parallel safe cost 100 as $$
declare
  at bigint := floor(extract(epoch from coalesce(published_at, created_at) at time zone 'UTC'));
  terms text[] := array[
    case when deleted_at is not null then ' deleted' when published_at is null then ' draft' end, ' language ' || language,
    ' author ' || author_id,
    ' at12 ' || (at >> 12), ' at15 ' || (at >> 15), ' at18 ' || (at >> 18), ' at21 ' || (at >> 21), ' at24 ' || (at >> 24),
    ' at27 ' || (at >> 27), ' at30 ' || (at >> 30)];
  tag text;
begin
  foreach tag in array tags loop
    terms := terms || (' tag ' || tag);
  end loop;
  return strip(search) || array_to_tsvector(array_remove(terms, null));
end $$;

-- What is searched for, as each part of a search needs it:
--   query: what a post has to match;
--   terms: what of it the index knows: phrases as their words, which `is_phrase` says. If a phrase is excluded, nothing is;
--   beside: the words one after the other;
--   marks: what is marked in a text, any of the words: to find all of them, or a phrase, PostgreSQL tries all places
--     against all others. `runs` are those of scripts without spaces;
--   words: those of `marks`, one by one.
-- All are null if there is nothing to search for. No word has an operator in it: the parser gets no `&` and `<`, and takes
-- the others for white space.
create function search_parts(language text, words text, out query tsquery, out terms tsquery, out is_phrase boolean,
    out beside tsquery, out marks tsquery, out runs text, out words_marked text[])
  language plpgsql immutable strict parallel safe as $$
declare
  found tsquery := posts_query(language, words);
  needed text := querytree(found);
begin
  if numnode(found) = 0 then
    return;
  end if;
  query := found;
  is_phrase := found::text ~ '<(-|[0-9]+)>';
  terms := case
    when found::text !~ '!\(' then regexp_replace(found::text, '<(-|[0-9]+)>', '&', 'g')
    when needed = 'T' then U&'!\E000'
    else regexp_replace(needed, '<(-|[0-9]+)>', '&', 'g') end;
  beside := replace(found::text, ' & ', ' <-> ')::tsquery;
  marks := translate(regexp_replace(found::text, '<(-|[0-9]+)>', '|', 'g'), '&!', '| ')::tsquery;
  runs := (select string_agg(distinct run[1], '|') from regexp_matches(normalize(words, nfkc), search_unspaced(), 'g') as run);
  if runs is not null then
    marks := marks || to_tsquery('simple', runs);
  end if;
  words_marked := array(select distinct replace(word[1], '''''', '''') from regexp_matches(marks::text, '''((?:[^'']|'''')+)''', 'g') as word);
end $$;

-- About how many posts the index goes through for `words`, alternatives of words that are all needed, with all of the
-- `filters`: those with the rarest. What statistics do not name is rare. Those of an index are shown to its owner alone.
create function search_reach(words tsquery, filters text[]) returns bigint
  language sql stable parallel safe security definer set search_path from current
  return (
    with common as materialized (
      select term, share
      from pg_stats cross join unnest(most_common_elems::text::text[], most_common_elem_freqs) as common (term, share)
      where schemaname = current_schema and tablename = 'posts_by_terms' and term is not null),
    shares as (
      select sum(coalesce(rarest, 1)) as share
      from regexp_split_to_table(words::text, ' \| ') as alternative
        cross join lateral (
          select min(coalesce(share, 0)) as rarest
          from regexp_matches(alternative, '(!?)''((?:[^'']|'''')+)''', 'g') as word left join common on term = word[2]
          where word[1] = '') needed
      union all
      select coalesce(share, 0) from unnest(filters) as filter left join common on term = filter)
    select (least(1, min(share)) * (select greatest(reltuples, 0) from pg_class where oid = 'posts'::regclass))::bigint
    from shares);

-- A text as `search_words` makes it, with U+E000 and U+E001 around each of the `marks`.
create function search_marked(language text, marks tsquery, runs text, text text) returns text
  language plpgsql immutable parallel safe cost 1000 set client_min_messages = warning as $$
declare
  options text := U&'StartSel=\E000, StopSel=\E001, MaxFragments=2, FragmentDelimiter=" … "';
  shown text := search_words(text);
  marked text;
begin
  if runs is not null then
    -- Each by itself, so that the parser takes it for a word.
    shown := regexp_replace(shown, '(' || runs || ')', U&'\001C\\1\001C', 'g');
  end if;
  marked := ts_headline(language::regconfig, shown, marks, options);
  if strpos(marked, U&'\E000') = 0 then
    marked := ts_headline(('plain_' || language)::regconfig, shown, marks, options);
  end if;
  return marked;
end $$;
