//! `/account`: the pages that links in mails open, for sites that have none of their own. A page does nothing by being
//! opened, as scanners of mail do: what is in the link's fragment is sent by the form on it.

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::cache::CachePolicy;
use crate::error::ApiError;
use crate::http::origin::PublicUrl;
use crate::mail::{MailLanguage, PreferredLanguage};
use crate::state::AppState;

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'",
);

/// The words of the page for a new password.
struct Words {
    title: &'static str,
    /// Without a token in the address.
    incomplete: &'static str,
    password: &'static str,
    rule: &'static str,
    submit: &'static str,
    done: &'static str,
    to_the_site: &'static str,
    /// The token is not valid.
    expired: &'static str,
    /// The password is not acceptable.
    refused: &'static str,
    failed: &'static str,
}

const ENGLISH: Words = Words {
    title: "Choose a new password",
    incomplete: "This address is not whole: open the link in the mail again.",
    password: "New password",
    rule: "At least 8 characters. Not your name, not your e-mail address, and none of the most common passwords.",
    submit: "Change the password",
    done: "Your password is changed. Sign in with it.",
    to_the_site: "To the site",
    expired: "This link was used or is too old. Ask for a new one.",
    refused: "This password is too short, too common, or your name.",
    failed: "That did not work. Try again in a moment.",
};

const GERMAN: Words = Words {
    title: "Neues Passwort wählen",
    incomplete: "Diese Adresse ist nicht vollständig: Öffnen Sie noch einmal den Link in der E-Mail.",
    password: "Neues Passwort",
    rule: "Mindestens 8 Zeichen. Nicht Ihr Name, nicht Ihre E-Mail-Adresse und keines der häufigsten Passwörter.",
    submit: "Passwort ändern",
    done: "Ihr Passwort ist geändert. Melden Sie sich damit an.",
    to_the_site: "Zur Website",
    expired: "Dieser Link wurde schon benutzt oder ist zu alt. Fordern Sie einen neuen an.",
    refused: "Dieses Passwort ist zu kurz, zu häufig oder Ihr Name.",
    failed: "Das hat nicht geklappt. Versuchen Sie es gleich noch einmal.",
};

#[derive(Template)]
#[template(path = "account/password_reset.html")]
struct PasswordReset<'a> {
    language: &'a str,
    words: &'a Words,
    site: Option<&'a str>,
}

pub(super) fn routes() -> Router<AppState> {
    let asset = |kind: &'static str, text: &'static str| {
        get(async move || ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=3600")], text))
    };
    Router::new()
        .route("/account/password-reset", get(password_reset))
        .route(
            "/account/page.js",
            asset("text/javascript; charset=utf-8", include_str!("../../templates/account/page.js")),
        )
        .route(
            "/account/page.css",
            asset("text/css; charset=utf-8", include_str!("../../templates/account/page.css")),
        )
}

async fn password_reset(
    PreferredLanguage(language): PreferredLanguage,
    State(PublicUrl(site)): State<PublicUrl>,
) -> Result<Response, ApiError> {
    let words = match language {
        MailLanguage::English => &ENGLISH,
        MailLanguage::German => &GERMAN,
    };
    let page = PasswordReset { language: language.as_str(), words, site: site.as_deref() };
    let html = page.render().map_err(|error| ApiError::Internal(error.into()))?;
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::VARY, HeaderValue::from_static("accept-language")),
    ];
    Ok((CachePolicy::Private, headers, Html(html)).into_response())
}
