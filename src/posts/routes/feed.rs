//! The personal feed.

use axum::extract::{OriginalUri, State};

use crate::auth::SignedIn;
use crate::clock::Clock;
use crate::db::Db;
use crate::error::ApiError;
use crate::http::extract::Query;
use crate::http::pagination::{Page, PageQuery, decode_cursor};
use crate::posts::model::PostSummary;
use crate::posts::store::{self, SummaryRow};

const ORDER: &str = "feed";

/// The caller's feed
///
/// Published posts of those whom the caller follows, newest first.
#[utoipa::path(get, path = "/v1/feed", tag = "posts", params(PageQuery), security(("token" = [])), responses(
    (status = 200, description = "A page of posts, without their texts", body = Page<PostSummary>),
))]
pub async fn feed(
    SignedIn(user): SignedIn,
    State(db): State<Db>,
    State(clock): State<Clock>,
    uri: OriginalUri,
    Query(query): Query<PageQuery>,
) -> Result<Page<PostSummary>, ApiError> {
    let after = decode_cursor(ORDER, query.cursor.as_deref())?;
    let mut connection = db.begin_costly().await?;
    let rows = store::feed(&mut connection, user.id, after, query.limit.rows(), clock.now()).await?;
    Page::new(rows, query.limit, ORDER, SummaryRow::by_time, &uri)
}
