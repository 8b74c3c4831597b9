//! Listing and reading comments, by post and by status.

use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::auth::scope::{COMMENTS_MODERATE, COMMENTS_READ};
use crate::auth::{Anyone, Editor};
use crate::cache::{CachePolicy, Scope};
use crate::comments::model::{Comment, CommentPath, CommentStatus};
use crate::comments::store::{self, CommentRow};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::cursor::Bytes;
use crate::http::extract::Path;
use crate::http::now::Now;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::http::validation::{Validate, Violations};
use crate::identity::Role;
use crate::posts::model::PostPath;
use crate::posts::store as posts;

const THREAD_ORDER: &str = "comments-thread";

/// The comments of a post
///
/// In reading order: each comment is followed by its replies, oldest first. `depth` and `parent_id` give
/// the tree. A page of long comments may have fewer than `limit`.
#[utoipa::path(get, path = "/v1/posts/{post}/comments", tag = "comments",
    params(PostPath, PageQuery),
    security((), ("token" = ["comments:read"])), responses(
    (status = 200, description = "A page of comments", body = Page<Comment>),
    (status = 404, description = "No such post, or not yet for this caller"),
))]
pub async fn list_of_post(
    Anyone(viewer): Anyone<COMMENTS_READ>,
    State(db): State<Db>,
    Now(now): Now,
    Path(PostPath { post }): Path<PostPath>,
    request: PageRequest,
) -> Result<(CachePolicy, Page<Comment>), ApiError> {
    let after: Option<Bytes> = request.after(THREAD_ORDER)?;
    let mut connection = viewer.acquire(&db).await?;
    let reader = store::Reader { user_id: viewer.id(), is_editor: viewer.is(Role::Editor) };
    let after = after.as_ref().map(|Bytes(thread)| thread.as_slice());
    let rows = store::list_of_post(&mut connection, &post, reader, after, request.rows(), now).await?;
    let post_id = match rows.first() {
        Some(comment) => comment.post_id,
        None => {
            posts::find_visible(&mut connection, &post, &viewer, now).await?.ok_or(ApiError::NotFound)?.id
        }
    };
    let key = |row: &CommentRow| URL_SAFE_NO_PAD.encode(&row.thread);
    let mut page: Page<Comment> = request.page_ending(rows, |row| row.more, THREAD_ORDER, key)?;
    page.items = page.items.into_iter().map(|comment| comment.seen_by(&viewer)).collect();
    Ok((CachePolicy::showing(Scope::Resource(post_id)), page))
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
}

impl Validate for ListByStatus {
    fn validate(&self, _violations: &mut Violations) {}
}

/// The moderation queue
///
/// Comments of all posts by status, oldest first.
#[utoipa::path(get, path = "/v1/comments", tag = "comments", params(ListByStatus, PageQuery), security(("token" = ["comments:moderate"])), responses(
    (status = 200, description = "A page of comments", body = Page<Comment>),
    (status = 403, description = "Only for editors"),
))]
pub async fn list_by_status(
    _: Editor<COMMENTS_MODERATE>,
    State(db): State<Db>,
    request: PageRequest<ListByStatus>,
) -> Result<Page<Comment>, ApiError> {
    let status = request.filter.status.unwrap_or(CommentStatus::Pending);
    // The order is named with the status: a cursor of one queue is not one of another.
    let order = format!("comments-{}", status.as_str());
    let filter = store::QueueFilter {
        status,
        post: request.filter.post,
        author: request.filter.author,
        after: request.after(&order)?,
        rows: request.rows(),
    };
    let mut transaction = db.begin_costly().await?;
    let rows = store::list_by_status(&mut transaction, &filter).await?;
    request.page_ending(rows, |row| row.more, &order, CommentRow::id)
}

/// A comment
#[utoipa::path(get, path = "/v1/comments/{id}", tag = "comments", params(CommentPath),
    security((), ("token" = ["comments:read"])), responses(
    (status = 200, description = "The comment", body = Comment),
    (status = 404, description = "No such comment, or not for this caller"),
))]
pub async fn read(
    Anyone(viewer): Anyone<COMMENTS_READ>,
    State(db): State<Db>,
    Now(now): Now,
    Path(CommentPath { id }): Path<CommentPath>,
) -> Result<Tagged<Comment>, ApiError> {
    let (comment, _) = store::find_visible(&mut viewer.acquire(&db).await?, id, &viewer, now)
        .await?
        .ok_or(ApiError::NotFound)?;
    Ok(Tagged(comment))
}
