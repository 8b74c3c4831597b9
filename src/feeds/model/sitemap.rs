//! The sitemap, as sitemaps.org defines it (0.9): one document of every post, or where they are too many for
//! one, an index of a document for each month, and of several for a month that has too many itself.

use std::fmt;
use std::iter;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Months, NaiveDate, SecondsFormat, Utc};
use quick_xml::escape::escape;
use serde::{Deserialize, Serialize};

use super::Addresses;

pub const MEDIA_TYPE: &str = "application/xml";

/// The protocol's limit for one document.
pub const MAX_URLS: usize = 50_000;

/// About what an address takes in a document, in bytes.
pub const URL_LENGTH: usize = 110;

#[derive(Clone, Debug, Serialize)]
pub struct Url {
    pub slug: String,
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub updated_at: DateTime<Utc>,
}

/// A month in UTC, by its first day: `2026-11`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Month(NaiveDate);

impl Month {
    #[must_use]
    pub fn of(time: DateTime<Utc>) -> Self {
        let date = time.date_naive();
        Self(date.with_day(1).unwrap_or(date))
    }

    #[must_use]
    pub fn start(self) -> DateTime<Utc> {
        self.0.and_time(chrono::NaiveTime::MIN).and_utc()
    }

    /// The first moment of the next one.
    #[must_use]
    pub fn end(self) -> DateTime<Utc> {
        Self(self.0.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX)).start()
    }
}

/// A month, and how many posts were published in it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MonthPosts {
    pub month: Month,
    pub posts: usize,
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m"))
    }
}

impl FromStr for Month {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let first_day = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d");
        let month = first_day.map(Self).ok().filter(|month| month.to_string() == text);
        month.ok_or("must be a month like 2026-11")
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The document of `posts`. Without any it names the first page of the site: the protocol knows no empty one.
#[must_use]
pub fn urls(posts: &[Url], addresses: &Addresses) -> String {
    let mut urls = String::with_capacity(posts.len() * URL_LENGTH);
    if posts.is_empty() {
        urls.extend(["<url><loc>", &escape(addresses.home()), "</loc></url>"]);
    }
    for post in posts {
        let updated_at = post.updated_at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let address = escape(addresses.post(&post.slug));
        urls.extend(["<url><loc>", &address, "</loc><lastmod>", &updated_at, "</lastmod></url>"]);
    }
    document("urlset", &urls)
}

/// The document that names the documents of each of `months`.
#[must_use]
pub fn index(months: &[MonthPosts], addresses: &Addresses) -> String {
    let mut sitemaps = String::new();
    for MonthPosts { month, posts } in months {
        let first = format!("{}/sitemap.xml?month={month}", addresses.api);
        let others = (2..=posts.div_ceil(MAX_URLS)).map(|page| format!("{first}&page={page}"));
        for address in iter::once(first.clone()).chain(others) {
            sitemaps.extend(["<sitemap><loc>", &escape(address), "</loc></sitemap>"]);
        }
    }
    document("sitemapindex", &sitemaps)
}

fn document(root: &str, content: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\
         <{root} xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">{content}</{root}>"
    )
}
