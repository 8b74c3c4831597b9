//! Every route of the service, on one screen. Each handler's path stands in its `#[utoipa::path]`, so the
//! router and the OpenAPI document cannot disagree.

mod account;
mod home;
mod media_files;
mod outbox;
mod parameters;

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::audit::routes as audit;
use crate::auth::routes as sessions;
use crate::comments::routes as comments;
use crate::export::routes as export;
use crate::feeds::routes as feeds;
use crate::http::health;
use crate::http::preconditions::Unconditional;
use crate::jobs::routes as jobs;
use crate::media::routes as media;
use crate::moderation::routes as moderation;
use crate::notifications::routes as notifications;
use crate::openapi;
use crate::posts::routes as posts;
use crate::site::routes as site;
use crate::state::AppState;
use crate::tokens::routes as tokens;
use crate::users::routes as users;
use crate::webhooks::routes as webhooks;
pub use parameters::ignore_unknown_parameters;

pub fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(openapi::base())
        // /health, /ready
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        // /v1/users
        .routes(routes!(users::list, users::create))
        .routes(routes!(users::me))
        .routes(routes!(export::export))
        .routes(routes!(users::read, users::update, users::delete))
        .routes(routes!(users::follow, users::unfollow))
        .routes(routes!(notifications::read_notification_settings, notifications::update_notification_settings))
        .routes(routes!(users::following))
        .routes(routes!(users::followers))
        // /v1/email-verifications, /v1/password-resets
        .routes(routes!(users::create_email_verification))
        .routes(routes!(users::confirm_email_verification))
        .routes(routes!(users::undo_email_change))
        .routes(routes!(users::create_password_reset))
        .routes(routes!(users::confirm_password_reset))
        // /v1/sign-ups, /v1/invitations
        .routes(routes!(users::confirm_sign_up))
        .routes(routes!(users::list_invitations, users::create_invitation))
        .routes(routes!(users::accept_invitation))
        .routes(routes!(users::delete_invitation))
        // /v1/mail-events
        .routes(routes!(users::create_mail_event))
        // /v1/sessions
        .routes(routes!(sessions::list, sessions::create))
        .routes(routes!(sessions::delete_current))
        .routes(routes!(sessions::delete))
        // /v1/tokens
        .routes(routes!(tokens::list, tokens::create))
        .routes(routes!(tokens::delete))
        // /v1/posts
        .routes(routes!(posts::list, posts::create))
        .routes(routes!(posts::read, posts::update, posts::delete))
        .routes(routes!(posts::restore))
        .routes(routes!(posts::list_revisions))
        .routes(routes!(posts::read_revision))
        .routes(routes!(posts::restore_revision))
        .routes(routes!(posts::like, posts::unlike))
        .routes(routes!(posts::mute, posts::unmute))
        // /v1/tags, /v1/feed
        .routes(routes!(posts::list_tags))
        .routes(routes!(posts::timeline))
        // /v1/posts/{post}/comments, /v1/comments
        .routes(routes!(comments::list_of_post, comments::create))
        .routes(routes!(comments::list_by_status))
        .routes(routes!(comments::moderate))
        .routes(routes!(comments::read, comments::update, comments::delete))
        // /v1/users/{id}/ban, /v1/reports, /v1/audit
        .routes(routes!(moderation::read_ban, moderation::ban, moderation::unban))
        .routes(routes!(moderation::list_reports, moderation::create_report))
        .routes(routes!(moderation::read_report, moderation::update_report))
        .routes(routes!(audit::list_audit))
        // /v1/notifications, /v1/unsubscriptions
        .routes(routes!(notifications::list_notifications))
        .routes(routes!(notifications::read_notifications))
        .routes(routes!(notifications::unsubscription_page, notifications::unsubscribe))
        // /v1/jobs
        .routes(routes!(jobs::list_jobs))
        .routes(routes!(jobs::retry_job))
        // /v1/webhooks
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::read, webhooks::update, webhooks::delete))
        .routes(routes!(webhooks::rotate_secret))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::list_deliveries))
        .routes(routes!(webhooks::retry_delivery))
        .routes(routes!(webhooks::replay))
        // /v1/media
        .routes(routes!(media::list, media::create))
        .routes(routes!(media::read, media::update, media::delete))
        .routes(routes!(media::announce))
        .routes(routes!(media::complete))
        // /v1/site
        .routes(routes!(site::read, site::update))
        // /feed.xml, /feed.json, /sitemap.xml
        .routes(routes!(feeds::atom))
        .routes(routes!(feeds::json))
        .routes(routes!(feeds::sitemap))
}

/// Whether the request's body is a file.
#[must_use]
pub fn is_upload(request: &Request) -> bool {
    let path = request.extensions().get::<MatchedPath>();
    match path.map(MatchedPath::as_str) {
        Some("/v1/media") => request.method() == Method::POST,
        Some(path) => path == media_files::UPLOAD,
        None => false,
    }
}

static DOCUMENT: LazyLock<String> = LazyLock::new(|| openapi::document(routes().into_openapi()));

#[must_use]
pub fn document() -> &'static str {
    &DOCUMENT
}

/// The routes as axum serves them, with which of them evaluate no preconditions; `/openapi.json` and `/docs`; `/`,
/// `/favicon.ico` and `/robots.txt`; `/account`, `/outbox` and `/media`.
pub fn router() -> (Router<AppState>, Unconditional) {
    let (router, documented) = routes().split_for_parts();
    let pages = home::routes().merge(account::routes()).merge(outbox::routes()).merge(media_files::routes());
    (router.merge(openapi::routes(document)).merge(pages), Unconditional::of(&documented))
}
