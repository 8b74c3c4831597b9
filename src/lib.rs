//! blog-api: users, posts and comments over HTTP, on PostgreSQL.
//!
//! A guided tour, from the outside in:
//!
//! - [`router`] shows every route on one screen; [`app`] wires the parts together; [`state`] is what handlers
//!   can ask for; [`server`] listens and stops; [`openapi`] is the document that the handlers generate;
//!   [`background`] watches what runs beside the requests; [`work`] does each kind of job, [`maintenance`] those
//!   from time to time; [`export`] asks every feature for what it keeps about a user.
//! - The features, [`users`], [`posts`], [`comments`], [`moderation`], [`notifications`], [`tokens`], [`audit`], [`jobs`], [`webhooks`], [`site`] and [`feeds`],
//!   have the same three rooms each: `model` (what it is and what is allowed: pure), `store` (all of its SQL) and `routes`
//!   (handlers and their request types).
//! - The kit knows no feature: [`identity`] is roles and how users are named; [`auth`] tells who is calling,
//!   as extractor types, and has the rooms of sessions; [`http`] is the middleware stack, the extractors,
//!   validation, lists, conditional requests and idempotency; [`cache`] keeps responses to anonymous reads; [`mail`] is written and sent;
//!   [`error`] is every error that a client can see; [`egress`] calls addresses that users name; [`db`] is the pool and the migrations; [`workers`] do
//!   what takes long; [`markdown`], [`text`], [`language`], [`config`], [`telemetry`], [`clock`] and [`lifecycle`] are
//!   what they say.
//!
//! A request passes the stack of [`http::middleware`], is read by the extractors of [`http::extract`] and
//! [`auth`], and reaches a handler with nothing left to check but the state of things, which constraints
//! and single statements of the `store` decide.

pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The commit that an image was built from, or `unknown`.
pub const REVISION: &str = match option_env!("GIT_SHA") {
    Some(revision) if !revision.is_empty() => revision,
    _ => "unknown",
};

pub mod app;
pub mod audit;
pub mod auth;
pub mod background;
pub mod cache;
mod causes;
pub mod clock;
pub mod comments;
pub mod config;
pub mod db;
pub mod egress;
pub mod error;
pub mod export;
pub mod feeds;
pub mod http;
pub mod identity;
pub mod jobs;
pub mod language;
pub mod lifecycle;
pub mod mail;
pub mod maintenance;
pub mod markdown;
pub mod media;
pub mod moderation;
pub mod notifications;
pub mod openapi;
pub mod posts;
pub mod router;
pub mod server;
pub mod site;
pub mod state;
pub mod telemetry;
pub mod text;
mod text_enum;
pub mod tokens;
pub mod users;
pub mod webhooks;
pub mod work;
pub mod workers;
