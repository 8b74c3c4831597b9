-- What WordPress gets of the data set, each table as it takes it. Post n has the ID 10000 + n, as user and tag have 1000 + n.
create temporary table u as select id, row_number() over (order by id) + 1000 as n, username, email from users;
create temporary table p as select posts.*, row_number() over (order by posts.id) + 10000 as n from posts where deleted_at is null and published_at <= now();
create temporary table c as select comments.*, row_number() over (order by comments.id) as n from comments where status = 'approved' and deleted_at is null;
create temporary table t as select name, posts, row_number() over (order by name) + 1000 as n from tags where posts > 0;
analyze u, p, c, t;
\copy (select n, username, username, email, '2016-01-01', username from u) to 'users'
\copy (select p.n, u.n, published_at at time zone 'UTC', published_at at time zone 'UTC', body_html, title, summary, 'publish', slug, p.updated_at at time zone 'UTC', p.updated_at at time zone 'UTC', (select s.comments from post_stats s where s.post_id = p.id) from p join u on u.id = p.author_id) to 'posts'
\copy (select c.n, p.n, u.username, u.email, c.created_at at time zone 'UTC', c.created_at at time zone 'UTC', c.body, '1', 'comment', u.n from c join p on p.id = c.post_id join u on u.id = c.author_id) to 'comments'
\copy (select n, name, name from t) to 'terms'
\copy (select n, n, 'post_tag', '', 0, posts from t) to 'term_taxonomy'
\copy (select p.n, t.n, 0 from p, unnest(p.tags) as tag join t on t.name = tag) to 'term_relationships'
