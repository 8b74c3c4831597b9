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

/// The tags whose names begin with the filter's prefix, by name after `after`.
///
/// `tags.posts` counts scheduled posts too, which are taken off here, from an index, for each tag of the page.
async fn by_name(
    connection: &mut Connection,
    filter: &TagFilter<'_>,
    after: Option<&str>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<TagCount>> {
    sqlx::query_as!(
        TagCount,
        r#"select name as "name!", posts as "posts!" from (
             select t.name, t.posts - (select count(*)::integer from post_tags p where p.tag = t.name and p.listed_at > $1) as posts
             from tags t
             where t.posts > 0 and t.name collate "C" >= $2 and t.name collate "C" < $2 || U&'\+10FFFF'
               and t.name collate "C" > coalesce($4, '')
             order by t.name collate "C" offset 0
           ) t
           where posts > 0 order by name collate "C" limit $3"#,
        now,
        filter.prefix,
        filter.rows,
        after
    )
    .fetch_all(connection)
    .await
}

/// The same, those with most posts first. Here the tags that scheduled posts have are counted before, and are then no
/// part of what comes from the index.
async fn by_posts(
    connection: &mut Connection,
    filter: &TagFilter<'_>,
    after: Option<&(i32, String)>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<TagCount>> {
    let (posts, name) = after.map(|(posts, name)| (*posts, name.as_str())).unzip();
    sqlx::query_as!(
        TagCount,
        r#"with scheduled as materialized (
             select tag, count(*)::integer as posts from post_tags where listed_at > $1 group by tag
           )
           select name as "name!", posts as "posts!" from (
             (select t.name, t.posts from tags t
              where t.posts > 0 and t.name collate "C" >= $2 and t.name collate "C" < $2 || U&'\+10FFFF'
                and not exists (select from scheduled s where s.tag = t.name)
                and (-t.posts, t.name collate "C") > (coalesce(-$4::integer, -2147483647), coalesce($5, ''))
              order by -t.posts, t.name collate "C" limit $3)
             union all
             (select t.name, t.posts - s.posts from scheduled s join tags t on t.name = s.tag
              where t.posts > s.posts and starts_with(t.name, $2)
                and (s.posts - t.posts, t.name collate "C") > (coalesce(-$4, -2147483647), coalesce($5, '')))
           ) t
           order by -posts, name collate "C" limit $3"#,
        now,
        filter.prefix,
        filter.rows,
        posts,
        name
    )
    .fetch_all(connection)
    .await
}

pub async fn list_tags(
    connection: &mut Connection,
    filter: &TagFilter<'_>,
    order: &TagOrder,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<TagCount>> {
    match order {
        TagOrder::Name(after) => by_name(connection, filter, after.as_deref(), now).await,
        TagOrder::Posts(after) => by_posts(connection, filter, after.as_ref(), now).await,
    }
}
