select p.id, p.slug, p.title, p.summary, p.tags, p.excerpt, p.language, p.reading_minutes, p.comments_open, p.comments_policy, p.version,
  p.published_at, p.created_at, p.updated_at, u.id, u.username, u.display_name, s.likes, s.comments
from posts p left join users u on u.id = p.author_id join post_stats s on s.post_id = p.id
where p.deleted_at is null and p.published_at <= now() order by p.published_at desc, p.id desc limit 21;
