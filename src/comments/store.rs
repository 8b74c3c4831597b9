//! All SQL about comments.

use crate::db::Connection;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::{Comment, CommentStatus};
use crate::users::model::Byline;

/// A comment and its place in its post's threads.
#[derive(Debug)]
pub struct CommentRow {
    id: Uuid,
    post_id: Uuid,
    parent_id: Option<Uuid>,
    /// Sorts depth first; the key of a post's comments.
    pub thread: Vec<u8>,
    depth: i32,
    author_id: Option<Uuid>,
    author_username: Option<String>,
    author_display_name: Option<String>,
    body: String,
    body_html: String,
    status: CommentStatus,
    removed: bool,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl CommentRow {
    /// The key of the moderation queue.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.id
    }
}

impl From<CommentRow> for Comment {
    fn from(row: CommentRow) -> Self {
        Self {
            id: row.id,
            post_id: row.post_id,
            parent_id: row.parent_id,
            depth: row.depth,
            author: Some(Byline::new(row.author_id, row.author_username, row.author_display_name)),
            body: row.body,
            body_html: row.body_html,
            status: row.status,
            removed: row.removed,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The comments that `$tail` selects.
macro_rules! select {
    ($tail:tt, $($argument:expr),*) => {
        sqlx::query_as!(
            CommentRow,
            r#"select c.id, c.post_id, c.parent_id, c.thread, octet_length(c.thread) / 16 - 1 as "depth!",
                 c.author_id, u.username as "author_username?", u.display_name as author_display_name,
                 c.body, c.body_html, c.status as "status: CommentStatus", c.deleted_at is not null as "removed!",
                 c.version, c.created_at, c.updated_at
               from comments c left join users u on u.id = c.author_id "# + $tail,
            $($argument),*
        )
    };
}

/// Who reads a list.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// Whose own comments are shown whatever their status.
    pub user_id: Option<Uuid>,
    /// Whether all are shown.
    pub is_editor: bool,
}

/// The comments of a post, depth first, after the one at `after`. What the reader may not read is there only
/// if it has replies.
pub async fn list_of_post(
    connection: &mut Connection,
    post_id: Uuid,
    reader: Reader,
    after: Option<&[u8]>,
    rows: i64,
) -> sqlx::Result<Vec<CommentRow>> {
    select!(
        "where c.post_id = $1
           and (c.status = 'approved' or $2 or c.author_id = $3
                or exists (select from comments r where r.post_id = c.post_id and r.parent_id = c.id))
           and c.thread > coalesce($4, ''::bytea)
         order by c.thread limit $5",
        post_id,
        reader.is_editor,
        reader.user_id,
        after,
        rows
    )
    .fetch_all(connection)
    .await
}

/// The comments of every post with `status`, oldest first, after the one with id `after`.
pub async fn list_by_status(
    connection: &mut Connection,
    status: CommentStatus,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<CommentRow>> {
    select!(
        "where c.status = $1 and c.deleted_at is null and c.id > coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid)
         order by c.id limit $3",
        status.as_str(),
        after,
        rows
    )
    .fetch_all(connection)
    .await
}

/// The comment, unless it or its post was deleted.
pub async fn find(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<CommentRow>> {
    select!(
        "where c.id = $1 and c.deleted_at is null
           and exists (select from posts p where p.id = c.post_id and p.deleted_at is null)",
        id
    )
    .fetch_optional(connection)
    .await
}

/// A comment to be made.
#[derive(Debug)]
pub struct NewComment<'a> {
    /// The post it is on.
    pub post_id: Uuid,
    /// Who writes it.
    pub author_id: Uuid,
    /// The comment it replies to.
    pub parent_id: Option<Uuid>,
    /// The text, in Markdown.
    pub body: &'a str,
    /// The text, as safe HTML.
    pub body_html: &'a str,
}

/// Makes a comment and gives its id; `None` if the post does not take it, or if what it replies to is not
/// there to be replied to.
pub async fn insert(
    connection: &mut Connection,
    new: &NewComment<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        r#"insert into comments (id, post_id, author_id, parent_id, thread, body, body_html, status, created_at, updated_at)
           select $1, p.id, $3, parent.id, coalesce(parent.thread, ''::bytea) || uuid_send($1), $5, $6, 'approved', $7, $7
           from posts p
           left join comments parent
             on parent.post_id = p.id and parent.id = $4 and parent.deleted_at is null and parent.status = 'approved'
                and octet_length(parent.thread) < 128
           where p.id = $2 and p.deleted_at is null and p.published_at <= $7 and p.comments_open
             and ($4 is null) = (parent.id is null)
           for key share of p
           returning id"#,
        Uuid::now_v7(),
        new.post_id,
        new.author_id,
        new.parent_id,
        new.body,
        new.body_html,
        now
    )
    .fetch_optional(connection)
    .await
}

/// What changes in a comment; `None` stays as it is.
#[derive(Debug, Default)]
pub struct Changes<'a> {
    /// The text, in Markdown and as safe HTML.
    pub body: Option<(&'a str, &'a str)>,
    /// What moderation has decided.
    pub status: Option<CommentStatus>,
}

/// Changes a comment; false if it is not there, or in none of the versions `if_match`.
pub async fn update(
    connection: &mut Connection,
    id: Uuid,
    changes: &Changes<'_>,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "update comments set
           body = coalesce($2, body),
           body_html = coalesce($3, body_html),
           status = coalesce($4, status),
           version = version + 1,
           updated_at = $5
         where id = $1 and deleted_at is null and ($6::bigint[] is null or version = any($6))",
        id,
        changes.body.map(|(markdown, _)| markdown),
        changes.body.map(|(_, html)| html),
        changes.status.map(CommentStatus::as_str),
        now,
        if_match
    )
    .execute(connection)
    .await?;
    Ok(updated.rows_affected() > 0)
}

/// Deletes a comment; false if it is not there, or in none of the versions `if_match`. One with replies becomes a tombstone, and tombstones left
/// without replies go too. Wants a transaction: the row locks make replies and other deletions wait.
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
