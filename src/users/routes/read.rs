//! Listing and reading accounts and profiles.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::scope::USERS_READ;
use crate::auth::{Admin, Anyone, SignedIn};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::cursor::Text;
use crate::http::extract::Path;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::http::validation::{Validate, Violations};
use crate::users::model::{Account, Profile, UserPath};
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
}

impl Validate for ListUsers {
    fn validate(&self, _violations: &mut Violations) {}
}

const ORDER: &str = "users";

/// All accounts
///
/// By username.
#[utoipa::path(get, path = "/v1/users", tag = "users", params(ListUsers, PageQuery), security(("token" = ["users:read"])), responses(
    (status = 200, description = "A page of accounts", body = Page<Account>),
    (status = 403, description = "Only for admins"),
))]
pub async fn list(
    _: Admin<USERS_READ>,
    State(db): State<Db>,
    request: PageRequest<ListUsers>,
) -> Result<Page<Account>, ApiError> {
    let after: Option<Text> = request.after(ORDER)?;
    let after = after.as_ref().map(|Text(username)| username.as_str());
    let mut transaction = db.begin_costly().await?;
    let rows = store::list(&mut transaction, request.filter.q.trim(), after, request.rows()).await?;
    request.page(rows, ORDER, |account: &Account| account.username.to_ascii_lowercase())
}

/// The caller's account
#[utoipa::path(get, path = "/v1/users/me", tag = "users", security(("token" = ["users:read"])), responses(
    (status = 200, description = "The account behind the token", body = Account),
))]
pub async fn me(
    SignedIn(user): SignedIn<USERS_READ>,
    State(db): State<Db>,
) -> Result<Tagged<Account>, ApiError> {
    store::account(&mut db.acquire().await?, user.id).await?.map(Tagged).ok_or(ApiError::NotFound)
}

/// A user's public profile
#[utoipa::path(get, path = "/v1/users/{id}", tag = "users", params(UserPath),
    security((), ("token" = ["users:read"])), responses(
    (status = 200, description = "The profile", body = Profile),
    (status = 404, description = "No such user"),
))]
pub async fn read(
    Anyone(viewer): Anyone<USERS_READ>,
    State(db): State<Db>,
    Path(UserPath { id }): Path<UserPath>,
) -> Result<Tagged<Profile>, ApiError> {
    store::profile(&mut viewer.acquire(&db).await?, id).await?.map(Tagged).ok_or(ApiError::NotFound)
}
