//! Liking posts.

use axum::extract::State;
use axum::http::StatusCode;

use crate::auth::Member;
use crate::auth::scope::LIKES_WRITE;
use crate::cache::{Invalidates, Scope};
use crate::db::{Db, Outcome};
use crate::error::ApiError;
use crate::http::extract::Path;
use crate::http::now::Now;
use crate::posts::model::PostPath;
use crate::posts::store;

/// Like a post
///
/// Liking it again changes nothing.
#[utoipa::path(put, path = "/v1/posts/{post}/like", tag = "posts", params(PostPath),
    security(("token" = ["likes:write"])), responses(
    (status = 204, description = "The caller likes the post"),
    (status = 404, description = "No such post, or not yet for this caller"),
    (status = 409, description = "The post is not published"),
))]
pub async fn like(
    Member(user): Member<LIKES_WRITE>,
    State(db): State<Db>,
    Now(now): Now,
    Path(PostPath { post }): Path<PostPath>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let mut connection = db.acquire().await?;
    let (id, outcome) = store::like(&mut connection, &post, &user, now).await?.ok_or(ApiError::NotFound)?;
    if outcome == Outcome::Refused {
        return Err(ApiError::conflict("post", "not_published", "is not published: nobody can like it yet"));
    }
    let changed = Invalidates::if_changed(outcome == Outcome::Changed, Scope::Resource(id));
    Ok((StatusCode::NO_CONTENT, changed))
}

/// Like a post no more
///
/// Also if the caller did not.
#[utoipa::path(delete, path = "/v1/posts/{post}/like", tag = "posts", params(PostPath),
    security(("token" = ["likes:write"])), responses(
    (status = 204, description = "The caller does not like the post"),
    (status = 404, description = "No such post, or not yet for this caller"),
))]
pub async fn unlike(
    Member(user): Member<LIKES_WRITE>,
    State(db): State<Db>,
    Now(now): Now,
    Path(PostPath { post }): Path<PostPath>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let mut connection = db.acquire().await?;
    let (id, changed) = store::unlike(&mut connection, &post, &user, now).await?.ok_or(ApiError::NotFound)?;
    Ok((StatusCode::NO_CONTENT, Invalidates::if_changed(changed, Scope::Resource(id))))
}
