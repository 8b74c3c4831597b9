//! Lists of posts, by filter and order: which statements each is read by.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::filter::{After, Filter, Order};
use super::row::{PostRow, posts};
use super::{listed, unlisted};
use crate::db::Connection;
use crate::language::Language;
use crate::posts::model::{CommentsPolicy, PostStatus};

/// The list that is asked for most: everybody's newest posts. It has one plan for all values: by the inner limit, the
/// most that a page has, the planner sees that planning for each `rows` gains nothing, which would take twice as
/// long as the execution.
async fn newest(
    connection: &mut Connection,
    after: After<DateTime<Utc>>,
    rows: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<PostRow>> {
    let (at, id) = after.unwrap_or((now, Uuid::max()));
    posts!(
        summaries[r#"
             null::real as rank, null::text as headline
           from (
             select * from posts
             where deleted_at is null and published_at <= $1
               and (published_at, id) < ($2, $3)
             order by published_at desc, id desc limit 101
           ) p join post_stats s on s.post_id = p.id left join users u on u.id = p.author_id
           order by p.published_at desc, p.id desc limit $4"#],
        now,
        at,
        id,
        rows
    )
    .fetch_all(connection)
    .await
}

pub async fn list(
    connection: &mut Connection,
    filter: &Filter<'_>,
    order: &Order,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<PostRow>> {
    match (filter.status, filter.tag, order) {
        (_, _, Order::Newest(after)) if filter.is_everybodys() => {
            newest(connection, *after, filter.rows, now).await
        }
        (Some(PostStatus::Published | PostStatus::Scheduled), Some(tag), _) => {
            listed::list_tagged(connection, tag, filter, order, now).await
        }
        (Some(PostStatus::Published | PostStatus::Scheduled), None, _) => {
            listed::list(connection, filter, order, now).await
        }
        (Some(PostStatus::Draft) | None, _, _) => unlisted::list(connection, filter, order, now).await,
    }
}
