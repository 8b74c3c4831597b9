//! A feed as Atom 1.0 (RFC 4287).

use atom_syndication::{Category, Content, Error, Generator, Link, Person, Text};

use crate::media::model::Image;

use super::{Addresses, Entry, Feed, expressible, html};

pub const MEDIA_TYPE: &str = "application/atom+xml";

/// Never fails: it writes to memory.
pub fn document(feed: &Feed, addresses: &Addresses) -> Result<Vec<u8>, Error> {
    let address = |of: &str| format!("{of}/feed.xml{}", feed.query);
    let document = atom_syndication::Feed {
        title: text(&feed.title),
        subtitle: feed.description.as_deref().map(text),
        id: address(addresses.identity()),
        updated: feed.updated_at.fixed_offset(),
        links: vec![
            link("self", address(&addresses.api), MEDIA_TYPE),
            link("alternate", addresses.home(), addresses.media_type()),
        ],
        generator: Some(Generator {
            value: env!("CARGO_PKG_NAME").into(),
            version: Some(crate::VERSION.into()),
            ..Generator::default()
        }),
        entries: feed.entries.iter().map(|post| entry(post, addresses)).collect(),
        ..atom_syndication::Feed::default()
    };
    document.write_to(Vec::new())
}

fn entry(post: &Entry, addresses: &Addresses) -> atom_syndication::Entry {
    let address = addresses.post(&post.slug);
    let content = html::with_absolute_links(&post.html, &address);
    let category = |tag: &String| Category { term: expressible(tag).into(), ..Category::default() };
    atom_syndication::Entry {
        title: text(&post.title),
        id: post.urn(),
        updated: post.updated_at.fixed_offset(),
        published: Some(post.published_at.fixed_offset()),
        authors: vec![Person { name: expressible(&post.author).into(), ..Person::default() }],
        categories: post.tags.iter().map(category).collect(),
        summary: post.summary.as_deref().map(text),
        content: Some(Content {
            value: Some(expressible(&content).into()),
            content_type: Some("html".into()),
            ..Content::default()
        }),
        links: [link("alternate", address, addresses.media_type())]
            .into_iter()
            .chain(post.cover.as_ref().map(enclosure))
            .collect(),
        ..atom_syndication::Entry::default()
    }
}

fn enclosure(cover: &Image) -> Link {
    let title = cover.alt.as_deref().map(|alt| expressible(alt).into());
    let length = Some(cover.bytes.to_string());
    Link { title, length, ..link("enclosure", cover.url.clone(), &cover.content_type) }
}

fn text(value: &str) -> Text {
    Text::plain(expressible(value))
}

fn link(rel: &str, href: String, media_type: &str) -> Link {
    Link { rel: rel.into(), href, mime_type: Some(media_type.into()), ..Link::default() }
}
