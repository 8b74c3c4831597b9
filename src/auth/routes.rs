//! `/v1/sessions`: sign in, see the devices that are signed in, sign out.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::login_throttle::LoginThrottle;
use super::model::{Session, SessionPath};
use super::password::{Password, Passwords};
use super::scope::SESSION;
use super::token::{self, TokenKind};
use super::{SignedIn, store};
use crate::cache::{Invalidates, Scope};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::context::ClientAddr;
use crate::http::extract::{Json, Path};
use crate::http::now::Now;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::http::validation::{Validate, Violations};

/// Sessions are shown to their user alone.
const UNSEEN: Invalidates = Invalidates(Scope::Nothing);

/// E-mail and password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateSession {
    /// The account's e-mail address, whatever its case and the blanks around it.
    #[schema(example = "ada@example.com")]
    email: String,
    /// The account's password.
    #[schema(value_type = String, format = Password, example = "correct horse battery")]
    password: Password,
}

/// Accepts any pair: one that breaks a rule of accounts simply does not match.
impl Validate for CreateSession {
    fn validate(&self, _violations: &mut Violations) {}
}

/// A new session, with its token, which is never shown again.
#[derive(Debug, Serialize, ToSchema)]
pub struct CreatedSession {
    /// Send it as `Authorization: Bearer <token>`.
    #[schema(example = "blog_3q2-7wKDhLpXbN0vYtRfZsGmUcJ5eAi8oQxW1kB6nEY")]
    token: String,
    #[serde(flatten)]
    session: Session,
}

/// Sign in
///
/// Gives a token for 30 days. An unknown e-mail and a wrong password get the same answer in the same time.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", request_body = CreateSession, responses(
    (status = 201, description = "Signed in", body = CreatedSession),
    (status = 401, description = "The e-mail or the password is not right"),
))]
pub async fn create(
    State(db): State<Db>,
    State(passwords): State<Passwords>,
    Now(now): Now,
    throttle: LoginThrottle,
    ClientAddr(client): ClientAddr,
    headers: HeaderMap,
    Json(body): Json<CreateSession>,
) -> Result<Response, ApiError> {
    let wrong = || ApiError::Unauthenticated("The e-mail or the password is not right.");
    // Copied, it may have blanks around it; no account has.
    let address = body.email.trim();
    let attempt = throttle.sign_in(address).await?;
    // PostgreSQL's text cannot hold a NUL, so no account has one.
    let email = Some(address).filter(|email| !email.contains('\0'));
    let credentials = match email {
        Some(email) => store::credentials_by_email(&mut db.acquire().await?, email).await?,
        None => None,
    };
    let hash = credentials.as_ref().map(|credentials| credentials.password_hash.clone());
    if !passwords.verify(&attempt, body.password, hash).await? {
        return Err(wrong());
    }
    let credentials = credentials.ok_or_else(wrong)?;
    throttle.forgive(attempt).await?;
    let (token, token_hash) = token::generate(TokenKind::Session);
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let new = store::NewSession {
        credentials: &credentials,
        token_hash: &token_hash,
        user_agent: user_agent.map(|agent| agent.get(..400).unwrap_or(agent)),
        ip_address: client.map(|ip| ip.to_string()),
    };
    let session = store::insert(&mut db.acquire().await?, new, now).await?.ok_or_else(wrong)?;
    let created = CreatedSession { token: token.expose_secret().to_owned(), session };
    Ok((StatusCode::CREATED, UNSEEN, Json(created)).into_response())
}

const ORDER: &str = "sessions";

/// The caller's sessions
///
/// Newest first.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", params(PageQuery), security(("token" = [])), responses(
    (status = 200, description = "The devices that are signed in", body = Page<Session>),
))]
pub async fn list(
    SignedIn(user): SignedIn<SESSION>,
    State(db): State<Db>,
    Now(now): Now,
    request: PageRequest,
) -> Result<Page<Session>, ApiError> {
    let after = request.after(ORDER)?;
    let rows = store::list(&mut db.acquire().await?, &user, after, request.rows(), now).await?;
    request.page(rows, ORDER, |session: &Session| session.id)
}

/// Sign out a device
#[utoipa::path(delete, path = "/v1/sessions/{id}", tag = "sessions", params(SessionPath),
    security(("token" = [])), responses(
    (status = 204, description = "Its token no longer works"),
    (status = 404, description = "The caller has no such session"),
))]
pub async fn delete(
    SignedIn(user): SignedIn<SESSION>,
    State(db): State<Db>,
    Path(SessionPath { id }): Path<SessionPath>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let deleted = store::delete(&mut db.acquire().await?, user.id, id).await?;
    if deleted { Ok((StatusCode::NO_CONTENT, UNSEEN)) } else { Err(ApiError::NotFound) }
}

/// Sign out
///
/// Revokes the token that this request carries.
#[utoipa::path(delete, path = "/v1/sessions/current", tag = "sessions", security(("token" = [])), responses(
    (status = 204, description = "The token no longer works"),
))]
pub async fn delete_current(
    SignedIn(user): SignedIn<SESSION>,
    State(db): State<Db>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    if let Some(id) = user.session_id() {
        store::delete(&mut db.acquire().await?, user.id, id).await?;
    }
    Ok((StatusCode::NO_CONTENT, UNSEEN))
}
