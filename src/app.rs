//! The only place where things are wired together.

use std::thread::available_parallelism;

use axum::Router;
use axum::extract::FromRef;

use crate::auth::password::Passwords;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::Db;
use crate::http::conditional::RequireIfMatch;
use crate::http::context::TrustedProxyHops;
use crate::http::middleware::{self, Limits};
use crate::language::Language;
use crate::lifecycle::Lifecycle;
use crate::router;
use crate::users::routes::SignUpPolicy;

/// What handlers and extractors can ask for, each part by its own type.
#[derive(Clone, FromRef)]
pub struct AppState {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// Whether the process has been told to stop.
    pub lifecycle: Lifecycle,
    /// The gate of password hashing.
    pub passwords: Passwords,
    /// How accounts are made.
    pub sign_up: SignUpPolicy,
    /// Whether a change must say which version it changes.
    pub require_if_match: RequireIfMatch,
    /// The language of a new post, and of a search that names none.
    pub default_language: Language,
    /// Whose address is believed.
    pub trusted_proxy_hops: TrustedProxyHops,
}

impl AppState {
    /// The state that `config` asks for.
    ///
    /// # Errors
    /// Those of [`Passwords::new`].
    pub fn new(config: &Config, db: Db, clock: Clock, lifecycle: Lifecycle) -> Result<Self, argon2::Error> {
        // Half the cores at most, so that requests without passwords go on through a flood of logins.
        let hashing_slots = available_parallelism().map_or(1, |cores| cores.get().div_ceil(2)).min(4);
        Ok(Self {
            db,
            clock,
            lifecycle,
            passwords: Passwords::new(hashing_slots)?,
            sign_up: SignUpPolicy {
                default_role: config.default_role,
                refuse_common_passwords: config.password_blocklist,
            },
            require_if_match: RequireIfMatch(config.require_if_match),
            default_language: config.default_language,
            trusted_proxy_hops: TrustedProxyHops(config.trusted_proxy_hops),
        })
    }
}

/// The whole service: every route, inside the middleware stack.
pub fn build(config: &Config, state: AppState) -> Router {
    let lifecycle = state.lifecycle.clone();
    middleware::wrap(router::router(), &Limits::default(), lifecycle, &config.cors_allowed_origins)
        .with_state(state)
}
