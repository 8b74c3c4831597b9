-- 1,000 users, 10,000 published posts of 4 kB, 100,000 comments, 20,000 pictures, and what belongs to them. {reader} has
-- as many of everything as one user can, {post} has most comments, revisions and reports. Triggers are off, for speed:
-- what they keep is counted at the end.
set session_replication_role = replica;
-- Until a commit is flushed, a vacuum marks none of its pages as visible to all, and the planner avoids index-only scans.
set synchronous_commit = on;

insert into users (id, username, email, password_hash, role, created_at, updated_at)
  select md5('u' || i)::uuid, 'user' || i, 'user' || i || '@example.com', 'x', 'author', now(), now()
  from generate_series(1, 1000) i;

-- One in 21 is scheduled, a draft or deleted. One in five is by one author.
insert into posts (id, author_id, slug, title, summary, body, body_html, tags, language, published_at, deleted_at,
                   created_at, updated_at, search)
  select md5('p' || i)::uuid, md5('u' || case when i % 5 = 0 then 1 else i % 1000 + 1 end)::uuid, 'post-' || i,
    'Post ' || i % 5000, repeat('About ' || i || '. ', 8), text, '<p>' || text || '</p>',
    array['tag' || i % 20, 'rare' || i % 3000], case when i % 1000 = 7 then 'german' else 'english' end,
    case when kind = 0 then now() + i * interval '1 minute'
         when kind not between 1 and 6 then now() - i * interval '1 minute' end,
    case when kind between 7 and 9 then now() end,
    now() - i * interval '1 minute', now(),
    setweight(to_tsvector('simple', 'post word' || i % 500), 'A') || to_tsvector('simple', 'common rarely' || i % 5000 || case when i % 2 = 0 then ' even' else ' odd' end)
  from generate_series(1, 10500) i,
    lateral (select repeat('Some words of a text that is about ' || i || '. ', 100) as text,
               case when i % 21 = 0 then i / 21 % 10 else 10 end as kind) t;

-- One in twenty is on one post; of the others, one in three is a reply.
insert into comments (id, post_id, author_id, parent_id, thread, body, body_html, status, created_at, updated_at)
  select id, md5('p' || case when i % 20 = 0 then 1 else i % 10000 + 1 end)::uuid, md5('u' || i % 1000 + 1)::uuid,
    parent, coalesce(uuid_send(parent), '') || uuid_send(id), 'A comment with some words.', '<p>A comment with some words.</p>',
    case when i % 100 = 3 then 'pending' when i % 100 = 5 then 'spam' else 'approved' end, now(), now()
  from generate_series(1, 100000) i,
    lateral (select md5('c' || i)::uuid as id,
               case when i > 10000 and i % 3 = 0 and i % 20 <> 0 then md5('c' || i - 10000)::uuid end as parent) c;

insert into post_likes (post_id, user_id, created_at)
  select md5('p' || i)::uuid, md5('u' || u)::uuid, now()
  from generate_series(1, 10000) i, generate_series(1, i % 17) u;

insert into follows (follower_id, followed_id, created_at)
  select '{reader}', id, now() from (select id from users order by id limit 1000) u where id <> '{reader}'
  union all
  select md5('u' || i)::uuid, '{reader}', now() from generate_series(1, 1000) i
  union all
  select md5('u' || i)::uuid, md5('u' || (i + n) % 1000 + 1)::uuid, now()
  from generate_series(1, 1000) i, generate_series(1, 20) n;

insert into sessions (id, user_id, token_hash, created_at, last_used_at, expires_at)
  select id, case when i % 4 = 0 then '{reader}' else md5('u' || i % 1000 + 1)::uuid end, sha256(uuid_send(id)),
    now(), now(), now() + interval '1 day'
  from generate_series(1, 4000) i, lateral (select md5('s' || i)::uuid as id) s;

insert into api_tokens (id, user_id, name, token_hash, scopes, created_at, expires_at)
  select id, case when i % 4 = 0 then '{reader}' else md5('u' || i % 1000 + 1)::uuid end, 'A machine',
    sha256(uuid_send(id)), array['posts:read'], now(), now() + interval '1 day'
  from generate_series(1, 4000) i, lateral (select md5('t' || i)::uuid as id) s;

insert into sign_ups (id, email, email_key, role, inviter_id, username, language, created_at, expires_at)
  select md5('i' || i)::uuid, i || '@example.com', i || '@example.com', 'reader', inviter,
    case when inviter is null then 'u' end, 'en', now(), now() + interval '1 day'
  from generate_series(1, 8000) i,
    lateral (select case i % 4 when 0 then '{editor}'::uuid when 1 then md5('u' || i % 1000 + 1)::uuid end as inviter) s;

insert into post_revisions (post_id, number, editor_id, title, body, tags, created_at)
  select md5('p' || i)::uuid, n, md5('u' || i % 1000 + 1)::uuid, 'Post', 'Some words.', '{}', now()
  from generate_series(1, 10000) i, generate_series(1, case when i = 1 then 1000 else 2 end) n;

insert into reports (id, reporter_id, post_id, reason, status, created_at)
  select md5('r' || i)::uuid, md5('u' || i % 1000 + 1)::uuid, md5('p' || i)::uuid, 'spam',
    case when i % 10 = 0 then 'open' else 'upheld' end, now()
  from generate_series(1, 5000) i;

insert into notifications (id, user_id, kind, post_id, comment_id, thread, created_at, read_at)
  select md5('n' || i)::uuid, case when i % 2 = 0 then '{reader}' else md5('u' || i % 1000 + 1)::uuid end, 'comment',
    c.post_id, c.id, c.post_id, now(), case when i % 3 > 0 then now() end
  from generate_series(1, 20000) i join comments c on c.id = md5('c' || i)::uuid;

insert into jobs (id, kind, due_at, run_at, holder, failed_at, created_at)
  select md5('j' || i)::uuid, 'mail', now(), now() + interval '1 hour',
    case when i % 500 = 0 then md5('h')::uuid end, case when i % 500 > 0 and i % 3 = 0 then now() end, now()
  from generate_series(1, 10000) i;

insert into webhooks (id, place, url, events, secret, enabled, created_at, updated_at)
  select ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, i, 'https://receiver.example/', '{site.updated}',
    decode(repeat('00', 32), 'hex'), false, now(), now()
  from generate_series(1, 20) i;
insert into webhook_events (id, type, data, occurred_at)
  select md5('e' || i)::uuid, 'site.updated', '{}', now() - interval '1 second' * i from generate_series(1, 10000) i;
insert into webhook_deliveries (id, webhook_id, event_id, status, attempts, tries, created_at)
  select md5('d' || w.place || e.id)::uuid, w.id, e.id, case when ascii(e.id::text) % 3 = 0 then 'failed' else 'delivered' end,
    2, 2, e.occurred_at
  from webhook_events e cross join webhooks w where w.place <= 2;
insert into webhook_attempts (delivery_id, number, at, milliseconds, status)
  select id, n, created_at, 10, 500 from webhook_deliveries, generate_series(1, 2) n;

-- Half of the pictures are of one user. One in five is shown by nothing, the others by posts, and some by users too.
insert into media_objects (name, announced_at, unused)
  select encode(sha256(i::text::bytea), 'hex') || '.png', now(), false from generate_series(1, 20000) i;
insert into media (id, owner_id, object, content_type, bytes, width, height, color, stored_bytes, created_at,
                   updated_at, unused_since)
  select md5('m' || i)::uuid, case when i % 2 = 0 then '{reader}' else md5('u' || i / 2 % 1000 + 1)::uuid end,
    encode(sha256(i::text::bytea), 'hex') || '.png', 'image/png', 9000, 1600, 1200, '#8a939c', 12000, now(), now(),
    case when i % 10 in (3, 4) then now() end
  from generate_series(1, 20000) i;
insert into media_variants (media_id, width, height, bytes, object)
  select md5('m' || i)::uuid, width, width * 3 / 4, 1000, encode(sha256(i::text::bytea), 'hex') || '.png'
  from generate_series(1, 20000) i, unnest(array[480, 1024]) width;
insert into post_media (post_id, media_id, is_cover)
  select md5('p' || i % 10000 + 1)::uuid, md5('m' || i)::uuid, i % 3 = 0
  from generate_series(1, 20000) i where i % 10 not in (3, 4);
update users set avatar_id = md5('m' || i * 10)::uuid from generate_series(1, 500) i where id = md5('u' || i)::uuid;

insert into audit_log (id, actor_id, action, target_type, target_id, created_at)
  select md5('a' || i)::uuid, md5('u' || i % 1000 + 1)::uuid, 'post.deleted', 'post', md5('p' || i)::uuid, now()
  from generate_series(1, 10000) i;

insert into post_stats (post_id, likes, comments)
  select p.id, coalesce(l.likes, 0), coalesce(c.comments, 0) from posts p
  left join (select post_id, count(*) as likes from post_likes group by post_id) l on l.post_id = p.id
  left join (select post_id, count(*) as comments from comments where status = 'approved' group by post_id) c
    on c.post_id = p.id;
select posts_list(array_agg(id)) from posts;
insert into post_months (start, posts)
  select date_trunc('month', published_at, 'UTC'), count(*) from posts
  where deleted_at is null and published_at is not null group by 1;

insert into tags (name, posts)
  select tag, count(*) from posts, unnest(tags) as tag
  where published_at is not null and deleted_at is null group by tag
  union all
  select 'forgotten' || i, 0 from generate_series(1, 3000) i;
