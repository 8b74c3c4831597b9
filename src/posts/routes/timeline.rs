//! The timeline: what those wrote whom the caller follows.

use axum::extract::State;

use super::read::time_after;
use crate::auth::SignedIn;
use crate::auth::scope::POSTS_READ;
use crate::db::Db;
use crate::error::ApiError;
use crate::http::now::Now;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::posts::model::PostSummary;
use crate::posts::store::{self, PostRow};

const ORDER: &str = "feed";

/// The caller's feed
///
/// Published posts of those whom the caller follows, newest first.
#[utoipa::path(get, path = "/v1/feed", operation_id = "feed", tag = "posts", params(PageQuery), security(("token" = ["posts:read"])), responses(
    (status = 200, description = "A page of posts, without their texts", body = Page<PostSummary>),
))]
pub async fn timeline(
    SignedIn(user): SignedIn<POSTS_READ>,
    State(db): State<Db>,
    Now(now): Now,
    request: PageRequest,
) -> Result<Page<PostSummary>, ApiError> {
    let after = time_after(&request, ORDER)?;
    let mut connection = db.begin_costly().await?;
    let rows = store::timeline(&mut connection, user.id, after, request.rows(), now).await?;
    request.page(rows, ORDER, PostRow::by_time)
}
