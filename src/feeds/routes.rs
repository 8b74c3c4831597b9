//! `/feed.xml` and `/feed.json`, and in `sitemap` the sitemap. Everything here is public and the same for everybody: no
//! token is read, so that caches may keep the responses.

mod freshness;
mod sitemap;

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::model::json::JsonFeed;
use super::model::{Addresses, Feed, atom, json};
use super::store::{self, Filter};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::extract::{Query, not_blank};
use crate::http::now::Now;
use crate::http::origin::{Origin, PublicUrl};
use crate::http::validation::{Validate, Violations};
use crate::posts::model::Tag;
use crate::posts::store::NextPublication;
use crate::site::store as site;
use crate::users::model::Profile;
use crate::users::store as users;
use freshness::{Document, Freshness, Known, fingerprint};
pub use sitemap::*;

/// What a feed is limited to. Filters combine.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// Posts with this tag, whatever its case.
    #[serde(default, deserialize_with = "not_blank")]
    #[param(pattern = r"^[^\x00]*$")]
    tag: Option<String>,
    /// Posts of the user with this id.
    author: Option<Uuid>,
}

impl Validate for FeedQuery {
    fn validate(&self, _: &mut Violations) {}
}

/// The newest posts as Atom
///
/// The newest 20, with their whole texts; fewer if these have more than 2 MiB together. No token is read.
#[utoipa::path(get, path = "/feed.xml", tag = "feeds", params(FeedQuery,
    ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have"),
    ("If-Modified-Since" = Option<String>, Header, description = "The `Last-Modified` of what you have"),
), responses(
    (status = 200, description = "An Atom 1.0 document", body = String, content_type = atom::MEDIA_TYPE, headers(
        ("ETag" = String, description = "Changes with the document"),
        ("Last-Modified" = String, description = "Since when it is as it is, if that is known"),
        ("Cache-Control" = String, description = "Public; ends when the next scheduled post appears"),
    ), example = json!("<feed xmlns=\"http://www.w3.org/2005/Atom\">…</feed>")),
    (status = 400, description = "The `Host` header is not a host"),
    (status = 404, description = "No such author"),
))]
pub async fn atom(
    Origin(api): Origin,
    State(PublicUrl(site)): State<PublicUrl>,
    State(db): State<Db>,
    Now(now): Now,
    State(next): State<NextPublication>,
    Query(query): Query<FeedQuery>,
) -> Result<Response, ApiError> {
    let (feed, freshness) = read(&db, &next, query, site.as_deref(), now).await?;
    let document = atom::document(&feed, &Addresses { api, site });
    let document = document.map_err(|error| ApiError::Internal(error.into()))?;
    Ok(freshness.respond(atom::MEDIA_TYPE, Document::new(document)))
}

/// The newest posts as a JSON feed
///
/// The newest 20, with their whole texts; fewer if these have more than 2 MiB together. No token is read.
#[utoipa::path(get, path = "/feed.json", tag = "feeds", params(FeedQuery,
    ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have"),
    ("If-Modified-Since" = Option<String>, Header, description = "The `Last-Modified` of what you have"),
), responses(
    (status = 200, description = "A JSON Feed 1.1 document", body = JsonFeed, content_type = json::MEDIA_TYPE, headers(
        ("ETag" = String, description = "Changes with the document"),
        ("Last-Modified" = String, description = "Since when it is as it is, if that is known"),
        ("Cache-Control" = String, description = "Public; ends when the next scheduled post appears"),
    )),
    (status = 400, description = "The `Host` header is not a host"),
    (status = 404, description = "No such author"),
))]
pub async fn json(
    Origin(api): Origin,
    State(PublicUrl(site)): State<PublicUrl>,
    State(db): State<Db>,
    Now(now): Now,
    State(next): State<NextPublication>,
    Query(query): Query<FeedQuery>,
) -> Result<Response, ApiError> {
    let (feed, freshness) = read(&db, &next, query, site.as_deref(), now).await?;
    let document = json::document(feed, &Addresses { api, site });
    let document = serde_json::to_vec(&document).map_err(|error| ApiError::Internal(error.into()))?;
    Ok(freshness.respond(json::MEDIA_TYPE, Document::new(document)))
}

async fn read(
    db: &Db,
    next: &NextPublication,
    query: FeedQuery,
    site: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(Feed, Freshness), ApiError> {
    let tag = query.tag.map(|tag| Tag::from(tag.as_str()).as_str().to_owned());
    let limits = limits(tag.as_deref(), query.author);
    let mut connection = db.begin_costly_reader().await?;
    let of_site = site::read(&mut connection).await?;
    let author = match query.author {
        Some(author) => Some(users::profile(&mut connection, author).await?.ok_or(ApiError::NotFound)?),
        None => None,
    };
    let filter = Filter { author: query.author, tag: tag.as_deref() };
    let entries = store::newest(&mut connection, filter, now).await?;
    let known = Known::read(&mut connection, format!("feed{limits}"), next, now).await?;
    drop(connection);
    let newest = entries.iter().map(|entry| entry.updated_at).max();
    let feed = Feed {
        title: limited_title(of_site.title, tag.as_deref(), author.as_ref()),
        description: of_site.description,
        query: limits,
        updated_at: newest.unwrap_or(of_site.updated_at),
        entries,
    };
    let freshness = if feed.entries.is_empty() && !feed.query.is_empty() {
        known.undated()
    } else {
        let fingerprint = fingerprint(&(&feed, site))?;
        known.dated(db, &fingerprint, feed.updated_at.max(of_site.updated_at)).await
    };
    Ok((feed, freshness))
}

fn limited_title(mut title: String, tag: Option<&str>, author: Option<&Profile>) -> String {
    let author = author.map(|author| author.display_name.as_ref().unwrap_or(&author.username).as_str());
    for limit in tag.into_iter().chain(author) {
        title.push_str(": ");
        title.push_str(limit);
    }
    title
}

fn limits(tag: Option<&str>, author: Option<Uuid>) -> String {
    let pairs = tag.map(|tag| ("tag", tag.to_owned())).into_iter();
    let mut pairs = pairs.chain(author.map(|author| ("author", author.to_string()))).peekable();
    if pairs.peek().is_none() {
        return String::new();
    }
    form_urlencoded::Serializer::for_suffix("?".to_owned(), 1).extend_pairs(pairs).finish()
}
