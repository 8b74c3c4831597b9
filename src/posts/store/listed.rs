//! Lists of posts that have appeared, or that will, by filter and order.
//!
//! What one filter finds is read from an index, in every order; but of a tag by likes, comments or title. What several find
//! is looked for in an index of one of them, which has what the others ask for as well: the planner chooses between one in the
//! order of the list and one of what is rare.

use chrono::{DateTime, Utc};

use super::list::{Filter, Order};
use super::row::{PostRow, posts};
use crate::db::Connection;
use crate::language::Language;
use crate::posts::model::{CommentsPolicy, PostStatus};

/// Gives `$statement` the condition that the filter puts on the posts `l`.
macro_rules! filtered {
    ($statement:ident, $($arguments:tt)+) => {
        $statement!(
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

/// One list of the posts `$from`, in one order: by their `key`, then by id, from where it is `$beyond` the row that `$after`
/// names, whose key is `$position`.
macro_rules! list {
    ($condition:tt, $from:tt, $position:tt, $beyond:tt, $direction:tt, $($arguments:tt)+) => {
        page!(
            ["select l.key, l.id from (" + $from + ") l
              where " + $condition + " and (" + $position + " is null or (l.key, l.id) " + $beyond + " (" + $position + ", $7))
              order by l.key " + $direction + ", l.id " + $direction + " limit $8"],
            $direction,
            $($arguments)+
        )
    };
}

/// The same of the posts that have a tag, of which no index has the order. Those of a common tag are looked for among the next
/// 10,000 of `$all` posts in that order. If these do not fill the page, or the tag is rare, all `$of` the tag's posts are
/// sorted.
macro_rules! tagged_list {
    ($condition:tt, $all:tt, $of:tt, $position:tt, $beyond:tt, $direction:tt, $($arguments:tt)+) => {
        page!(
            ["with near as materialized (
                select l.key, l.id from (
                  select * from (" + $all + ") l
                  where " + $position + " is null or (l.key, l.id) " + $beyond + " (" + $position + ", $7)
                  order by l.key " + $direction + ", l.id " + $direction + " limit 10000) l
                where not $9 and $2::uuid is null and (select posts from tags where name = $10) > 5000
                  and exists (select from post_tags t where t.post_id = l.id and t.tag = $10) and " + $condition + "
                order by l.key " + $direction + ", l.id " + $direction + " limit $8)
              select key, id from near where (select count(*) from near) = $8
              union all
              (select l.key, l.id from (" + $of + " = any (array(
                 select l.post_id from (select *, listed_at as at from post_tags where tag = $10) l
                 where (select count(*) from near) < $8 and " + $condition + "))) l
               where " + $position + " is null or (l.key, l.id) " + $beyond + " (" + $position + ", $7)
               order by l.key " + $direction + ", l.id " + $direction + " limit $8)"],
            $direction,
            $($arguments)+
        )
    };
}

/// The posts of a page. Scheduled ones have few likes and comments: to look for them in that order would be to read all
/// posts, so they are sorted by what is no column of an index.
#[rustfmt::skip::macros(filtered)]
pub(super) async fn list(
    connection: &mut Connection,
    filter: &Filter<'_>,
    order: &Order,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<PostRow>> {
    match order {
        Order::Newest(after) => {
            filtered!(list,
                "select published_at as key, id, published_at as at, author_id, language from posts
                 where deleted_at is null and published_at is not null",
                "$6::timestamptz", "<", "desc", filter, now, after)
            .fetch_all(connection)
            .await
        }
        Order::Oldest(after) => {
            filtered!(list,
                "select published_at as key, id, published_at as at, author_id, language from posts
                 where deleted_at is null and published_at is not null",
                "$6::timestamptz", ">", "asc", filter, now, after)
            .fetch_all(connection)
            .await
        }
        Order::Likes(after) => {
            filtered!(list,
                "select case when $9 then likes + 0 else likes end as key, post_id as id, listed_at as at, author_id, language from post_stats
                 where listed_at is not null",
                "$6::integer", "<", "desc", filter, now, after)
            .fetch_all(connection)
            .await
        }
        Order::Comments(after) => {
            filtered!(list,
                "select case when $9 then comments + 0 else comments end as key, post_id as id, listed_at as at, author_id, language from post_stats
                 where listed_at is not null",
                "$6::integer", "<", "desc", filter, now, after)
            .fetch_all(connection)
            .await
        }
        Order::Title(after) => {
            filtered!(list,
                r#"select coalesce(title_key, title collate "C") as key, id, published_at as at, author_id, language from posts
                   where deleted_at is null and published_at is not null"#,
                "$6::text", ">", "asc", filter, now, after)
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
            filtered!(list,
                "select listed_at as key, post_id as id, listed_at as at, author_id, language from post_tags where tag = $10",
                "$6::timestamptz", "<", "desc", filter, now, after, tag)
            .fetch_all(connection)
            .await
        }
        Order::Oldest(after) => {
            filtered!(list,
                "select listed_at as key, post_id as id, listed_at as at, author_id, language from post_tags where tag = $10",
                "$6::timestamptz", ">", "asc", filter, now, after, tag)
            .fetch_all(connection)
            .await
        }
        Order::Likes(after) => {
            filtered!(tagged_list,
                "select likes as key, post_id as id, listed_at as at, author_id, language from post_stats
                 where listed_at is not null",
                "select likes as key, post_id as id from post_stats where post_id",
                "$6::integer", "<", "desc", filter, now, after, tag)
            .fetch_all(connection)
            .await
        }
        Order::Comments(after) => {
            filtered!(tagged_list,
                "select comments as key, post_id as id, listed_at as at, author_id, language from post_stats
                 where listed_at is not null",
                "select comments as key, post_id as id from post_stats where post_id",
                "$6::integer", "<", "desc", filter, now, after, tag)
            .fetch_all(connection)
            .await
        }
        Order::Title(after) => {
            filtered!(tagged_list,
                r#"select coalesce(title_key, title collate "C") as key, id, published_at as at, author_id, language from posts
                   where deleted_at is null and published_at is not null"#,
                r#"select coalesce(title_key, title collate "C") as key, id from posts where id"#,
                "$6::text", ">", "asc", filter, now, after, tag)
            .fetch_all(connection)
            .await
        }
        // Without a search nothing matches.
        Order::Relevance(_) => Ok(Vec::new()),
    }
}
