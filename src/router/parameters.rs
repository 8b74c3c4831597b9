//! Feed readers, crawlers and campaigns add parameters of their own to addresses. Outside `/v1` those that nobody
//! reads are taken away before anything looks at the request, so that each document has one entry in the cache.

use axum::extract::Request;
use axum::http::Uri;
use form_urlencoded::Serializer;

/// What is read outside `/v1`.
const READ: [(&str, &[&str]); 3] = [
    ("/feed.xml", &["tag", "author"]),
    ("/feed.json", &["tag", "author"]),
    ("/sitemap.xml", &["month", "page"]),
];

pub fn ignore_unknown_parameters(request: &mut Request) {
    let uri = request.uri();
    if let Some(query) = uri.query()
        && !uri.path().starts_with("/v1/")
    {
        let query = known(uri.path(), query);
        let target = format!("{}{}{query}", uri.path(), if query.is_empty() { "" } else { "?" });
        let mut parts = uri.clone().into_parts();
        parts.path_and_query = target.parse().ok();
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
}

fn known(path: &str, query: &str) -> String {
    let names = READ.iter().find(|(read, _)| *read == path).map_or(&[][..], |(_, names)| names);
    let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| names.contains(&&**name));
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}
