-- What is scheduled by those who are banned until then, or who are readers by now, does not appear.
update posts p set planned_at = p.published_at, published_at = null, version = p.version + 1, updated_at = now()
from users u
where u.id = p.author_id and (u.role = 'reader' or p.published_at < u.banned_until)
  and post_time(p.published_at, p.created_at) > now() and p.published_at is not null;
