//! `/feed.xml`, `/feed.json` and `/sitemap.xml`. Everything here is public and the same for everybody: no
//! token is read, so that caches may keep the responses.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SubsecRound, Utc};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::model::json::JsonFeed;
use super::model::sitemap::{self, MAX_URLS, Month};
use super::model::{Addresses, Feed, atom, json};
use super::store::{self, Filter};
use crate::cache::CachePolicy;
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::http::conditional::digest;
use crate::http::extract::Query;
use crate::http::now::Now;
use crate::http::origin::{Origin, PublicUrl};
use crate::http::validation::{Validate, Violations};
use crate::posts::store as posts;
use crate::site::store as site;
use crate::users::model::Profile;
use crate::users::store as users;
use crate::workers::BODIES;

/// How long a cache may keep a response without asking again.
const MAX_AGE: Duration = Duration::from_mins(1);

/// About what an address takes in the sitemap, in bytes.
const URL_LENGTH: usize = 100;

/// What a feed is limited to. Filters combine.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// Posts with this tag, whatever its case.
    #[param(pattern = r"^[^\x00]*$")]
    tag: Option<String>,
    /// Posts of the user with this id.
    author: Option<Uuid>,
}

impl Validate for FeedQuery {
    fn validate(&self, _: &mut Violations) {}
}

/// Which part of the sitemap.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SitemapQuery {
    /// The posts that were published in this month, in UTC.
    #[param(value_type = Option<String>, pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
    month: Option<Month>,
}

impl Validate for SitemapQuery {
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
        ("Last-Modified" = String, description = "When any post or the site last changed"),
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
    Query(query): Query<FeedQuery>,
) -> Result<Response, ApiError> {
    let (feed, freshness) = read(&db, query, now).await?;
    let document = atom::document(&feed, &Addresses { api, site });
    let document = document.map_err(|error| ApiError::Internal(error.into()))?;
    Ok(freshness.respond(atom::MEDIA_TYPE, document))
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
        ("Last-Modified" = String, description = "When any post or the site last changed"),
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
    Query(query): Query<FeedQuery>,
) -> Result<Response, ApiError> {
    let (feed, freshness) = read(&db, query, now).await?;
    let document = json::document(feed, &Addresses { api, site });
    let document = serde_json::to_vec(&document).map_err(|error| ApiError::Internal(error.into()))?;
    Ok(freshness.respond(json::MEDIA_TYPE, document))
}

/// The sitemap
///
/// Every published post, newest first; where there are more than 50,000, an index of a sitemap for each month.
/// No token is read.
#[utoipa::path(get, path = "/sitemap.xml", tag = "feeds", params(SitemapQuery,
    ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have"),
    ("If-Modified-Since" = Option<String>, Header, description = "The `Last-Modified` of what you have"),
), responses(
    (status = 200, description = "A sitemap or an index of sitemaps, version 0.9", body = String, content_type = sitemap::MEDIA_TYPE, headers(
        ("ETag" = String, description = "Changes with the document"),
        ("Last-Modified" = String, description = "When any post or the site last changed"),
        ("Cache-Control" = String, description = "Public; ends when the next scheduled post appears"),
    ), example = json!("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">…</urlset>")),
    (status = 400, description = "The `Host` header is not a host"),
))]
pub async fn sitemap(
    Origin(api): Origin,
    State(PublicUrl(site)): State<PublicUrl>,
    State(db): State<Db>,
    Now(now): Now,
    Query(SitemapQuery { month }): Query<SitemapQuery>,
) -> Result<Response, ApiError> {
    let addresses = Addresses { api, site };
    let mut connection = db.acquire_long_reader().await?;
    let freshness = Freshness::read(&mut connection, now).await?;
    let mut urls = store::urls(&mut connection, month, now).await?;
    let document = if month.is_none() && urls.len() > MAX_URLS {
        sitemap::index(&store::months(&mut connection, now).await?, &addresses)
    } else {
        drop(connection);
        urls.truncate(MAX_URLS);
        BODIES.run(urls.len() * URL_LENGTH, move || sitemap::urls(&urls, &addresses)).await?
    };
    let document = document.map_err(|error| ApiError::Internal(error.into()))?;
    Ok(freshness.respond(sitemap::MEDIA_TYPE, document))
}

async fn read(db: &Db, query: FeedQuery, now: DateTime<Utc>) -> Result<(Feed, Freshness), ApiError> {
    let mut connection = db.begin_costly_reader().await?;
    // Before the posts: what changes in between is then seen by whoever asks again.
    let freshness = Freshness::read(&mut connection, now).await?;
    let site = site::read(&mut connection).await?;
    let tag = query.tag.map(|tag| tag.trim().to_lowercase());
    let author = match query.author {
        Some(author) => Some(users::profile(&mut connection, author).await?.ok_or(ApiError::NotFound)?),
        None => None,
    };
    let filter = Filter { author: query.author, tag: tag.as_deref() };
    let entries = store::newest(&mut connection, filter, now).await?;
    let feed = Feed {
        title: limited_title(site.title, tag.as_deref(), author.as_ref()),
        description: site.description,
        query: limits(tag.as_deref(), query.author),
        updated_at: entries.iter().map(|entry| entry.updated_at).max().unwrap_or(site.updated_at),
        entries,
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

/// How long what is read now holds.
struct Freshness {
    now: DateTime<Utc>,
    last_change: DateTime<Utc>,
    next_change: Option<DateTime<Utc>>,
}

impl Freshness {
    async fn read(connection: &mut Connection, now: DateTime<Utc>) -> Result<Self, ApiError> {
        let of_site = site::read(connection).await?.updated_at;
        let of_posts = store::last_change(connection, now).await?;
        Ok(Self {
            now,
            last_change: of_posts.map_or(of_site, |of_posts| of_posts.max(of_site)),
            next_change: posts::next_publication(connection, now).await?,
        })
    }

    fn respond(&self, media_type: &'static str, document: Vec<u8>) -> Response {
        let mut headers =
            HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(media_type))]);
        headers.extend(
            HeaderValue::try_from(format!("\"{}\"", digest(&document))).map(|tag| (header::ETAG, tag)),
        );
        // HTTP dates are in whole seconds: within one that is not over, another change could follow unseen.
        if self.last_change.trunc_subsecs(0) < self.now.trunc_subsecs(0) {
            let date = self.last_change.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            headers.extend(HeaderValue::try_from(date).map(|date| (header::LAST_MODIFIED, date)));
        }
        let policy = CachePolicy::Shared { max_age: MAX_AGE, until: self.next_change };
        (policy, headers, document).into_response()
    }
}
