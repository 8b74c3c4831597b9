//! Making, changing, moderating and deleting comments.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::{CommentRow, select};
use crate::comments::model::CommentStatus;
use crate::db::{Connection, Outcome};
use crate::jobs::model::Kind;
use crate::markdown::RENDERER_VERSION;
use crate::notifications::model::{Act, Event};
use crate::posts::model::PostRef;

#[derive(Debug)]
pub struct NewComment<'a> {
    pub id: Uuid,
    pub post: &'a PostRef,
    pub author_id: Uuid,
    /// Whether they are an editor, whose comments never wait.
    pub author_is_editor: bool,
    /// Whether they still may write posts: then their comments on their own ones do not wait either.
    pub author_writes: bool,
    pub parent_id: Option<Uuid>,
    pub body: &'a str,
    pub body_html: &'a str,
}

/// Makes a comment; `None` if the post or the site does not take it, or if what it replies to is not there to be
/// replied to. It waits for an editor if the post's policy, or else the site's, says so. Those whom it concerns are told
/// by a job with its id.
pub async fn insert(
    connection: &mut Connection,
    new: &NewComment<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<CommentRow>> {
    select!(
        "with added as (
           insert into comments (id, post_id, author_id, parent_id, thread, body, body_html, status, created_at, updated_at, renderer)
           select $1, p.id, $4, parent.id, coalesce(parent.thread, ''::bytea) || uuid_send($1), $6, $7,
             case when not $9 and not ($10 and p.author_id is not distinct from $4)
                    and comment_waits(coalesce(p.comments_policy, site.comments_policy), $4, $1)
                  then 'pending' else 'approved' end,
             $8, $8, $11
           from posts p cross join site
           left join comments parent
             on parent.post_id = p.id and parent.id = $5 and parent.deleted_at is null and parent.status = 'approved'
                and octet_length(parent.thread) < 128
           where p.id = coalesce($2, (select id from posts where slug = $3)) and p.deleted_at is null
             and p.published_at <= $8 and p.comments_open and site.comments_policy <> 'closed'
             and ($5 is null) = (parent.id is null)
           for key share of p
           returning *),
         -- With it, rather than in a statement and a transaction more.
         queued as (
           insert into jobs (id, kind, payload, due_at, run_at, created_at) select $1, $12, $13, $8, $8, $8 from added) ",
        "false",
        ["added"],
        [""],
        new.id,
        new.post.id(),
        new.post.slug(),
        new.author_id,
        new.parent_id,
        new.body,
        new.body_html,
        now,
        new.author_is_editor,
        new.author_writes,
        RENDERER_VERSION,
        Kind::Notification.as_str(),
        json!(Act { event: Event::Comments { ids: vec![new.id] }, actor: Some(new.author_id) })
    )
    .fetch_optional(connection)
    .await
}

/// What changes in a comment; `None` stays as it is.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    /// The text, in Markdown and as safe HTML.
    pub body: Option<(&'a str, &'a str)>,
    pub status: Option<CommentStatus>,
    /// Whether it is an editor who changes it, whose comments never wait.
    pub by_editor: bool,
    /// Whether it is an author, whose comments on their own posts never wait.
    pub by_author: bool,
}

/// Changes a comment. Refused if it is not there, or in none of the versions `if_match`. Without a decision, an
/// approved comment whose text changes waits again if it would wait as a new one: it does not itself vouch for
/// its author.
pub async fn update(
    connection: &mut Connection,
    id: Uuid,
    changes: &Changes<'_>,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<Outcome> {
    let result = sqlx::query!(
        r#"with old as (
             select id, post_id, author_id, body, status from comments
             where id = $1 and deleted_at is null and ($7::bigint[] is null or version = any($7))
             for no key update),
           new as (
             select old.id, coalesce($2, old.body) as body, case
                 when $4::text is not null then $4
                 when old.status <> 'approved' or $2 is null or $2 = old.body or $6 or ($8 and p.author_id = old.author_id)
                   then old.status
                 when comment_waits(coalesce(p.comments_policy, site.comments_policy), old.author_id, old.id)
                   then 'pending'
                 else old.status end as status
             from old join posts p on p.id = old.post_id cross join site),
           changed as (
             update comments c set
               body = new.body,
               body_html = coalesce($3, c.body_html),
               renderer = case when $2::text is null then c.renderer else $9 end,
               status = new.status,
               version = c.version + 1,
               updated_at = $5
             from old join new on new.id = old.id
             where c.id = new.id and (old.body, old.status) is distinct from (new.body, new.status)
             returning c.id)
           select exists (select from old) as "found!", exists (select from changed) as "changed!""#,
        id,
        changes.body.map(|(markdown, _)| markdown),
        changes.body.map(|(_, html)| html),
        changes.status.map(CommentStatus::as_str),
        now,
        changes.by_editor,
        if_match,
        changes.by_author,
        RENDERER_VERSION
    )
    .fetch_one(connection)
    .await?;
    Ok(Outcome::of(result.found, result.changed))
}

/// A comment that nobody changes until the transaction ends.
#[derive(Clone, Copy, Debug)]
pub struct Locked {
    pub id: Uuid,
    /// Who wrote it, unless they were deleted.
    pub author_id: Option<Uuid>,
    pub status: CommentStatus,
    pub version: i64,
}

/// Locks those of the comments that are there, and then the counts of their posts, each in one order for
/// everyone: two decisions about many comments at once never wait for each other in a circle.
pub async fn lock(connection: &mut Connection, ids: &[Uuid]) -> sqlx::Result<Vec<Locked>> {
    let locked = sqlx::query_as!(
        Locked,
        r#"select c.id, c.author_id, c.status as "status: CommentStatus", c.version from comments c
           where c.id = any($1) and c.deleted_at is null
             and exists (select from posts p where p.id = c.post_id and p.deleted_at is null)
           order by c.id for update"#,
        ids
    )
    .fetch_all(&mut *connection)
    .await?;
    sqlx::query!(
        "select from post_stats where post_id in (select post_id from comments where id = any($1))
         order by post_id for update",
        ids
    )
    .execute(connection)
    .await?;
    Ok(locked)
}

pub async fn decide(
    connection: &mut Connection,
    ids: &[Uuid],
    status: CommentStatus,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update comments set status = $2, version = version + 1, updated_at = $3 where id = any($1)",
        ids,
        status.as_str(),
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Deletes a comment; false if it is not there, or in none of the versions `if_match`. One with replies
/// becomes a tombstone, and tombstones left without replies go too. Wants a transaction: the row locks make
/// replies and other deletions wait.
pub async fn delete(
    connection: &mut Connection,
    id: Uuid,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let locked = sqlx::query!(
        "select parent_id from comments
         where id = $1 and deleted_at is null and ($2::bigint[] is null or version = any($2)) for update",
        id,
        if_match
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(comment) = locked else { return Ok(false) };
    if !delete_without_replies(connection, id).await? {
        sqlx::query!(
            "update comments set body = '', body_html = '', deleted_at = $2, version = version + 1, updated_at = $2
             where id = $1",
            id,
            now
        )
        .execute(connection)
        .await?;
        return Ok(true);
    }
    let mut ancestor = comment.parent_id;
    while let Some(id) = ancestor {
        let tombstone = sqlx::query!(
            "select parent_id from comments where id = $1 and deleted_at is not null for update",
            id
        )
        .fetch_optional(&mut *connection)
        .await?;
        let Some(tombstone) = tombstone else { break };
        if !delete_without_replies(connection, id).await? {
            break;
        }
        ancestor = tombstone.parent_id;
    }
    Ok(true)
}

async fn delete_without_replies(connection: &mut Connection, id: Uuid) -> sqlx::Result<bool> {
    let deleted = sqlx::query!(
        "delete from comments c
         where c.id = $1
           and not exists (select from comments r where r.post_id = c.post_id and r.parent_id = c.id)",
        id
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected() > 0)
}
