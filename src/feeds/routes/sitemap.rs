//! `/sitemap.xml`.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::freshness::{Document, Known, fingerprint};
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::feeds::model::Addresses;
use crate::feeds::model::sitemap::{self, MAX_URLS, Month, MonthPosts, URL_LENGTH, Url};
use crate::feeds::store::{self, Range};
use crate::http::extract::Query;
use crate::http::now::Now;
use crate::http::origin::{Origin, PublicUrl};
use crate::http::validation::{Validate, Violations};
use crate::posts::store::NextPublication;
use crate::site::store as site;
use crate::workers::BODIES;

/// Which part of the sitemap.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SitemapQuery {
    /// The posts that were published in this month, in UTC.
    #[param(value_type = Option<String>, pattern = r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
    month: Option<Month>,
    /// Which 50,000 of the month, if it has more.
    #[param(minimum = 1)]
    page: Option<u32>,
}

impl Validate for SitemapQuery {
    fn validate(&self, violations: &mut Violations) {
        if self.page == Some(0) {
            violations.add("page", "out_of_range", "must be at least 1");
        }
        if self.page.is_some() && self.month.is_none() {
            violations.add("page", "needs_month", "can be given only with `month`");
        }
    }
}

/// What the sitemap says.
#[derive(Serialize)]
enum Content {
    Urls(Vec<Url>),
    Index(Vec<MonthPosts>),
}

impl Content {
    /// About how long its document is, in bytes.
    fn length(&self) -> usize {
        let addresses = match self {
            Self::Urls(urls) => urls.len(),
            Self::Index(months) => months.len(),
        };
        addresses * URL_LENGTH
    }

    /// The document, and the fingerprint of what it is made of.
    fn document(&self, addresses: &Addresses) -> Result<(Document, String), ApiError> {
        let document = match self {
            Self::Urls(urls) => sitemap::urls(urls, addresses),
            Self::Index(months) => sitemap::index(months, addresses),
        };
        Ok((Document::new(document.into_bytes()), fingerprint(&(self, addresses.site.as_deref()))?))
    }
}

/// The sitemap
///
/// Every published post, newest first; where there are more than 50,000, an index of sitemaps for each month.
/// Without any post, the first page of the site. No token is read.
#[utoipa::path(get, path = "/sitemap.xml", tag = "feeds", params(SitemapQuery,
    ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have"),
    ("If-Modified-Since" = Option<String>, Header, description = "The `Last-Modified` of what you have"),
), responses(
    (status = 200, description = "A sitemap or an index of sitemaps, version 0.9", body = String, content_type = sitemap::MEDIA_TYPE, headers(
        ("ETag" = String, description = "Changes with the document"),
        ("Last-Modified" = String, description = "Since when it is as it is, if that is known"),
        ("Cache-Control" = String, description = "Public; ends when the next scheduled post appears"),
    ), example = json!("<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">…</urlset>")),
    (status = 400, description = "The `Host` header is not a host"),
    (status = 404, description = "No post was published in this month, or none is on this page of it"),
))]
pub async fn sitemap(
    Origin(api): Origin,
    State(PublicUrl(site)): State<PublicUrl>,
    State(db): State<Db>,
    Now(now): Now,
    State(next): State<NextPublication>,
    Query(SitemapQuery { month, page }): Query<SitemapQuery>,
) -> Result<Response, ApiError> {
    let range = Range { month, page: page.unwrap_or(1) };
    let mut connection = db.acquire_long_reader().await?;
    let of_site = site::read(&mut connection).await?.updated_at;
    let (content, newest) = content(&mut connection, range, now).await?;
    let newest = newest.map_or(of_site, |newest| newest.max(of_site));
    let known = Known::read(&mut connection, name(range), &next, now).await?;
    drop(connection);
    let addresses = Addresses { api, site };
    let length = content.length();
    let (document, fingerprint) = BODIES.run(length, move || content.document(&addresses)).await??;
    let freshness = known.dated(&db, &fingerprint, newest).await;
    Ok(freshness.respond(sitemap::MEDIA_TYPE, document))
}

/// What the part `range` says, and when the newest in it was published or changed.
async fn content(
    connection: &mut Connection,
    range: Range,
    now: DateTime<Utc>,
) -> Result<(Content, Option<DateTime<Utc>>), ApiError> {
    if range.month.is_none() {
        let months = store::months(connection, now).await?;
        if months.iter().map(|month| month.posts).sum::<usize>() > MAX_URLS {
            let newest = store::last_publication(connection, now).await?;
            return Ok((Content::Index(months), newest));
        }
    }
    let urls = store::urls(connection, range, now).await?;
    if urls.is_empty() && range.month.is_some() {
        return Err(ApiError::NotFound);
    }
    let newest = urls.iter().map(|url| url.updated_at).max();
    Ok((Content::Urls(urls), newest))
}

/// The name of a page, for its time.
fn name(Range { month, page }: Range) -> String {
    month.map_or_else(|| "sitemap".into(), |month| format!("sitemap?month={month}&page={page}"))
}
