\set n random(1, :posts)
\set u random(1, 1000)
insert into comments (id, post_id, author_id, thread, body, body_html, status, created_at, updated_at, renderer)
select id, (select post_id from bench.post_ids where n = :n), (select user_id from bench.user_ids where n = :u), uuid_send(id), 'A comment with some words, as long as most of them are, and *one* of them stressed.',
  e'<p>A comment with some words, as long as most of them are, and <em>one</em> of them stressed.</p>\n', 'approved', now(), now(), 100
from gen_random_uuid() as id returning id;
