//! The tags of published posts.

use chrono::{DateTime, Utc};

use crate::db::Connection;
use crate::posts::model::TagCount;

#[derive(Debug)]
pub struct TagFilter<'a> {
    /// Those that begin with this, in lower case.
    pub prefix: &'a str,
    pub rows: i64,
}

/// The order of a list of tags, and the last row that was seen.
#[derive(Debug)]
pub enum TagOrder {
    Name(Option<String>),
    Posts(Option<(i32, String)>),
}

/// One list in one order: by `$key`, from where `$stored` says and, for a tag that is counted, `$counted`.
///
/// `tags.posts` counts scheduled posts too. The tags that have some are few and counted here; all others come
/// from the index.
macro_rules! tags {
    ($filter:expr, $now:expr, $key:tt, $stored:tt, $counted:tt, $($after:expr),+ $(,)?) => {
        sqlx::query_as!(
            TagCount,
            r#"with scheduled as materialized (
                 select tag, count(*)::integer as posts from posts p cross join unnest(p.tags) as tag
                 where p.deleted_at is null and p.published_at is not null
                   and post_time(p.published_at, p.created_at) > $1
                 group by tag
               )
               select name as "name!", posts as "posts!" from (
                 (select t.name, t.posts from tags t
                  where t.posts > 0 and t.name collate "C" >= $2 and t.name collate "C" < $2 || U&'\+10FFFF'
                    and not exists (select from scheduled s where s.tag = t.name) and "# + $stored + "
                  order by " + $key + " limit $3)
                 union all
                 (select t.name, t.posts - s.posts from scheduled s join tags t on t.name = s.tag
                  where t.posts > s.posts and starts_with(t.name, $2) and " + $counted + ")
               ) t
               order by " + $key + " limit $3",
            $now,
            $filter.prefix,
            $filter.rows,
            $($after),+
        )
    };
}

#[rustfmt::skip::macros(tags)]
pub async fn list_tags(
    connection: &mut Connection,
    filter: &TagFilter<'_>,
    order: &TagOrder,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<TagCount>> {
    match order {
        TagOrder::Name(after) => {
            tags!(filter, now, r#"t.name collate "C""#,
                r#"t.name collate "C" > coalesce($4, '')"#,
                r#"t.name collate "C" > coalesce($4, '')"#, after.as_deref())
            .fetch_all(connection)
            .await
        }
        TagOrder::Posts(after) => {
            let (posts, name) = after.as_ref().map(|(posts, name)| (*posts, name.as_str())).unzip();
            tags!(filter, now, r#"-t.posts, t.name collate "C""#,
                r#"(-t.posts, t.name collate "C") > (coalesce(-$4::integer, -2147483647), coalesce($5, ''))"#,
                r#"(s.posts - t.posts, t.name collate "C") > (coalesce(-$4, -2147483647), coalesce($5, ''))"#, posts, name)
            .fetch_all(connection)
            .await
        }
    }
}
