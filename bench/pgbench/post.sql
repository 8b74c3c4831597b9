\set n random(1, :posts)
select p.id, p.slug, p.title, p.summary, p.tags, p.excerpt, p.language, p.reading_minutes, p.comments_open, p.comments_policy, p.version,
  p.published_at, p.created_at, p.updated_at, p.body, p.body_html, p.toc, u.id, u.username, u.display_name, s.likes, s.comments
from posts p left join users u on u.id = p.author_id join post_stats s on s.post_id = p.id
where p.id = (select post_id from bench.post_ids where n = :n) and p.deleted_at is null;
