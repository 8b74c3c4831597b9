//! Listing and reading comments, by post and by status.

use super::{find_post, find_visible};
use axum::extract::{OriginalUri, State};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::auth::{Editor, Viewer};
use crate::cache::{CachePolicy, Scope};
use crate::clock::Clock;
use crate::comments::model::{Comment, CommentStatus};
use crate::comments::store::{self, CommentRow};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::{Path, Query};
use crate::http::pagination::{Limit, Page, PageQuery, decode_cursor};
use crate::http::validation::{Validate, Violations};
use crate::identity::Role;
use crate::posts::model::PostRef;

const THREAD_ORDER: &str = "comments-thread";

/// The comments of a post
///
/// In reading order: each comment is followed by its replies, oldest first. `depth` and `parent_id` give
/// the tree. A page of long comments may have fewer than `limit`.
#[utoipa::path(get, path = "/v1/posts/{post}/comments", tag = "comments",
    params(("post" = String, Path, description = "The post's id or slug"), PageQuery),
    security((), ("token" = [])), responses(
    (status = 200, description = "A page of comments", body = Page<Comment>),
    (status = 404, description = "No such post, or not yet for this caller"),
))]
pub async fn list_of_post(
    viewer: Viewer,
    State(db): State<Db>,
    State(clock): State<Clock>,
    Path(post): Path<PostRef>,
    uri: OriginalUri,
    Query(query): Query<PageQuery>,
) -> Result<(CachePolicy, Page<Comment>), ApiError> {
    let after: Option<String> = decode_cursor(THREAD_ORDER, query.cursor.as_deref())?;
    let after = after.map(|thread| URL_SAFE_NO_PAD.decode(thread).unwrap_or_default());
    let mut connection = viewer.acquire(&db).await?;
    let post = find_post(&mut connection, &post, &viewer, &clock).await?;
    let reader = store::Reader { user_id: viewer.id(), is_editor: viewer.is(Role::Editor) };
    let rows =
        store::list_of_post(&mut connection, post.id, reader, after.as_deref(), query.limit.rows()).await?;
    let key = |row: &CommentRow| URL_SAFE_NO_PAD.encode(&row.thread);
    let mut page: Page<Comment> = Page::ending(rows, query.limit, |row| row.more, THREAD_ORDER, key, &uri)?;
    page.items = page.items.into_iter().map(|comment| comment.seen_by(&viewer)).collect();
    Ok((CachePolicy::showing(Scope::Resource(post.id)), page))
}

/// Which page of the moderation queue.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListByStatus {
    /// Those with this status; `pending` if absent.
    #[param(inline, value_type = Option<CommentStatus>)]
    status: Option<CommentStatus>,
    /// Those on the post with this id.
    post: Option<Uuid>,
    /// Those of the user with this id.
    author: Option<Uuid>,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

impl Validate for ListByStatus {
    fn validate(&self, violations: &mut Violations) {
        violations.check("limit", &self.limit);
    }
}

/// The moderation queue
///
/// Comments of all posts by status, oldest first.
#[utoipa::path(get, path = "/v1/comments", tag = "comments", params(ListByStatus), security(("token" = [])), responses(
    (status = 200, description = "A page of comments", body = Page<Comment>),
    (status = 403, description = "Only for editors"),
))]
pub async fn list_by_status(
    _: Editor,
    State(db): State<Db>,
    uri: OriginalUri,
    Query(query): Query<ListByStatus>,
) -> Result<Page<Comment>, ApiError> {
    let status = query.status.unwrap_or(CommentStatus::Pending);
    // The order is named with the status: a cursor of one queue is not one of another.
    let order = format!("comments-{}", status.as_str());
    let filter = store::QueueFilter {
        status,
        post: query.post,
        author: query.author,
        after: decode_cursor(&order, query.cursor.as_deref())?,
        rows: query.limit.rows(),
    };
    let mut transaction = db.begin_costly().await?;
    let rows = store::list_by_status(&mut transaction, &filter).await?;
    Page::ending(rows, query.limit, |row| row.more, &order, CommentRow::id, &uri)
}

/// A comment
#[utoipa::path(get, path = "/v1/comments/{id}", tag = "comments", params(("id" = Uuid, Path, description = "The comment's id")),
    security((), ("token" = [])), responses(
    (status = 200, description = "The comment", body = Comment),
    (status = 404, description = "No such comment, or not for this caller"),
))]
pub async fn read(
    viewer: Viewer,
    State(db): State<Db>,
    State(clock): State<Clock>,
    Path(id): Path<Uuid>,
) -> Result<Tagged<Comment>, ApiError> {
    let (comment, _) = find_visible(&mut viewer.acquire(&db).await?, id, &viewer, &clock).await?;
    Ok(Tagged(comment))
}
