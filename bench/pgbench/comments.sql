\set n random(1, :posts)
select c.id, c.post_id, c.parent_id, c.thread, c.body, c.body_html, c.status, c.version, c.created_at, c.updated_at, c.deleted_at, u.id, u.username,
  u.display_name
from comments c left join users u on u.id = c.author_id
where c.post_id = (select post_id from bench.post_ids where n = :n) and c.status = 'approved' order by c.thread limit 21;
