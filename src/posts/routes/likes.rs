//! Liking posts.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};

use crate::auth::{Member, User, Viewer};
use crate::cache::{Invalidates, Scope};
use crate::clock::Clock;
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::http::extract::Path;
use crate::posts::model::{PostHead, PostRef};
use crate::posts::store;

/// Like a post
///
/// Liking it again changes nothing.
#[utoipa::path(put, path = "/v1/posts/{post}/like", tag = "posts", params(("post" = String, Path, description = "The post's id or slug")),
    security(("token" = [])), responses(
    (status = 204, description = "The caller likes the post"),
    (status = 404, description = "No such post, or not yet for this caller"),
    (status = 409, description = "The post is not published"),
))]
pub async fn like(
    Member(user): Member,
    State(db): State<Db>,
    State(clock): State<Clock>,
    Path(post): Path<PostRef>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let now = clock.now();
    let mut connection = db.acquire().await?;
    let post = find_visible(&mut connection, user, &post, now).await?;
    if store::like(&mut connection, post.id, user.id, now).await? {
        Ok((StatusCode::NO_CONTENT, Invalidates(Scope::Resource(post.id))))
    } else {
        Err(ApiError::conflict("post", "not_published", "is not published: nobody can like it yet"))
    }
}

/// Like a post no more
///
/// Also if the caller did not.
#[utoipa::path(delete, path = "/v1/posts/{post}/like", tag = "posts", params(("post" = String, Path, description = "The post's id or slug")),
    security(("token" = [])), responses(
    (status = 204, description = "The caller does not like the post"),
    (status = 404, description = "No such post, or not yet for this caller"),
))]
pub async fn unlike(
    Member(user): Member,
    State(db): State<Db>,
    State(clock): State<Clock>,
    Path(post): Path<PostRef>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let mut connection = db.acquire().await?;
    let post = find_visible(&mut connection, user, &post, clock.now()).await?;
    store::unlike(&mut connection, post.id, user.id).await?;
    Ok((StatusCode::NO_CONTENT, Invalidates(Scope::Resource(post.id))))
}

async fn find_visible(
    connection: &mut Connection,
    user: User,
    post: &PostRef,
    now: DateTime<Utc>,
) -> Result<PostHead, ApiError> {
    let post = store::head(connection, post, now).await?;
    post.filter(|post| post.is_visible_to(&Viewer(Some(user)))).ok_or(ApiError::NotFound)
}
