//! Listing and reading accounts and profiles.

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::auth::{Admin, SignedIn, Viewer};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::{Path, Query};
use crate::http::pagination::{Limit, Page, decode_cursor};
use crate::http::validation::{Validate, Violations};
use crate::users::model::{Account, Profile};
use crate::users::store;

/// Which page of which users.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListUsers {
    /// How the username begins, whatever the case.
    #[serde(default)]
    #[param(pattern = r"^[^\x00]*$", example = "ad")]
    q: String,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

impl Validate for ListUsers {
    fn validate(&self, violations: &mut Violations) {
        violations.check("limit", &self.limit);
    }
}

const ORDER: &str = "users";

/// All accounts
///
/// By username.
#[utoipa::path(get, path = "/v1/users", tag = "users", params(ListUsers), security(("token" = [])), responses(
    (status = 200, description = "A page of accounts", body = Page<Account>),
    (status = 403, description = "Only for admins"),
))]
pub async fn list(
    _: Admin,
    State(db): State<Db>,
    uri: OriginalUri,
    Query(query): Query<ListUsers>,
) -> Result<Page<Account>, ApiError> {
    let after: Option<String> = decode_cursor(ORDER, query.cursor.as_deref())?;
    let mut transaction = db.begin_costly().await?;
    let rows = store::list(&mut transaction, &query.q, after.as_deref(), query.limit.rows()).await?;
    Page::new(rows, query.limit, ORDER, |account: &Account| account.username.to_ascii_lowercase(), &uri)
}

/// The caller's account
#[utoipa::path(get, path = "/v1/users/me", tag = "users", security(("token" = [])), responses(
    (status = 200, description = "The account behind the token", body = Account),
))]
pub async fn me(SignedIn(user): SignedIn, State(db): State<Db>) -> Result<Tagged<Account>, ApiError> {
    store::account(&mut db.acquire().await?, user.id).await?.map(Tagged).ok_or(ApiError::NotFound)
}

/// A user's public profile
#[utoipa::path(get, path = "/v1/users/{id}", tag = "users", params(("id" = Uuid, Path, description = "The user's id")),
    security((), ("token" = [])), responses(
    (status = 200, description = "The profile", body = Profile),
    (status = 404, description = "No such user"),
))]
pub async fn read(
    viewer: Viewer,
    State(db): State<Db>,
    Path(id): Path<Uuid>,
) -> Result<Tagged<Profile>, ApiError> {
    store::profile(&mut viewer.acquire(&db).await?, id).await?.map(Tagged).ok_or(ApiError::NotFound)
}
