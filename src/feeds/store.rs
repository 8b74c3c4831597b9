//! All SQL of the feeds and the sitemap: what everybody sees of the posts.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::model::Entry;
use super::model::sitemap::{MAX_URLS, Month, MonthPosts, Url};
use crate::db::Connection;
use crate::identity::UserRef;
use crate::media::model::Image;

#[derive(Clone, Copy, Debug)]
pub struct Filter<'a> {
    pub author: Option<Uuid>,
    pub tag: Option<&'a str>,
}

/// What a document was made of when it was last asked for.
#[derive(Debug)]
pub struct Seen {
    /// A hash of it.
    pub digest: String,
    /// Since when.
    pub changed_at: DateTime<Utc>,
}

pub async fn seen(connection: &mut Connection, name: &str) -> sqlx::Result<Option<Seen>> {
    sqlx::query_as!(Seen, "select digest, changed_at from feed_versions where name = $1", name)
        .fetch_optional(connection)
        .await
}

/// Keeps what a document is made of now, and gives the time since when. At first that is the time of the `newest`
/// in it. A change is not before `earliest`, and in a second after that of the one before: HTTP dates tell nothing
/// finer apart.
pub async fn record(
    connection: &mut Connection,
    name: &str,
    digest: &str,
    newest: DateTime<Utc>,
    earliest: DateTime<Utc>,
) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!(
        "insert into feed_versions as known (name, digest, changed_at) values ($1, $2, $3)
         on conflict (name) do update set
           digest = excluded.digest,
           changed_at = case when known.digest = excluded.digest then known.changed_at else
             greatest($3, $4, date_trunc('second', known.changed_at) + interval '1 second') end
         returning changed_at",
        name,
        digest,
        newest,
        earliest
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
        r#"select id as "id!", slug as "slug!", title as "title!", summary, tags as "tags!", body_html as "html!", cover as "cover: Json<Image>",
             author_id, username as "username?", display_name, published_at as "published_at!", updated_at as "updated_at!"
           from (
             select p.*, u.username, u.display_name,
               sum(octet_length(p.body_html)) over (order by p.published_at desc, p.id desc) - octet_length(p.body_html) as before
             from (
               select id, slug, title, summary, tags, body_html, cover, author_id, published_at,
                 greatest(updated_at, published_at) as updated_at
               from posts where id = any (array(
                 (select id from posts
                  where $3::text is null and deleted_at is null and published_at <= $1
                    and ($2::uuid is null or author_id = $2)
                  order by published_at desc, id desc limit 20)
                 union all
                 (select post_id from post_tags
                  where tag = $3 and listed_at <= $1 and ($2::uuid is null or author_id = $2)
                  order by listed_at desc, post_id desc limit 20)))
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
        cover: row.cover.map(|cover| cover.0),
        author: UserRef::new(row.author_id, row.username, row.display_name).shown_name(),
        published_at: row.published_at,
        updated_at: row.updated_at,
    });
    Ok(entries.collect())
}

/// Where a page of the sitemap begins and ends. The pages of all posts and of a month are counted from 1.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    pub month: Option<Month>,
    pub page: u32,
}

/// The posts of one page of the sitemap, newest first.
pub async fn urls(
    connection: &mut Connection,
    Range { month, page }: Range,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Url>> {
    let max_urls = i64::try_from(MAX_URLS).unwrap_or(i64::MAX);
    let before = i64::from(page.saturating_sub(1)) * max_urls;
    // All of it is in one index, also what is passed over. In arrays, since to receive each row takes longer than to read it.
    let urls = sqlx::query!(
        r#"with first as (
             select published_at, id from posts
             where deleted_at is null and published_at <= $1 and ($3::timestamptz is null or published_at < $3)
             order by published_at desc, id desc offset $4 limit 1)
           select coalesce(array_agg(slug), '{}') as "slugs!", coalesce(array_agg(updated_at), '{}') as "times!"
           from (
             select slug, greatest(updated_at, published_at) as updated_at from posts
             where deleted_at is null and published_at <= $1
               and ($2::timestamptz is null or published_at >= $2)
               and (published_at, id) <= ((select published_at from first), (select id from first))
             order by published_at desc, id desc limit $5) url"#,
        now,
        month.map(Month::start),
        month.map(Month::end),
        before,
        max_urls
    )
    .fetch_one(connection)
    .await?;
    Ok(urls.slugs.into_iter().zip(urls.times).map(|(slug, updated_at)| Url { slug, updated_at }).collect())
}

/// The months in which posts were published, newest first, and how many. `post_months.posts` counts scheduled posts too,
/// which are counted here, in an index alone.
pub async fn months(connection: &mut Connection, now: DateTime<Utc>) -> sqlx::Result<Vec<MonthPosts>> {
    let rows = sqlx::query!(
        r#"select m.start, m.posts - coalesce(s.posts, 0) as "posts!"
           from post_months m left join (
             select date_trunc('month', published_at, 'UTC') as start, count(*) as posts from posts
             where deleted_at is null and published_at > $1 group by 1) s on s.start = m.start
           where m.posts > coalesce(s.posts, 0) order by m.start desc"#,
        now
    )
    .fetch_all(connection)
    .await?;
    let months = rows.into_iter().map(|row| MonthPosts {
        month: Month::of(row.start),
        posts: usize::try_from(row.posts).unwrap_or_default(),
    });
    Ok(months.collect())
}

/// When the newest post was published.
pub async fn last_publication(
    connection: &mut Connection,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<DateTime<Utc>>> {
    sqlx::query_scalar!(
        "select max(published_at) from posts where deleted_at is null and published_at <= $1",
        now
    )
    .fetch_one(connection)
    .await
}
