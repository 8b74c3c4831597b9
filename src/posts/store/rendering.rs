//! What is made of posts' texts: with what is known of their pictures, and anew where an earlier version made it.

use std::collections::HashSet;

use sqlx::types::Json;
use uuid::Uuid;

use crate::db::Connection;
use crate::markdown::{RENDERER_VERSION, Rendered};
use crate::media::store::{self as media, Place};
use crate::posts::model::title_key;

/// A text as it is shown, and what it shows or links to of the site's media.
#[derive(Debug)]
pub struct Text {
    pub rendered: Rendered,
    pub media: Vec<Uuid>,
}

/// A text with what is known of its pictures. Of several uploads of the same one that of `author_id`. Wants the transaction that
/// writes it.
pub async fn with_media(
    connection: &mut Connection,
    mut rendered: Rendered,
    markdown: &str,
    author_id: Option<Uuid>,
) -> sqlx::Result<Text> {
    let names: HashSet<_> = rendered.files.iter().map(|file| file.name.clone()).collect();
    let known = media::of_objects(connection, &Vec::from_iter(names), author_id).await?;
    let media = known.values().map(|(id, _)| *id).collect();
    if !known.is_empty() {
        let pictures = known.into_iter().filter_map(|(name, (_, picture))| Some((name, picture?))).collect();
        rendered.describe(markdown, &pictures);
    }
    Ok(Text { rendered, media })
}

/// Has these posts rendered anew.
pub async fn make_stale(connection: &mut Connection, ids: &[Uuid]) -> sqlx::Result<()> {
    sqlx::query!("update posts set renderer = 0 where id = any($1)", ids).execute(connection).await?;
    Ok(())
}

/// Gives the covers of these posts, where their authors have given them none, another alternative text.
pub async fn describe_covers(
    connection: &mut Connection,
    ids: &[Uuid],
    media_id: Uuid,
    alt: Option<&str>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update posts set cover = jsonb_set(cover, '{alt}', coalesce(to_jsonb($3::text), 'null'))
         where id = any($1) and cover ->> 'id' = $2 and cover_alt is null",
        ids,
        media_id.to_string(),
        alt
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A post whose text was rendered by an earlier version.
#[derive(Debug)]
pub struct StaleRendering {
    pub id: Uuid,
    /// The version of the post that has this text.
    pub version: i64,
    pub author_id: Option<Uuid>,
    pub title: String,
    pub tags: Vec<String>,
    pub body: String,
}

/// What becomes of it.
#[derive(Debug)]
pub struct NewRendering<'a> {
    pub text: &'a Text,
    /// The title in the form in which titles are stored now.
    pub title: &'a str,
    /// The tags in the form in which tags are stored now.
    pub tags: &'a [String],
}

/// Some of the posts that an earlier version rendered, deleted ones too, by id: those after `after`.
pub async fn stale_renderings(
    connection: &mut Connection,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<StaleRendering>> {
    sqlx::query_as!(
        StaleRendering,
        "select id, version, author_id, title, tags, body from posts where renderer < $1 and id > $2 order by id limit $3",
        RENDERER_VERSION,
        after,
        limit
    )
    .fetch_all(connection)
    .await
}

/// Stores a rendering; false if the post has changed since it was read. Version and times of the post stay. Wants a transaction.
pub async fn set_rendering(
    connection: &mut Connection,
    id: Uuid,
    version: i64,
    new: &NewRendering<'_>,
) -> sqlx::Result<bool> {
    let NewRendering { text: Text { rendered, media }, title, tags } = new;
    let updated = sqlx::query!(
        "update posts set body_html = $3, toc = $4, excerpt = $5, reading_minutes = $6, renderer = $7,
           search_text = $8, title = $9, title_key = $10, tags = $11
         where id = $1 and version = $2 and renderer < $7",
        id,
        version,
        rendered.html,
        Json(&rendered.toc) as _,
        rendered.excerpt,
        rendered.reading_minutes,
        RENDERER_VERSION,
        rendered.text,
        title,
        title_key(title),
        tags
    )
    .execute(&mut *connection)
    .await?;
    let is_set = updated.rows_affected() > 0;
    if is_set {
        media::set_references(connection, id, Place::Text, media).await?;
    }
    Ok(is_set)
}
