//! All SQL about comments: reading them here, changes in their file.

pub mod export;
mod rendering;
mod write;

pub use rendering::*;
pub use write::*;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::model::{Comment, CommentStatus};
use crate::auth::Viewer;
use crate::db::Connection;
use crate::identity::UserRef;
use crate::posts::model::{PostHead, PostRef};
use crate::posts::store as posts;

#[derive(Debug)]
pub struct CommentRow {
    id: Uuid,
    pub post_id: Uuid,
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
    /// Whether another row follows in the list.
    pub more: bool,
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
            author: Some(UserRef::new(row.author_id, row.author_username, row.author_display_name)),
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

/// How many bytes of texts a page has before it ends early: another comment may bring it above that.
const MAX_PAGE_BYTES: i64 = 1024 * 1024;

/// The comments `c` of `$from`, after `$with`, and by `$more` whether others follow.
macro_rules! select {
    ($with:tt, $more:tt, [$($from:tt)+], [$($tail:tt)+], $($argument:expr),*) => {
        sqlx::query_as!(
            CommentRow,
            $with + r#"select c.id, c.post_id, c.parent_id, c.thread, octet_length(c.thread) / 16 - 1 as "depth!",
                 c.author_id, u.username as "author_username?", u.display_name as author_display_name,
                 c.body, c.body_html, c.status as "status: CommentStatus", c.deleted_at is not null as "removed!",
                 c.version, c.created_at, c.updated_at, "# + $more + r#" as "more!"
               from "# + $($from)+ + " c left join users u on u.id = c.author_id " + $($tail)+,
            $($argument),*
        )
    };
}
pub(super) use select;

/// A page of comments in the order of `$key`, as [`select`]: of the rows that `$condition` finds, which are
/// limited by `$rows`, those before which there are fewer than `$bytes` bytes of texts.
macro_rules! page {
    ($with:tt, $key:tt, $condition:tt, $rows:tt, $bytes:tt, $($argument:expr),*) => {
        select!(
            $with,
            "c.more",
            ["(select *, lead(id) over (order by key) is not null as more, sum(bytes) over (order by key) - bytes as bytes_before
              from (select c.*, " + $key + " as key, octet_length(c.body) + octet_length(c.body_html) as bytes
                    from comments c where " + $condition + " order by " + $key + " limit " + $rows + ") found)"],
            ["where c.bytes_before < " + $bytes + " order by c.key"],
            $($argument),*
        )
    };
}

#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// Whose own comments are shown whatever their status.
    pub user_id: Option<Uuid>,
    pub is_editor: bool,
}

/// The comments of a post, depth first, after the one at `after`: those that the reader may read, and those with
/// something to be read below them, whose threads begin with theirs. There are none of a post that the reader may not
/// know of.
pub async fn list_of_post(
    connection: &mut Connection,
    post: &PostRef,
    reader: Reader,
    after: Option<&[u8]>,
    rows: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<CommentRow>> {
    page!(
        "with post as (
           select id from posts
           where id = coalesce($1, (select id from posts where slug = $2)) and deleted_at is null
             and (published_at <= $3 or $4 or author_id = $5)) ",
        "c.thread",
        "c.post_id = (select id from post) and c.thread > coalesce($6, ''::bytea)
           and ((c.deleted_at is null and (c.status = 'approved' or $4 or c.author_id = $5))
             or exists (
               select from comments reply
               where reply.post_id = c.post_id
                 and reply.thread > c.thread and reply.thread < c.thread || decode(repeat('ff', 17), 'hex')
                 and reply.deleted_at is null and (reply.status = 'approved' or $4 or reply.author_id = $5)))",
        "$7",
        "$8",
        post.id(),
        post.slug(),
        now,
        reader.is_editor,
        reader.user_id,
        after,
        rows,
        MAX_PAGE_BYTES
    )
    .fetch_all(connection)
    .await
}

#[derive(Debug)]
pub struct QueueFilter {
    pub status: CommentStatus,
    pub post: Option<Uuid>,
    pub author: Option<Uuid>,
    pub after: Option<Uuid>,
    pub rows: i64,
}

/// Comments of every post that is there, oldest first.
pub async fn list_by_status(
    connection: &mut Connection,
    filter: &QueueFilter,
) -> sqlx::Result<Vec<CommentRow>> {
    page!(
        "",
        "c.id",
        "c.status = $1 and c.deleted_at is null and c.id > $2
           and ($3::uuid is null or c.post_id = $3)
           and ($4::uuid is null or c.author_id = $4)
           and exists (select from posts p where p.id = c.post_id and p.deleted_at is null)",
        "$5",
        "$6",
        filter.status.as_str(),
        filter.after.unwrap_or(Uuid::nil()),
        filter.post,
        filter.author,
        filter.rows,
        MAX_PAGE_BYTES
    )
    .fetch_all(connection)
    .await
}

/// The comment, unless it or its post was deleted.
pub async fn find(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<CommentRow>> {
    select!(
        "",
        "false",
        ["comments"],
        ["where c.id = $1 and c.deleted_at is null
           and exists (select from posts p where p.id = c.post_id and p.deleted_at is null)"],
        id
    )
    .fetch_optional(connection)
    .await
}

pub async fn find_visible(
    connection: &mut Connection,
    id: Uuid,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<(Comment, PostHead)>> {
    let comment = find(connection, id).await?.map(Comment::from);
    let Some(comment) = comment.filter(|comment| comment.is_visible_to(viewer)) else { return Ok(None) };
    let post = posts::find_visible(connection, &PostRef::Id(comment.post_id), viewer, now).await?;
    Ok(post.map(|post| (comment, post)))
}
