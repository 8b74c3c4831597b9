//! `/v1/tokens`: give a machine a token, see what tokens there are, take one back. No API token does any of it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::model::{ApiToken, DEFAULT_LIFETIME, MAX_LIFETIME, TokenName, TokenPath};
use super::store::{self, Inserted, NewToken};
use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::scope::{SESSION, Scope as TokenScope};
use crate::auth::token::{self, TokenKind};
use crate::auth::{Member, SignedIn};
use crate::cache::{Invalidates, Scope};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::extract::{Json, Path};
use crate::http::now::Now;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::http::timestamp::Timestamp;
use crate::http::validation::{Validate, Violations, check_set, items};
use crate::identity::Role;

/// Tokens are shown to their user and to admins.
const UNSEEN: Invalidates = Invalidates(Scope::Nothing);

/// A token that a machine shall have.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateToken {
    /// What to call it.
    name: TokenName,
    /// What it is for: at least one scope. It does nothing that its user may not do.
    #[serde(deserialize_with = "items")]
    #[schema(min_items = 1, example = json!(["posts:read"]))]
    scopes: Vec<TokenScope>,
    /// When it stops working: in at most 366 days; in 90 days if absent.
    expires_at: Option<Timestamp>,
}

impl Validate for CreateToken {
    fn validate(&self, violations: &mut Violations) {
        violations.check("name", &self.name);
        check_set(violations, "scopes", &self.scopes, TokenScope::ALL.len());
    }
}

/// A new API token, with the token itself, which is never shown again.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedToken {
    /// Send it as `Authorization: Bearer <token>`.
    #[schema(example = "blogapi_3q2-7wKDhLpXbN0vYtRfZsGmUcJ5eAi8oQxW1kB6nEY")]
    token: String,
    #[serde(flatten)]
    api_token: ApiToken,
}

/// Make an API token
///
/// For a machine: it does what its user may and its scopes say, both. A new password of the user revokes it.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = CreateToken,
    security(("token" = [])), responses(
    (status = 201, description = "The token, which is shown once", body = CreatedToken),
    (status = 409, description = "The user has 100 tokens"),
))]
pub async fn create(
    Member(user): Member<SESSION>,
    State(db): State<Db>,
    Now(now): Now,
    Json(body): Json<CreateToken>,
) -> Result<Response, ApiError> {
    let expires_at = body.expires_at.map_or(now + DEFAULT_LIFETIME, Into::into);
    if expires_at <= now || expires_at > now + MAX_LIFETIME {
        return Err(ApiError::invalid("expires_at", "out_of_range", "must be within the next 366 days"));
    }
    let signed_out = || ApiError::Unauthenticated("The session has ended: sign in again.");
    let (token, token_hash) = token::generate(TokenKind::Api);
    let scopes: Vec<String> = body.scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let new = NewToken {
        user_id: user.id,
        session_id: user.session_id().ok_or_else(signed_out)?,
        name: body.name.as_str(),
        token_hash: &token_hash,
        scopes: &scopes,
        expires_at,
    };
    let mut transaction = db.begin().await?;
    let api_token = match store::insert(&mut transaction, &new, now).await? {
        Inserted::Token(api_token) => api_token,
        Inserted::SignedOut => return Err(signed_out()),
        Inserted::TooMany => {
            return Err(ApiError::conflict("name", "too_many", "would be that of one token more than 100"));
        }
    };
    transaction.commit().await?;
    let created = CreatedToken { token: token.expose_secret().to_owned(), api_token };
    Ok((StatusCode::CREATED, UNSEEN, Json(created)).into_response())
}

/// Which tokens to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListTokens {
    /// Those of the user with this id; if absent the caller's own, or as an admin everybody's.
    user: Option<Uuid>,
}

impl Validate for ListTokens {
    fn validate(&self, _violations: &mut Violations) {}
}

const ORDER: &str = "tokens";

/// API tokens
///
/// The caller's own, or for admins everybody's, newest first; expired ones for 30 days more.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens", params(ListTokens, PageQuery), security(("token" = [])), responses(
    (status = 200, description = "A page of tokens", body = Page<ApiToken>),
    (status = 403, description = "Tokens of others, without being an admin"),
))]
pub async fn list(
    SignedIn(user): SignedIn<SESSION>,
    State(db): State<Db>,
    request: PageRequest<ListTokens>,
) -> Result<Page<ApiToken>, ApiError> {
    let of = request.filter.user;
    if of.is_some_and(|of| of != user.id) && !user.is(Role::Admin) {
        return Err(ApiError::Forbidden("Only admins list the tokens of others."));
    }
    let of = of.or_else(|| (!user.is(Role::Admin)).then_some(user.id));
    let (after, rows) = (request.after(ORDER)?, request.rows());
    let mut connection = db.acquire().await?;
    let rows = match of {
        Some(of) => store::list_of(&mut connection, of, after, rows).await?,
        None => store::list(&mut connection, after, rows).await?,
    };
    request.page(rows, ORDER, |token: &ApiToken| token.id)
}

/// Revoke an API token
///
/// One's own, or as an admin anybody's: it works no more.
#[utoipa::path(delete, path = "/v1/tokens/{id}", tag = "tokens", params(TokenPath),
    security(("token" = [])), responses(
    (status = 204, description = "The token works no more"),
    (status = 404, description = "No such token, or another user's"),
))]
pub async fn delete(
    SignedIn(user): SignedIn<SESSION>,
    State(db): State<Db>,
    Now(now): Now,
    Path(TokenPath { id }): Path<TokenPath>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let of = (!user.is(Role::Admin)).then_some(user.id);
    let mut transaction = db.begin().await?;
    let owner = store::delete(&mut transaction, id, of).await?.ok_or(ApiError::NotFound)?;
    if owner != user.id {
        let entry = Entry::by(&user, Action::UserTokenRevoked, owner, json!({"token_id": id}));
        audit::record(&mut transaction, &entry, now).await?;
    }
    transaction.commit().await?;
    Ok((StatusCode::NO_CONTENT, UNSEEN))
}
