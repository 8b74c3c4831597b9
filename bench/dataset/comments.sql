-- Ten comments a post, in the order of their creation: most are on the posts of the days before, one in twenty on any
-- older post, and one in 500 of the second half on the post in the middle. A third are replies.
\set ON_ERROR_STOP 1
set session_replication_role = replica;
set work_mem = '512MB';
select posts as n, users, renderer from bench.size \gset

create temporary table texts as
  select t, upper(left(a.words, 1)) || substr(a.words, 2) || case when t % 2 = 0 then ', ' || b.words || '.' else '.' end as body
  from generate_series(0, 1999) t join bench.sentences a on a.s = t * 2 join bench.sentences b on b.s = t * 2 + 1;
create temporary table found as
  select c, bench.comment_id(c) as id,
    case when c % 500 = 0 and c > :n * 5 then :n / 2
         when bench.chance(c, 31) < 0.05 then 1 + floor(bench.chance(c, 32) * (c / 10))::bigint
         else greatest(1, c / 10 + floor(ln(1 - bench.chance(c, 33)) * greatest(3, :n / 2000))::bigint) end as n
  from generate_series(1::bigint, :n * 10) c;
analyze texts, found;

insert into comments (id, post_id, author_id, parent_id, thread, body, body_html, status, deleted_at, created_at, updated_at, renderer)
  select id, bench.post_id(n), bench.user_id(1 + floor(:users * bench.chance(c, 34) ^ 2)::bigint), parent, path || uuid_send(id),
    case when gone then '' else body end, case when gone then '' else '<p>' || body || e'</p>\n' end,
    case when at in (1, 2) and c % 67 = 1 then 'pending' when at in (1, 2) and c % 67 = 2 then 'spam' else 'approved' end,
    case when gone then at_time end, at_time, at_time, :renderer
  from (select c, id, n, row_number() over post % 6 as at, lag(id) over post as one, lag(id, 2) over post as two
        from found window post as (partition by n order by c)) w
    cross join lateral (
      select bench.instant(bench.comment_ms(c)) as at_time, at = 3 and c % 50 = 7 as gone,
        -- The fourth of six replies to the third, the fifth to the fourth.
        case when at in (4, 5) then one end as parent,
        case at when 4 then uuid_send(one) when 5 then uuid_send(two) || uuid_send(one) else '' end as path) l
    join texts on t = (c * 7919) % 2000
  order by c;

insert into reports (id, reporter_id, comment_id, reason, status, created_at)
  select bench.id(bench.comment_ms(c), md5('report of comment' || c)), bench.user_id(c % :users + 1), bench.comment_id(c), 'abuse',
    case when c % 1000 = 0 then 'open' else 'dismissed' end, bench.instant(bench.comment_ms(c))
  from generate_series(1::bigint, :n * 10, 1000) c;

set maintenance_work_mem = '1GB';
select definition from bench.indexes where "table" = 'comments' \gexec
