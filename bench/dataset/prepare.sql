-- Before the load: the sizes, the functions that make ids and chance from numbers, the texts that posts are put
-- together from, and the indexes out of the way. Variables: posts (published posts), renderer (RENDERER_VERSION).
\set ON_ERROR_STOP 1
set client_min_messages = warning;
create schema bench;

-- Time goes from 2016 to 2026. After every 20 published posts comes one that is not: `g` counts all of them.
select :posts as n, :posts + :posts / 20 as total, greatest(1000, :posts / 100) as users,
  extract(epoch from timestamptz '2026-01-01Z' - timestamptz '2016-01-01Z')::bigint * 1000 as span,
  extract(epoch from timestamptz '2016-01-01Z')::bigint * 1000 as start \gset
create table bench.size as select :n as posts, :users as users, :n * 10 as comments, :renderer::smallint as renderer;

-- A number in [0, 1) that is the same each time.
create function bench.chance(n bigint, seed integer) returns float8 language sql immutable parallel safe
  return (hashint8extended(n, seed) & 9007199254740991)::float8 / 9007199254740992;
create function bench.instant(ms bigint) returns timestamptz language sql immutable parallel safe
  return to_timestamp(ms / 1000.0);
-- UUIDv7: the time in milliseconds, then what would be random.
create function bench.id(ms bigint, salt text) returns uuid language sql immutable parallel safe
  return (lpad(to_hex(ms), 12, '0') || '7' || left(salt, 3) || 'a' || substr(salt, 4, 15))::uuid;
create function bench.user_id(i bigint) returns uuid language sql immutable parallel safe
  return bench.id(:start - 100000000000 + i, md5('user' || i));
create function bench.post_ms(g bigint) returns bigint language sql immutable parallel safe
  return :start + g * (:span / (:total + 1));
create function bench.post_g(n bigint) returns bigint language sql immutable parallel safe
  return n + (n - 1) / 20;
create function bench.post_id(n bigint) returns uuid language sql immutable parallel safe
  return bench.id(bench.post_ms(bench.post_g(n)), md5('post' || bench.post_g(n)));
create function bench.comment_ms(c bigint) returns bigint language sql immutable parallel safe
  return :start + c * (:span / (:n * 10 + 1));
create function bench.comment_id(c bigint) returns uuid language sql immutable parallel safe
  return bench.id(bench.comment_ms(c), md5('comment' || c));

-- 20,000 words of two to four syllables, the commonest first. A draw takes the word of rank r with a chance of 1/r.
create table bench.words as
  with s as (select array['ba','ke','mi','lo','du','ra','ne','si','to','vu','pla','kre','sti','gro','bru','fan','wel','hin',
    'mor','tur','dal','pen','lis','kor','zum','cha','the','shi','pho','qua','jan','bel','vir','non','gus','tra','spe','fli',
    'sno','cru','ma','re','di','po','su','lan','den','rin','son','tun'] as s)
  select rank, s[1 + rank % 50] || s[1 + rank / 50 % 50] || case when rank >= 2500 then s[1 + (rank / 2500 + rank) % 50] else '' end
    || case when rank % 3 = 2 and rank > 500 then s[1 + rank % 37] else '' end as word
  from s, generate_series(1, 20000) rank;
create unique index on bench.words (rank);
create function bench.drawn(n bigint, seed integer) returns integer language sql immutable parallel safe
  return floor(exp(bench.chance(n, seed) * ln(20000.0::float8)))::integer;

-- 40,000 sentences of eight words. 10,000 sections of a heading, three paragraphs and a list are made of four of them,
-- said over: as compressible as prose is not, so that a million posts of 4 kB fit on a small disk.
create table bench.sentences as
  select s, string_agg(word, ' ' order by w) as words
  from generate_series(0, 39999) s cross join generate_series(1, 8) w
    join bench.words on rank = bench.drawn(s * 8 + w, 1)
  group by s;
create unique index on bench.sentences (s);

create table bench.sections as
  select k, heading, summary, '## ' || heading || e'\n\n' || p1 || e'\n\n' || p2 || e'\n\n' || p3 || e'\n\n- ' || array_to_string(items, e'\n- ') as body,
    '<h2 id="h-' || anchor || '">' || heading || e'</h2>\n<p>' || p1 || e'</p>\n<p>' || h2
      || e'</p>\n<p>' || p3 || e'</p>\n<ul>\n<li>' || array_to_string(items, e'</li>\n<li>') || e'</li>\n</ul>\n' as body_html,
    jsonb_build_object('text', heading, 'level', 2, 'anchor', 'h-' || anchor) as toc, text,
    setweight(search_vector('english', summary), 'B') as summary_search, setweight(search_vector('english', text), 'C') as search
  from (select k, a.words as a, b.words as b, c.words as c, d.words as d
        from generate_series(0, 9999) k
          join bench.sentences a on a.s = k * 4 join bench.sentences b on b.s = k * 4 + 1
          join bench.sentences c on c.s = k * 4 + 2 join bench.sentences d on d.s = k * 4 + 3) s,
    lateral (select initcap(split_part(a, ' ', 1)) || ' ' || split_part(b, ' ', 3) as heading,
               concat_ws('. ', b, a, d, c, b, d || '.') as p1, array[c, a, d] as items,
               upper(left(a, 1)) || substr(a, 2) || '. ' || c || '.' as summary, concat_ws('. ', c, b, d, a, b, c || '.') as p3) l1,
    lateral (select lower(replace(heading, ' ', '-')) as anchor,
               concat_ws('. ', a, d, '**' || c || '**', b, a, c, d || '.') as p2,
               concat_ws('. ', a, d, '<strong>' || c || '</strong>', b, a, c, d || '.') as h2) l2,
    lateral (select concat_ws(' ', heading, p1, replace(p2, '*', ''), p3, array_to_string(items, ' ')) as text) l3;
create unique index on bench.sections (k);
vacuum analyze bench.words, bench.sections;

-- Indexes that no constraint needs are made after the load, all at once.
create table bench.indexes as
  select tablename::text as "table", indexdef as definition, format('%I', indexname) as name from pg_indexes i
  where schemaname = 'public' and tablename in ('posts', 'comments', 'post_likes', 'post_stats', 'post_tags')
    and not exists (select from pg_constraint c where c.conindid = format('%I', i.indexname)::regclass);
select format('drop index %s', name) from bench.indexes \gexec

set session_replication_role = replica;
-- The password of everybody is `bench-password`. The first half writes posts; user2 is an admin, user3 an editor.
insert into users (id, username, email, email_key, password_hash, role, display_name, created_at, updated_at)
  select bench.user_id(i), 'user' || i, 'user' || i || '@example.com', 'user' || i || '@example.com',
    '$argon2id$v=19$m=19456,t=2,p=1$Fv6PW/g56HRK52uxe84epw$/gat57x9iU/+6CaBnzVd7xfjofHgXNjrQlUkeWJ1Ej8',
    case i when 2 then 'admin' when 3 then 'editor' else case when i <= :users / 2 then 'author' else 'reader' end end,
    'User number ' || i, bench.instant(:start - 100000000000 + i), bench.instant(:start - 100000000000 + i)
  from generate_series(1, :users) i;
-- The token of user i is `blog_bench` and i.
insert into sessions (id, user_id, token_hash, user_agent, ip_address, created_at, last_used_at, expires_at)
  select bench.id(:start + i, md5('session' || i)), bench.user_id(i), sha256(convert_to('blog_bench' || i, 'UTF8')), 'bench', '127.0.0.1',
    now(), now(), '2100-01-01'
  from generate_series(1, :users) i;
-- user1 follows, and is followed by, as many as one can. Everybody follows 20.
insert into follows (follower_id, followed_id, created_at)
  select bench.user_id(follower), bench.user_id(followed), now()
  from (select 1 as follower, generate_series(2, least(1000, :users)) as followed
        union select generate_series(2, :users), 1
        union select i, (i + k * 7) % :users + 1 from generate_series(2, :users) i, generate_series(1, 19) k) f
  where follower <> followed
  on conflict do nothing;
analyze users, sessions, follows;
