//! Lists of drafts and of deleted posts, by filter and order. They are few beside all others, but nothing says how few: each
//! order has an index of the drafts and of the deleted posts.

use chrono::{DateTime, Utc};

use super::filter::{Filter, Order};
use super::row::{PostRow, posts};
use crate::db::Connection;
use crate::language::Language;
use crate::posts::model::{CommentsPolicy, PostStatus};

/// One list of the posts `$from`, in one order: by their `key`, then by id, from where it is `$beyond` the row that `$after`
/// names, whose key is `$position`.
macro_rules! list {
    ($filter:expr, $now:expr, $after:expr, $from:tt, $position:tt, $beyond:tt, $direction:tt) => {
        posts!(
            summaries["null::real as rank, null::text as headline
               from (
                 select l.key, l.id from ("
                + $from
                + ") l
                 where ($2::uuid is null or l.author_id = $2)
                   and ($3::text is null or l.language = $3)
                   and ($4::timestamptz is null or l.published_at is not null and l.at >= $4)
                   and ($5::timestamptz is null or l.published_at is not null and l.at < $5)
                   and ($9::text is null or l.tags @> array[$9])
                   and ("
                + $position
                + " is null or (l.key, l.id) "
                + $beyond
                + " ("
                + $position
                + ", $7))
                 order by l.key "
                + $direction
                + ", l.id "
                + $direction
                + " limit $8
               ) page join posts p on p.id = page.id join post_stats s on s.post_id = page.id
                 left join users u on u.id = p.author_id
               order by page.key "
                + $direction
                + ", page.id "
                + $direction],
            $now,
            $filter.author,
            $filter.language.map(Language::as_str),
            $filter.published_after,
            $filter.published_before,
            $after.as_ref().map(|(key, _)| key.clone()),
            $after.as_ref().map(|(_, id)| *id),
            $filter.rows,
            $filter.tag,
            $filter.status.is_none()
        )
    };
}

/// The posts of a page. Those with a tag are sorted, by what is no column of an index: to look for them in the order of the
/// list would be to read all, if none has it.
#[rustfmt::skip::macros(list)]
pub(super) async fn list(
    connection: &mut Connection,
    filter: &Filter<'_>,
    order: &Order,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<PostRow>> {
    match order {
        Order::Newest(after) => {
            list!(filter, now, after,
                "select case when $9::text is null then post_time(published_at, created_at) else post_time(published_at, created_at) + interval '0' end as key,
                   id, author_id, language, published_at, post_time(published_at, created_at) as at, tags from posts
                 where case when $10 then deleted_at is not null else deleted_at is null and published_at is null end",
                "$6::timestamptz", "<", "desc")
            .fetch_all(connection)
            .await
        }
        Order::Oldest(after) => {
            list!(filter, now, after,
                "select case when $9::text is null then post_time(published_at, created_at) else post_time(published_at, created_at) + interval '0' end as key,
                   id, author_id, language, published_at, post_time(published_at, created_at) as at, tags from posts
                 where case when $10 then deleted_at is not null else deleted_at is null and published_at is null end",
                "$6::timestamptz", ">", "asc")
            .fetch_all(connection)
            .await
        }
        Order::Likes(after) => {
            list!(filter, now, after,
                "select case when $9::text is null then s.likes else s.likes + 0 end as key,
                   p.id, p.author_id, p.language, p.published_at, post_time(p.published_at, p.created_at) as at, p.tags
                 from post_stats s join posts p on p.id = s.post_id
                 where s.listed_at is null and s.deleted = $10
                   and ($9::text is null
                     or case when $10 then p.deleted_at is not null else p.deleted_at is null and p.published_at is null end)",
                "$6::integer", "<", "desc")
            .fetch_all(connection)
            .await
        }
        Order::Comments(after) => {
            list!(filter, now, after,
                "select case when $9::text is null then s.comments else s.comments + 0 end as key,
                   p.id, p.author_id, p.language, p.published_at, post_time(p.published_at, p.created_at) as at, p.tags
                 from post_stats s join posts p on p.id = s.post_id
                 where s.listed_at is null and s.deleted = $10
                   and ($9::text is null
                     or case when $10 then p.deleted_at is not null else p.deleted_at is null and p.published_at is null end)",
                "$6::integer", "<", "desc")
            .fetch_all(connection)
            .await
        }
        Order::Title(after) => {
            list!(filter, now, after,
                r#"select case when $9::text is null then coalesce(title_key, title collate "C") else coalesce(title_key, title collate "C") || '' end as key,
                   id, author_id, language, published_at, post_time(published_at, created_at) as at, tags from posts
                 where case when $10 then deleted_at is not null else deleted_at is null and published_at is null end"#,
                "$6::text", ">", "asc")
            .fetch_all(connection)
            .await
        }
        // Without a search nothing matches.
        Order::Relevance(_) => Ok(Vec::new()),
    }
}
