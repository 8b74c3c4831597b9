//! Muting posts.

use axum::extract::State;
use axum::http::StatusCode;

use crate::auth::SignedIn;
use crate::auth::scope::NOTIFICATIONS_WRITE;
use crate::cache::{Invalidates, Scope};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::extract::Path;
use crate::http::now::Now;
use crate::posts::model::PostPath;
use crate::posts::store;

/// Mute a post
///
/// The caller is told nothing more of it, neither in `/v1/notifications` nor by mail. Muting it again changes nothing.
#[utoipa::path(put, path = "/v1/posts/{post}/mute", tag = "notifications", params(PostPath),
    security(("token" = ["notifications:write"])), responses(
    (status = 204, description = "The post is muted"),
    (status = 404, description = "No such post, or not yet for this caller"),
))]
pub async fn mute(
    SignedIn(user): SignedIn<NOTIFICATIONS_WRITE>,
    State(db): State<Db>,
    Now(now): Now,
    Path(PostPath { post }): Path<PostPath>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    muted(store::mute(&mut db.acquire().await?, &post, &user, now).await?)
}

/// Mute a post no more
///
/// Also if the caller had not.
#[utoipa::path(delete, path = "/v1/posts/{post}/mute", tag = "notifications", params(PostPath),
    security(("token" = ["notifications:write"])), responses(
    (status = 204, description = "The post is not muted"),
    (status = 404, description = "No such post, or not yet for this caller"),
))]
pub async fn unmute(
    SignedIn(user): SignedIn<NOTIFICATIONS_WRITE>,
    State(db): State<Db>,
    Now(now): Now,
    Path(PostPath { post }): Path<PostPath>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    muted(store::unmute(&mut db.acquire().await?, &post, &user, now).await?)
}

/// Nobody else sees it.
fn muted(found: bool) -> Result<(StatusCode, Invalidates), ApiError> {
    if found { Ok((StatusCode::NO_CONTENT, Invalidates(Scope::Nothing))) } else { Err(ApiError::NotFound) }
}
