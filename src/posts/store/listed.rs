//! Lists of posts that have appeared, or that will, by filter and order.
//!
//! By time what one filter finds is read from an index, and by title what an author wrote or is in a language. What several
//! filters find is looked for in an index of one of them, which has what the others ask for as well: the planner chooses
//! between one in the order of the list and one of what is rare. By likes and comments, which change all the time, there
//! is one index each: see [`unindexed`].

use chrono::{DateTime, Utc};

use super::filter::{Filter, Order};
use super::row::{PostRow, posts};
use crate::db::Connection;
use crate::language::Language;
use crate::posts::model::{CommentsPolicy, PostStatus};

/// Gives `$statement` the condition that the filter puts on the posts `l`.
macro_rules! filtered {
    ($statement:ident, $($arguments:tt)+) => {
        from!(
            $statement,
            "(case when $9 then l.at > $1 else l.at <= $1 end)
               and ($2::uuid is null or l.author_id = $2)
               and ($3::text is null or l.language = $3)
               and ($4::timestamptz is null or l.at >= $4)
               and ($5::timestamptz is null or l.at < $5)",
            $($arguments)+
        )
    };
}

/// The [`PostRow`]s of the page whose keys and ids `$page` selects, in their order.
macro_rules! page {
    ([$($page:tt)+], $direction:tt, $filter:expr, $now:expr, $after:expr $(, $more:expr)*) => {
        posts!(
            summaries ["null::real as rank, null::text as headline
               from (" + $($page)+ + ") page
                 join posts p on p.id = page.id join post_stats s on s.post_id = page.id left join users u on u.id = p.author_id
               order by page.key " + $direction + ", page.id " + $direction],
            $now,
            $filter.author,
            $filter.language.map(Language::as_str),
            $filter.published_after,
            $filter.published_before,
            $after.as_ref().map(|(key, _)| key.clone()),
            $after.as_ref().map(|(_, id)| *id),
            $filter.rows,
            $filter.status == Some(PostStatus::Scheduled)
            $(, $more)*
        )
    };
}

/// Gives `$statement` the posts that it reads, with their `key`: of `posts` by `$key`, of their `counts` by `$key`, or of the
/// `tagged` ones by time.
macro_rules! from {
    ($statement:ident, $condition:tt, posts $key:tt, $($arguments:tt)+) => {
        $statement!(
            $condition,
            ["select " + $key + " as key, id, published_at as at, author_id, language from posts
              where deleted_at is null and published_at is not null"],
            $($arguments)+
        )
    };
    ($statement:ident, $condition:tt, counts $key:tt, $($arguments:tt)+) => {
        $statement!(
            $condition,
            ["select " + $key + " as key, post_id as id, listed_at as at, author_id, language from post_stats
              where listed_at is not null"],
            $($arguments)+
        )
    };
    ($statement:ident, $condition:tt, tagged, $($arguments:tt)+) => {
        $statement!(
            $condition,
            ["select listed_at as key, post_id as id, listed_at as at, author_id, language from post_tags where tag = $10"],
            $($arguments)+
        )
    };
}

/// One list of posts in one order: by their `key`, then by id, from where it is `$beyond` the row that `$after` names, whose
/// key is `$position`.
macro_rules! list {
    ($condition:tt, [$($from:tt)+], $position:tt, $beyond:tt, $direction:tt, $($arguments:tt)+) => {
        page!(
            ["select l.key, l.id from (" + $($from)+ + ") l
              where " + $condition + " and (" + $position + " is null or (l.key, l.id) " + $beyond + " (" + $position + ", $7))
              order by l.key " + $direction + ", l.id " + $direction + " limit $8"],
            $direction,
            $($arguments)+
        )
    };
}

/// The same in an order of which no index has the filter. Up to 3,000 `$matching` posts are sorted. More are common, and
/// looked for among the next `$window` of all posts in that order, those that are `$also` what is no column there. If
/// these do not fill the page, all that match are sorted, `$of` their ids. Of scheduled posts few have any likes or comments.
macro_rules! unindexed {
    ($condition:tt, [$($all:tt)+], $matching:tt, $of:tt, $also:tt, $window:tt, $position:tt, $beyond:tt, $direction:tt, $($arguments:tt)+) => {
        page!(
            ["with few as materialized (
                select l.id from (" + $matching + ") l where " + $condition + " limit 3001),
              near as materialized (
                select l.key, l.id from (
                  select * from (" + $($all)+ + ") l
                  where " + $position + " is null or (l.key, l.id) " + $beyond + " (" + $position + ", $7)
                  order by l.key " + $direction + ", l.id " + $direction + " limit " + $window + ") l
                where not $9 and (select count(*) from few) > 3000 and " + $condition + " and " + $also + "
                order by l.key " + $direction + ", l.id " + $direction + " limit $8)
              select key, id from near where (select count(*) from near) = $8
              union all
              (select l.key, l.id from (" + $of + " = any (array(
                 select id from few where (select count(*) from few) <= 3000
                 union all
                 select l.id from (" + $matching + ") l
                 where (select count(*) from few) > 3000 and (select count(*) from near) < $8 and " + $condition + "))) l
               where " + $position + " is null or (l.key, l.id) " + $beyond + " (" + $position + ", $7)
               order by l.key " + $direction + ", l.id " + $direction + " limit $8)"],
            $direction,
            $($arguments)+
        )
    };
}

/// As [`unindexed`], of the filter's posts or, with a tag, of those that have it. To look for a tag takes longer.
macro_rules! matching {
    ($condition:tt, $all:tt, $of:tt, $position:tt, $beyond:tt, $direction:tt, $filter:expr, $now:expr, $after:expr) => {
        unindexed!(
            $condition,
            $all,
            "select id, published_at as at, author_id, language from posts where deleted_at is null and published_at is not null",
            $of, "true", "50000", $position, $beyond, $direction, $filter, $now, $after
        )
    };
    ($condition:tt, $all:tt, $of:tt, $position:tt, $beyond:tt, $direction:tt, $filter:expr, $now:expr, $after:expr, $tag:expr) => {
        unindexed!(
            $condition,
            $all,
            "select post_id as id, listed_at as at, author_id, language from post_tags where tag = $10",
            $of, "exists (select from post_tags t where t.post_id = l.id and t.tag = $10)", "10000",
            $position, $beyond, $direction, $filter, $now, $after, $tag
        )
    };
}

/// The posts of a page.
#[rustfmt::skip::macros(filtered)]
pub(super) async fn list(
    connection: &mut Connection,
    filter: &Filter<'_>,
    order: &Order,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<PostRow>> {
    match order {
        Order::Newest(after) => {
            filtered!(list, posts "published_at", "$6::timestamptz", "<", "desc", filter, now, after)
                .fetch_all(connection)
                .await
        }
        Order::Oldest(after) => {
            filtered!(list, posts "published_at", "$6::timestamptz", ">", "asc", filter, now, after)
                .fetch_all(connection)
                .await
        }
        Order::Likes(after) if filter.is_everybodys() => {
            filtered!(list, counts "likes", "$6::integer", "<", "desc", filter, now, after).fetch_all(connection).await
        }
        Order::Likes(after) => {
            filtered!(matching, counts "likes", "select likes as key, post_id as id from post_stats where post_id",
                "$6::integer", "<", "desc", filter, now, after)
            .fetch_all(connection)
            .await
        }
        Order::Comments(after) if filter.is_everybodys() => {
            filtered!(list, counts "comments", "$6::integer", "<", "desc", filter, now, after).fetch_all(connection).await
        }
        Order::Comments(after) => {
            filtered!(matching, counts "comments", "select comments as key, post_id as id from post_stats where post_id",
                "$6::integer", "<", "desc", filter, now, after)
            .fetch_all(connection)
            .await
        }
        Order::Title(after) => {
            filtered!(list, posts r#"coalesce(title_key, title collate "C")"#, "$6::text", ">", "asc", filter, now, after)
                .fetch_all(connection)
                .await
        }
        // Without a search nothing matches.
        Order::Relevance(_) => Ok(Vec::new()),
    }
}

/// The same of those that have `tag`.
#[rustfmt::skip::macros(filtered)]
pub(super) async fn list_tagged(
    connection: &mut Connection,
    tag: &str,
    filter: &Filter<'_>,
    order: &Order,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<PostRow>> {
    match order {
        Order::Newest(after) => {
            filtered!(list, tagged, "$6::timestamptz", "<", "desc", filter, now, after, tag).fetch_all(connection).await
        }
        Order::Oldest(after) => {
            filtered!(list, tagged, "$6::timestamptz", ">", "asc", filter, now, after, tag).fetch_all(connection).await
        }
        Order::Likes(after) => {
            filtered!(matching, counts "likes", "select likes as key, post_id as id from post_stats where post_id",
                "$6::integer", "<", "desc", filter, now, after, tag)
            .fetch_all(connection)
            .await
        }
        Order::Comments(after) => {
            filtered!(matching, counts "comments", "select comments as key, post_id as id from post_stats where post_id",
                "$6::integer", "<", "desc", filter, now, after, tag)
            .fetch_all(connection)
            .await
        }
        Order::Title(after) => {
            filtered!(matching, posts r#"coalesce(title_key, title collate "C")"#,
                r#"select coalesce(title_key, title collate "C") as key, id from posts where id"#,
                "$6::text", ">", "asc", filter, now, after, tag)
            .fetch_all(connection)
            .await
        }
        // Without a search nothing matches.
        Order::Relevance(_) => Ok(Vec::new()),
    }
}
