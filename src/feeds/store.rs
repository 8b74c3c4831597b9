//! All SQL of the feeds and the sitemap: what everybody sees of the posts.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::Entry;
use super::model::sitemap::{MAX_URLS, Month, Url};
use crate::db::Connection;
use crate::identity::UserRef;

#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    pub author: Option<Uuid>,
    pub tag: Option<&'a str>,
}

/// When what everybody sees of the posts last changed: with a change of any post, since it may have been
/// withdrawn, or by the time of a scheduled one.
pub async fn last_change(
    connection: &mut Connection,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select greatest(
           (select max(updated_at) from posts),
           (select published_at from posts
            where post_time(published_at, created_at) <= $1 and published_at is not null
            order by post_time(published_at, created_at) desc limit 1))",
        now
    )
    .fetch_one(connection)
    .await
}

/// The newest 20 posts, newest first; fewer if their texts have more than 2 MiB together.
pub async fn newest(
    connection: &mut Connection,
    filter: Filter<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Entry>> {
    let rows = sqlx::query!(
        r#"select id as "id!", slug as "slug!", title as "title!", summary, tags as "tags!", body_html as "html!",
             author_id, username as "username?", display_name, published_at as "published_at!", updated_at as "updated_at!"
           from (
             select p.*, u.username, u.display_name,
               sum(octet_length(p.body_html)) over (order by p.published_at desc, p.id desc) - octet_length(p.body_html) as before
             from (
               select id, slug, title, summary, tags, body_html, author_id, published_at,
                 greatest(updated_at, published_at) as updated_at
               from posts
               where deleted_at is null and published_at <= $1 and post_time(published_at, created_at) <= $1
                 and ($2::uuid is null or author_id = $2)
                 and ($3::text is null or tags @> array[$3])
               order by post_time(published_at, created_at) desc, id desc limit 20
             ) p left join users u on u.id = p.author_id
           ) newest
           where before < 2 * 1024 * 1024
           order by published_at desc, id desc"#,
        now,
        filter.author,
        filter.tag
    )
    .fetch_all(connection)
    .await?;
    let entries = rows.into_iter().map(|row| Entry {
        id: row.id,
        slug: row.slug,
        title: row.title,
        summary: row.summary,
        tags: row.tags,
        html: row.html,
        author: UserRef::new(row.author_id, row.username, row.display_name),
        published_at: row.published_at,
        updated_at: row.updated_at,
    });
    Ok(entries.collect())
}

/// The posts of one sitemap, newest first: those of `month`, or all; one above the limit tells of more.
pub async fn urls(
    connection: &mut Connection,
    month: Option<Month>,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Url>> {
    let rows = i64::try_from(MAX_URLS).unwrap_or(i64::MAX).saturating_add(1);
    sqlx::query_as!(
        Url,
        r#"select slug, greatest(updated_at, published_at) as "updated_at!" from posts
           where deleted_at is null and published_at <= $1 and post_time(published_at, created_at) <= $1
             and ($2::timestamptz is null or post_time(published_at, created_at) >= $2)
             and ($3::timestamptz is null or post_time(published_at, created_at) < $3)
           order by post_time(published_at, created_at) desc, id desc limit $4"#,
        now,
        month.map(Month::start),
        month.map(Month::end),
        rows
    )
    .fetch_all(connection)
    .await
}

/// The months in which posts were published, newest first: a look into the index for each.
pub async fn months(connection: &mut Connection, now: DateTime<Utc>) -> sqlx::Result<Vec<Month>> {
    let starts = sqlx::query_scalar!(
        r#"with recursive months as (
             select date_trunc('month', $1::timestamptz, 'UTC') + interval '1 month' as start
             union all
             select (
               select date_trunc('month', published_at, 'UTC') from posts
               where deleted_at is null and published_at <= $1 and post_time(published_at, created_at) <= $1
                 and post_time(published_at, created_at) < months.start
               order by post_time(published_at, created_at) desc limit 1
             ) from months where start is not null
           )
           select start as "start!" from months where start <= $1"#,
        now
    )
    .fetch_all(connection)
    .await?;
    Ok(starts.into_iter().map(Month::of).collect())
}
