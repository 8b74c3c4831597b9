//! `/`: what this is and where the rest is, for who has only the host's name. And what browsers and crawlers ask
//! every host for.

use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};

use crate::VERSION;
use crate::cache::CachePolicy;
use crate::http::extract::Json;
use crate::http::origin::Origin;
use crate::http::weighed::weighed;
use crate::state::AppState;

const NAME: &str = env!("CARGO_PKG_NAME");
const DESCRIPTION: &str = "The API of a blog: users, posts and comments.";

/// Name, path, and what is there.
const LINKS: [(&str, &str, &str); 8] = [
    ("docs", "/docs/", "The API, to read and to try"),
    ("openapi", "/openapi.json", "The API as an OpenAPI document"),
    ("posts", "/v1/posts", "The posts"),
    ("atom", "/feed.xml", "The newest posts as an Atom feed"),
    ("json_feed", "/feed.json", "The newest posts as a JSON feed"),
    ("sitemap", "/sitemap.xml", "The sitemap"),
    ("health", "/health", "Whether the process answers"),
    ("ready", "/ready", "Whether it can serve"),
];

pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/", get(home)).route("/favicon.ico", get(favicon)).route("/robots.txt", get(robots))
}

async fn home(headers: HeaderMap) -> Response {
    let page =
        if prefers_html(&headers) { Html(html()).into_response() } else { Json(index()).into_response() };
    // The cache of this task has one entry for each address.
    (CachePolicy::Private, [(header::VARY, "accept")], page).into_response()
}

fn index() -> Value {
    let links: Map<_, _> = LINKS.iter().map(|(name, path, _)| ((*name).to_owned(), json!(path))).collect();
    json!({"name": NAME, "version": VERSION, "description": DESCRIPTION, "links": links})
}

fn html() -> String {
    let link =
        |(_, path, text): &(&str, &str, &str)| format!("<li><a href=\"{path}\">{path}</a>: {text}</li>\n");
    let links: String = LINKS.iter().map(link).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{NAME}</title>\n\
         <link rel=\"alternate\" type=\"application/atom+xml\" href=\"/feed.xml\">\n\
         <link rel=\"alternate\" type=\"application/feed+json\" href=\"/feed.json\">\n</head>\n\
         <body>\n<h1>{NAME}</h1>\n<p>{DESCRIPTION}</p>\n<ul>\n{links}</ul>\n</body>\n</html>\n"
    )
}

/// Browsers name HTML before anything else; programs take anything, or ask for JSON.
fn prefers_html(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let ranges: Vec<_> = values.flat_map(|value| value.split(',')).map(weighed).collect();
    let weight = |media_type: &str| {
        let named = ranges.iter().filter(|(range, _)| range.eq_ignore_ascii_case(media_type));
        named.map(|(_, weight)| *weight).fold(0.0, f32::max)
    };
    let html = weight("text/html");
    html > 0.0 && html >= weight("application/json")
}

/// None, but every browser asks.
async fn favicon() -> Response {
    (StatusCode::NO_CONTENT, [(header::CACHE_CONTROL, "public, max-age=86400")]).into_response()
}

async fn robots(Origin(origin): Origin) -> Response {
    let text = format!("User-agent: *\nAllow: /\n\nSitemap: {origin}/sitemap.xml\n");
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_html_and_programs_json() {
        for (accept, html) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("text/html", true),
            ("TEXT/HTML; charset=utf-8; q=0.5", true),
            ("application/json, text/html;q=0.9", false),
            ("application/json, text/plain, */*", false),
            ("text/html;q=0, */*", false),
            ("*/*", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(prefers_html(&headers), html, "{accept}");
        }
        assert!(!prefers_html(&HeaderMap::new()));
    }
}
