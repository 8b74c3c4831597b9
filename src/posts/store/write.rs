//! Making and changing posts.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use super::Text;
use crate::db::{Connection, Outcome};
use crate::language::Language;
use crate::markdown::RENDERER_VERSION;
use crate::media::model::Image;
use crate::media::store::{self as media, Place};
use crate::posts::model::{CommentsPolicy, Publication, Slug, title_key};

/// The picture that stands for a post.
#[derive(Clone, Copy, Debug)]
pub struct Cover<'a> {
    /// As it is shown, which nobody deletes until the transaction ends.
    pub image: &'a Image,
    /// What its author has given for its alternative text.
    pub alt: Option<&'a str>,
}

#[derive(Debug)]
pub struct NewPost<'a> {
    pub id: Uuid,
    pub author_id: Uuid,
    pub title: &'a str,
    pub summary: Option<&'a str>,
    pub body: &'a str,
    pub text: &'a Text,
    pub cover: Option<Cover<'a>>,
    /// In lower case, each once.
    pub tags: &'a [String],
    pub comments_open: bool,
    pub language: Language,
    /// Which new comments wait for an editor; the site's policy if `None`.
    pub comments_policy: Option<CommentsPolicy>,
    pub publication: Publication,
}

/// Makes a post and its first revision, and gives its id; `None` if the slug is taken. Wants a transaction.
pub async fn insert(
    connection: &mut Connection,
    slug: &Slug,
    new: &NewPost<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Uuid>> {
    let published_at = match new.publication {
        Publication::Never => None,
        Publication::Now => Some(now),
        Publication::At(at) => Some(at),
    };
    let Text { rendered, media } = new.text;
    let id = sqlx::query_scalar!(
        "insert into posts (id, author_id, slug, title, summary, body, tags, comments_open, published_at,
                            created_at, updated_at, body_html, toc, excerpt, reading_minutes, renderer,
                            language, comments_policy, search_text, title_key, cover, cover_alt)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
         on conflict (slug) do nothing
         returning id",
        new.id,
        new.author_id,
        slug.as_str(),
        new.title,
        new.summary,
        new.body,
        new.tags,
        new.comments_open,
        published_at,
        now,
        rendered.html,
        Json(&rendered.toc) as _,
        rendered.excerpt,
        rendered.reading_minutes,
        RENDERER_VERSION,
        new.language.as_str(),
        new.comments_policy.map(CommentsPolicy::as_str),
        rendered.text,
        title_key(new.title),
        new.cover.map(|cover| Json(cover.image)) as _,
        new.cover.and_then(|cover| cover.alt)
    )
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(id) = id {
        save_revision(connection, id, new.author_id, now).await?;
        if !media.is_empty() {
            media::set_references(connection, id, Place::Text, media).await?;
        }
        if let Some(cover) = new.cover {
            media::set_references(connection, id, Place::Cover, &[cover.image.id]).await?;
        }
    }
    Ok(id)
}

/// What changes in a post; `None` stays as it is, `Some(None)` is taken away.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    pub slug: Option<&'a str>,
    pub title: Option<&'a str>,
    pub summary: Option<Option<&'a str>>,
    /// The text, in Markdown, and what it becomes.
    pub body: Option<(&'a str, &'a Text)>,
    pub cover: Option<Option<Cover<'a>>>,
    /// In lower case, each once.
    pub tags: Option<&'a [String]>,
    pub comments_open: Option<bool>,
    pub language: Option<Language>,
    pub comments_policy: Option<Option<CommentsPolicy>>,
    pub publication: Option<Publication>,
}

/// Changes a post, and saves a revision by `editor_id` if that changes what the post says. Refused if it is not
/// there, or in none of the versions `if_match`. A taken slug violates its unique index. Wants a transaction.
pub async fn update(
    connection: &mut Connection,
    id: Uuid,
    editor_id: Uuid,
    changes: &Changes<'_>,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<Outcome> {
    let (publication, at) = match changes.publication {
        None => ("keep", None),
        Some(Publication::Never) => ("never", None),
        Some(Publication::Now) => ("now", None),
        Some(Publication::At(at)) => ("at", Some(at)),
    };
    let (body, text) = changes.body.unzip();
    let rendered = text.map(|text| &text.rendered);
    let cover = changes.cover.flatten();
    let result = sqlx::query!(
        r#"with old as (
             select id, slug, title, summary, body, tags, comments_open, published_at, planned_at, language, comments_policy, cover, cover_alt
             from posts
             where id = $1 and deleted_at is null and ($21::bigint[] is null or version = any($21))
             for no key update),
           new as (
             select id, coalesce($3, slug) as slug, coalesce($4, title) as title,
               case when $5 then $6 else summary end as summary,
               coalesce($7, body) as body, coalesce($8, tags) as tags,
               coalesce($9, comments_open) as comments_open,
               case $10::text
                 when 'never' then null
                 when 'now' then least(published_at, $2)
                 when 'at' then $11
                 else published_at end as published_at,
               case when $10 = 'keep' then planned_at end as planned_at,
               coalesce($17, language) as language,
               case when $18 then $19 else comments_policy end as comments_policy,
               case when $23 then $24 else cover end as cover,
               case when $23 then $25 else cover_alt end as cover_alt
             from old),
           changed as (
             update posts p set
               slug = new.slug, title = new.title, summary = new.summary, body = new.body, tags = new.tags,
               comments_open = new.comments_open, published_at = new.published_at,
               planned_at = new.planned_at, language = new.language,
               comments_policy = new.comments_policy,
               cover = new.cover, cover_alt = new.cover_alt,
               body_html = coalesce($12, p.body_html),
               toc = coalesce($13, p.toc),
               excerpt = coalesce($14, p.excerpt),
               reading_minutes = coalesce($15, p.reading_minutes),
               renderer = case when $7::text is null then p.renderer else $16 end,
               search_text = coalesce($20, p.search_text),
               title_key = coalesce($22, p.title_key),
               version = p.version + 1,
               updated_at = $2
             from old join new on new.id = old.id
             where p.id = new.id and old is distinct from new
             returning p.id)
           select exists (select from old) as "found!", exists (select from changed) as "changed!""#,
        id,
        now,
        changes.slug,
        changes.title,
        changes.summary.is_some(),
        changes.summary.flatten(),
        body,
        changes.tags,
        changes.comments_open,
        publication,
        at,
        rendered.map(|rendered| rendered.html.as_str()),
        rendered.map(|rendered| Json(&rendered.toc)) as _,
        rendered.map(|rendered| rendered.excerpt.as_str()),
        rendered.map(|rendered| rendered.reading_minutes),
        RENDERER_VERSION,
        changes.language.map(Language::as_str),
        changes.comments_policy.is_some(),
        changes.comments_policy.flatten().map(CommentsPolicy::as_str),
        rendered.map(|rendered| rendered.text.as_str()),
        if_match,
        changes.title.map(title_key),
        changes.cover.is_some(),
        cover.map(|cover| Json(cover.image)) as _,
        cover.and_then(|cover| cover.alt)
    )
    .fetch_one(&mut *connection)
    .await?;
    if result.changed {
        save_revision(connection, id, editor_id, now).await?;
        if let Some(text) = text {
            media::set_references(connection, id, Place::Text, &text.media).await?;
        }
        if changes.cover.is_some() {
            media::set_references(connection, id, Place::Cover, cover.map(|cover| cover.image.id).as_slice())
                .await?;
        }
    }
    Ok(Outcome::of(result.found, result.changed))
}

/// Saves what the post says as a revision, unless its last one says the same.
async fn save_revision(
    connection: &mut Connection,
    id: Uuid,
    editor_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into post_revisions (post_id, number, editor_id, title, summary, body, tags, created_at)
         select p.id, p.version, $2, p.title, p.summary, p.body, p.tags, $3
         from posts p left join lateral (
           select title, summary, body, tags from post_revisions
           where post_id = p.id order by number desc limit 1
         ) last on true
         where p.id = $1
           and (p.title, p.summary, p.body, p.tags) is distinct from (last.title, last.summary, last.body, last.tags)",
        id,
        editor_id,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}
