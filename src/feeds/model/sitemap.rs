//! The sitemap, as sitemaps.org defines it (0.9): one document of every post, or where they are too many for
//! one, an index of a document for each month, and of several for a month that has too many itself.

use std::fmt;
use std::io;
use std::iter;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Months, NaiveDate, SecondsFormat, Utc};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use serde::{Deserialize, Serialize};

use super::Addresses;

pub const MEDIA_TYPE: &str = "application/xml";

/// The protocol's limit for one document.
pub const MAX_URLS: usize = 50_000;

#[derive(Clone, Debug, Serialize)]
pub struct Url {
    pub slug: String,
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
/// Never fails: it writes to memory.
pub fn urls(posts: &[Url], addresses: &Addresses) -> io::Result<Vec<u8>> {
    document("urlset", |writer| {
        if posts.is_empty() {
            writer
                .create_element("url")
                .write_inner_content(|writer| text(writer, "loc", &addresses.home()))?;
        }
        for post in posts {
            let updated_at = post.updated_at.to_rfc3339_opts(SecondsFormat::Secs, true);
            writer.create_element("url").write_inner_content(|writer| {
                text(writer, "loc", &addresses.post(&post.slug))?;
                text(writer, "lastmod", &updated_at)
            })?;
        }
        Ok(())
    })
}

/// The document that names the documents of each of `months`.
/// Never fails: it writes to memory.
pub fn index(months: &[MonthPosts], addresses: &Addresses) -> io::Result<Vec<u8>> {
    document("sitemapindex", |writer| {
        for MonthPosts { month, posts } in months {
            let first = format!("{}/sitemap.xml?month={month}", addresses.api);
            let others = (2..=posts.div_ceil(MAX_URLS)).map(|page| format!("{first}&page={page}"));
            for address in iter::once(first.clone()).chain(others) {
                writer
                    .create_element("sitemap")
                    .write_inner_content(|writer| text(writer, "loc", &address))?;
            }
        }
        Ok(())
    })
}

fn document(root: &str, content: impl FnOnce(&mut Writer<Vec<u8>>) -> io::Result<()>) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new(Vec::new());
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer
        .create_element(root)
        .with_attribute(("xmlns", "http://www.sitemaps.org/schemas/sitemap/0.9"))
        .write_inner_content(content)?;
    Ok(writer.into_inner())
}

fn text(writer: &mut Writer<Vec<u8>>, name: &str, text: &str) -> io::Result<()> {
    writer.create_element(name).write_text_content(BytesText::new(text)).map(drop)
}
