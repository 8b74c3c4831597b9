//! Who is calling, as extractor types: a handler that takes an [`Editor`] runs for editors and admins
//! only. Below them are sessions (three rooms like a feature's), tokens and passwords.
//!
//! | extractor | anonymous | banned | for |
//! | --- | --- | --- | --- |
//! | [`Anyone`] | yes | yes | what everybody may ask for |
//! | [`SignedIn`] | | yes | what is the caller's own: the account, its sessions, its data |
//! | [`Caller`] | | yes | a handler that lets a banned user do a part of what it does; with a session's token alone |
//! | [`Member`] | | | every write of what others see: posts, comments, likes, follows, reports |
//! | [`Author`], [`Editor`], [`Admin`] | | | the same, with this role or more |
//!
//! Each names the [`scope`]s of which an API token needs one: `Author<POSTS_WRITE>`. Of none, [`SESSION`], only the
//! token of a session will do.

pub mod login_throttle;
pub mod model;
pub mod password;
pub mod routes;
pub mod scope;
pub mod store;
pub mod token;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::clock::Clock;
use crate::db::{self, Connection, Db, Transaction};
use crate::error::ApiError;
use crate::http::context::RequestContext;
use crate::http::now::Now;
use crate::http::rate_limit::RequestLimits;
use crate::identity::Role;
use model::Ban;
use password::PasswordError;
use scope::{SESSION, Scope, Scopes};
use token::{Bearer, TokenKind};

impl From<PasswordError> for ApiError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Work(error) => error.into(),
            PasswordError::TooMany => Self::RateLimited { policy: "concurrency", retry_after: 1 },
            PasswordError::Hash(_) => Self::Internal(error.into()),
        }
    }
}

/// A signed-in user.
#[derive(Clone, Copy, Debug)]
pub struct User {
    pub id: Uuid,
    /// The user's role now, not when the token was made.
    pub role: Role,
    pub credential: Credential,
}

/// Whose token a request carries.
#[derive(Clone, Copy, Debug)]
pub enum Credential {
    /// That of the session with this id.
    Session(Uuid),
    /// An API token.
    Token { id: Uuid, scopes: Scopes },
}

impl User {
    /// Whether the user has `role` or more.
    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.role >= role
    }

    /// The id of the session, unless an API token asks.
    #[must_use]
    pub fn session_id(&self) -> Option<Uuid> {
        match self.credential {
            Credential::Session(id) => Some(id),
            Credential::Token { .. } => None,
        }
    }

    /// The id of the API token that asks, if one does.
    #[must_use]
    pub fn token_id(&self) -> Option<Uuid> {
        match self.credential {
            Credential::Session(_) => None,
            Credential::Token { id, .. } => Some(id),
        }
    }

    /// Fails if an API token asks that has none of `scopes`.
    pub fn require(&self, scopes: Scopes) -> Result<(), ApiError> {
        match self.credential {
            Credential::Token { scopes: given, .. } if given & scopes == 0 => {
                Err(ApiError::InsufficientScope(Scope::words(scopes).collect()))
            }
            _ => Ok(()),
        }
    }

    /// The user as they are now, unless they were banned or the token was revoked meanwhile. Who would change what they
    /// may waits until the transaction ends: for what takes effect later than the request.
    pub async fn confirmed(self, connection: &mut Connection, now: DateTime<Utc>) -> Result<Self, ApiError> {
        let rights = store::lock_rights(connection, self.id, now).await?;
        let (role, ban) = rights.ok_or(ApiError::Unauthenticated("The account is gone."))?;
        if !store::lock_credential(connection, self.credential).await? {
            return Err(ApiError::Unauthenticated("The token was revoked."));
        }
        Caller { user: Self { role, ..self }, ban }.unless_banned()
    }
}

/// Anyone: `None` is anonymous. A bad token is refused, never taken for anonymity.
#[derive(Clone, Copy, Debug)]
pub struct Viewer(pub Option<User>);

impl Viewer {
    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.0.map(|user| user.id)
    }

    /// A connection for what the viewer reads. Signed-in users must see their own writes at once; for anonymous
    /// ones a replica may lag by a moment.
    pub async fn acquire(&self, db: &Db) -> Result<Connection, db::Error> {
        if self.0.is_some() { db.acquire().await } else { db.acquire_reader().await }
    }

    /// A transaction for reads whose cost the viewer chooses, on the server of [`acquire`](Self::acquire).
    pub async fn begin_costly(&self, db: &Db) -> Result<Transaction, db::Error> {
        if self.0.is_some() { db.begin_costly().await } else { db.begin_costly_reader().await }
    }

    #[must_use]
    pub fn is(&self, role: Role) -> bool {
        self.0.is_some_and(|user| user.is(role))
    }
}

/// The [`Viewer`] of a request.
#[derive(Clone, Copy, Debug)]
pub struct Anyone<const SCOPES: Scopes>(pub Viewer);

impl<S: Send + Sync, const SCOPES: Scopes> FromRequestParts<S> for Anyone<SCOPES>
where
    Db: FromRef<S>,
    Clock: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let caller = identify(parts, state, SCOPES).await?;
        Ok(Self(Viewer(caller.map(|caller| caller.user))))
    }
}

/// A signed-in user, and the ban on them if there is one.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user: User,
    ban: Option<Ban>,
}

impl Caller {
    pub fn unless_banned(self) -> Result<User, ApiError> {
        match self.ban {
            None => Ok(self.user),
            Some(Ban { until, reason }) => Err(ApiError::Banned { until, reason }),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller
where
    Db: FromRef<S>,
    Clock: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        caller(parts, state, SESSION).await
    }
}

async fn caller<S>(parts: &mut Parts, state: &S, scopes: Scopes) -> Result<Caller, ApiError>
where
    Db: FromRef<S>,
    Clock: FromRef<S>,
{
    let caller = identify(parts, state, scopes).await?;
    caller.ok_or(ApiError::Unauthenticated("Sign in first: this needs a bearer token."))
}

/// Who carries the request's token, which has one of `scopes` if it is an API token; `None` if there is none.
async fn identify<S>(parts: &mut Parts, state: &S, scopes: Scopes) -> Result<Option<Caller>, ApiError>
where
    Db: FromRef<S>,
    Clock: FromRef<S>,
{
    let (kind, hash) = match token::bearer(&parts.headers) {
        Bearer::Absent => return Ok(None),
        Bearer::Malformed => {
            return Err(ApiError::Unauthenticated(
                "The `Authorization` header is not a bearer token of this service.",
            ));
        }
        Bearer::Token(kind, hash) => (kind, hash),
    };
    let now = Now::of(parts, state);
    let mut connection = Db::from_ref(state).acquire().await?;
    let (caller, unknown) = match kind {
        TokenKind::Session => (
            store::authenticate(&mut connection, &hash, now).await?,
            "The token is unknown, revoked or expired: sign in again.",
        ),
        TokenKind::Api => (
            store::authenticate_machine(&mut connection, &hash, now).await?,
            "The API token is unknown, revoked or expired: make another one.",
        ),
    };
    let caller = caller.ok_or(ApiError::Unauthenticated(unknown))?;
    // A handler may ask for its user more than once.
    let is_first = |context: &RequestContext| context.user_id.set(caller.user.id).is_ok();
    if parts.extensions.get().is_some_and(is_first) {
        RequestLimits::of(parts).count_account(caller.user.id)?;
    }
    caller.user.require(scopes)?;
    Ok(Some(caller))
}

/// Anyone who is signed in, also a banned user: for what is the caller's own.
#[derive(Clone, Copy, Debug)]
pub struct SignedIn<const SCOPES: Scopes>(pub User);

impl<S: Send + Sync, const SCOPES: Scopes> FromRequestParts<S> for SignedIn<SCOPES>
where
    Db: FromRef<S>,
    Clock: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        Ok(Self(caller(parts, state, SCOPES).await?.user))
    }
}

/// What those are told who have less than a role.
pub const ONLY_FOR_EDITORS: &str = "Only for editors and admins.";
pub const ONLY_FOR_AUTHORS: &str = "Only for authors, editors and admins.";

/// Declares an extractor that lets only some users through, and none who is banned.
macro_rules! permission {
    ($(#[$doc:meta])* $name:ident, $role:expr, $refusal:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<const SCOPES: Scopes>(pub User);

        impl<S: Send + Sync, const SCOPES: Scopes> FromRequestParts<S> for $name<SCOPES>
        where
            Db: FromRef<S>,
            Clock: FromRef<S>,
        {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
                let user = caller(parts, state, SCOPES).await?.unless_banned()?;
                if user.is($role) { Ok(Self(user)) } else { Err(ApiError::Forbidden($refusal)) }
            }
        }
    };
}

permission!(
    /// Anyone who is signed in and not banned: those who may write what others see.
    Member, Role::Reader, "Only for signed-in users.");
permission!(
    /// Those who may write posts.
    Author, Role::Author, ONLY_FOR_AUTHORS);
permission!(
    /// Those who may edit every post and comment.
    Editor, Role::Editor, ONLY_FOR_EDITORS);
permission!(
    /// Those who may manage users.
    Admin, Role::Admin, "Only for admins.");
