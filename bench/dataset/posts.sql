-- The posts, in the order of their creation, and what hangs on them. Every post has the word `blog` and a word of its
-- own, `onlyin` and its number; one in ten `harbour`, one in a hundred `quartz`; four in ten `granite` and four in ten
-- `meadow`, and one in 10,000 the two beside each other.
\set ON_ERROR_STOP 1
set session_replication_role = replica;
set work_mem = '256MB';
select posts as n, posts + posts / 20 as total, users, renderer from bench.size \gset

insert into posts (id, author_id, slug, title, title_key, summary, body, body_html, search_text, toc, excerpt, reading_minutes,
                   renderer, tags, language, published_at, deleted_at, created_at, updated_at, search)
  select bench.id(ms, md5('post' || g)), bench.user_id(1 + floor(:users / 2 * bench.chance(g, 11) ^ 2)::bigint), 'post-' || name, title, lower(title), a.summary,
    own || e'\n\n' || a.body || e'\n\n' || b.body || e'\n\n' || c.body || e'\n',
    '<p>' || own || e'</p>\n' || a.body_html || b.body_html || c.body_html, t.text,
    jsonb_build_array(a.toc, b.toc, c.toc), left(own || ' ' || a.text, 240), 3, :renderer, tags, language,
    case kind when 'published' then published when 'deleted' then published
              when 'scheduled' then published + interval '20 years' end,
    case kind when 'deleted' then published + interval '1 day' end,
    created, case when g % 20 = 3 then created + interval '40 days' else created end,
    case language when 'english' then
      setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('plain_simple', title), 'D')
        || a.summary_search || setweight(to_tsvector('english', own), 'C') || a.search || b.search || c.search
    else
      setweight(search_vector(language, title), 'A') || setweight(to_tsvector('plain_simple', title), 'D')
        || setweight(search_vector(language, a.summary), 'B') || setweight(search_vector(language, t.text), 'C')
    end
  from generate_series(1, :total) g
    cross join lateral (
      select bench.post_ms(g) as ms, g - g / 21 as n, bench.instant(bench.post_ms(g)) as created,
        case when g % 21 > 0 then 'published' when g / 21 % 5 = 0 then 'scheduled' when g / 21 % 5 < 3 then 'draft' else 'deleted' end as kind,
        case when g % 21 > 0 then (g - g / 21)::text else 'hidden' || g / 21 end as name,
        case when g % 1000 = 7 then 'german' else 'english' end as language) l
    cross join lateral (
      select created + case when g % 10 = 1 then 10 * bench.chance(g, 12) * interval '1 day' else interval '0' end as published,
        'This blog names onlyin' || name || ' today'
          || case when bench.chance(g, 13) < 0.1 then ' near the harbour' else '' end
          || case when bench.chance(g, 14) < 0.01 then ' where quartz glitters' else '' end
          || case when g % 9973 = 5 then ' below granite meadow'
                  else case when bench.chance(g, 15) < 0.4 then ' behind granite walls' else '' end
                    || case when bench.chance(g, 16) < 0.4 then ' past another meadow' else '' end end as own,
        -- 20 tags of 5 % each, 500 of 0.2 %, on every tenth post one of 1 to 20 posts, and one that only the oldest have.
        array['tag' || n % 20, 'topic' || floor(bench.chance(g, 17) * 500)]
          || case when n % 10 = 0 and g % 21 > 0 then array['rare' || (n / 10 * 7919 % (:n / 10)) / 210 * 20
               + ceil((sqrt(8 * ((n / 10 * 7919 % (:n / 10)) % 210 + 1) + 1) - 1) / 2)] else '{}' end
          || case when n <= :n / 100 then array['oldest'] else '{}' end as tags) m
    join bench.sections a on a.k = floor(bench.chance(g, 18) * 3333)::integer * 3
    join bench.sections b on b.k = floor(bench.chance(g, 19) * 3333)::integer * 3 + 1
    join bench.sections c on c.k = floor(bench.chance(g, 20) * 3333)::integer * 3 + 2
    cross join lateral (select a.heading || ' and ' || b.heading || ' ' || name as title, own || ' ' || a.text || ' ' || b.text || ' ' || c.text as text) t;

-- Half of the likes are on few posts; the newest is liked as others are.
insert into post_likes (post_id, user_id, created_at)
  select bench.post_id(n), bench.user_id((n * 31 + k * 7) % :users + 1), bench.instant(bench.post_ms(bench.post_g(n)) + k * 60000)
  from generate_series(1, :n) n, lateral (select bench.chance(n, 21) as u) c,
    generate_series(1, least(:users / 10, floor(1.5 / sqrt(u + 1e-9))::bigint)) k
  on conflict do nothing;

-- A revision of one post in fifty, and a thousand of the post in the middle.
insert into post_revisions (post_id, number, editor_id, title, summary, body, tags, created_at)
  select id, 1, author_id, title, summary, body, tags, created_at
  from generate_series(1, :n, 50) n join posts on id = bench.post_id(n);
insert into post_revisions (post_id, number, editor_id, title, body, tags, created_at)
  select bench.post_id(:n / 2), i, bench.user_id(1 + i % 100), 'Revision ' || i, 'Some words of revision ' || i, '{}', now()
  from generate_series(2, 1000) i;

insert into reports (id, reporter_id, post_id, reason, status, created_at)
  select bench.id(bench.post_ms(n), md5('report' || n)), bench.user_id(n % :users + 1), bench.post_id(n), 'spam',
    case when n % 1000 = 0 then 'open' else 'upheld' end, bench.instant(bench.post_ms(n))
  from generate_series(1, :n, 100) n;
insert into audit_log (id, actor_id, action, target_type, target_id, created_at)
  select bench.id(bench.post_ms(n), md5('audit' || n)), bench.user_id(n % 20 + 1),
    case when n % 500 = 0 then 'user.banned' when n % 3 = 0 then 'comment.approved' else 'post.deleted' end,
    case when n % 500 = 0 then 'user' when n % 3 = 0 then 'comment' else 'post' end,
    case when n % 500 = 0 then bench.user_id(n % :users + 1) when n % 3 = 0 then bench.comment_id(n) else bench.post_id(n) end,
    bench.instant(bench.post_ms(n))
  from generate_series(1, :n) n;

insert into tags (name, posts)
  select tag, count(*) from posts, unnest(tags) as tag
  where published_at is not null and deleted_at is null group by tag;

set maintenance_work_mem = '1GB';
select definition from bench.indexes where "table" in ('posts', 'post_likes') \gexec

-- What the trigger would have made of a post, position by position.
do $$
declare wrong bigint;
begin
  select count(*) into wrong from (select * from posts where slug like 'post-%7' limit 200) p
  where search <> setweight(search_vector(language, title), 'A')
    || setweight(to_tsvector('plain_simple', search_words(normalize(title, nfkc))), 'D')
    || setweight(search_vector(language, summary), 'B') || setweight(search_vector(language, search_text), 'C');
  if wrong > 0 then
    raise 'the search of % of 200 posts is not what the trigger makes', wrong;
  end if;
end $$;
