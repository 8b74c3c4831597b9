//! `/account`: the pages that links in mails open, for sites that have none of their own. A page does nothing by being
//! opened, as scanners of mail do: what is in the link's fragment is sent by the form on it.

mod words;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::cache::CachePolicy;
use crate::error::ApiError;
use crate::http::origin::PublicUrl;
use crate::mail::PreferredLanguage;
use crate::state::AppState;
use words::{Common, Words};

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; \
     frame-ancestors 'none'",
);

#[derive(Clone, Copy)]
enum Page {
    PasswordReset,
    EmailVerification,
    EmailUndo,
    Unsubscribe,
    SignUp,
    Invitation,
}

/// When a page asks for something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asks {
    Never,
    /// Once what was chosen before is refused.
    AfterRefusal,
    AtOnce,
}

#[derive(Template)]
#[template(path = "account/page.html")]
struct Filled<'a> {
    language: &'a str,
    common: &'a Common,
    words: &'a Words,
    /// Where the form is sent.
    action: &'a str,
    asks_password: bool,
    /// Whether the token goes in its query.
    token_in_query: bool,
    asks_username: Asks,
    site: Option<&'a str>,
}

pub(super) fn routes() -> Router<AppState> {
    let asset = |kind: &'static str, text: &'static str| {
        get(async move || ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=3600")], text))
    };
    let page = |page| get(async move |language, site| show(page, language, site));
    Router::new()
        .route("/account/password-reset", page(Page::PasswordReset))
        .route("/account/email-verification", page(Page::EmailVerification))
        .route("/account/email-undo", page(Page::EmailUndo))
        .route("/account/unsubscribe", page(Page::Unsubscribe))
        .route("/account/sign-up", page(Page::SignUp))
        .route("/account/invitation", page(Page::Invitation))
        .route(
            "/account/page.js",
            asset("text/javascript; charset=utf-8", include_str!("../../templates/account/page.js")),
        )
        .route(
            "/account/page.css",
            asset("text/css; charset=utf-8", include_str!("../../templates/account/page.css")),
        )
}

fn show(
    page: Page,
    PreferredLanguage(language): PreferredLanguage,
    State(PublicUrl(site)): State<PublicUrl>,
) -> Result<Response, ApiError> {
    let action = match page {
        Page::PasswordReset => "../v1/password-resets/confirmation",
        Page::EmailVerification => "../v1/email-verifications/confirmation",
        Page::EmailUndo => "../v1/email-verifications/undo",
        Page::Unsubscribe => "../v1/unsubscriptions",
        Page::SignUp => "../v1/sign-ups/confirmation",
        Page::Invitation => "../v1/invitations/acceptance",
    };
    let filled = Filled {
        language: language.as_str(),
        common: words::common(language),
        words: words::words(page, language),
        action,
        asks_password: matches!(page, Page::PasswordReset | Page::SignUp | Page::Invitation),
        asks_username: match page {
            Page::SignUp => Asks::AfterRefusal,
            Page::Invitation => Asks::AtOnce,
            _ => Asks::Never,
        },
        token_in_query: matches!(page, Page::Unsubscribe),
        site: site.as_deref(),
    };
    let html = filled.render().map_err(|error| ApiError::Internal(error.into()))?;
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::VARY, HeaderValue::from_static("accept-language")),
    ];
    Ok((CachePolicy::Private, headers, Html(html)).into_response())
}
