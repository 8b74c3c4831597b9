//! Where links lead: those within the page to what is there, and how browsers and search engines follow the
//! others.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use percent_encoding::percent_decode_str;
use unicode_normalization::UnicodeNormalization;
use url::Url;

use super::anchors::Slugs;
use super::pieces::{pieces, unescaped};

/// What links say of their texts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rel<'a> {
    /// Its author is trusted, and the site may know that its own readers come from it.
    OfPost(Option<&'a Url>),
    OfComment,
}

const OWN: &str = "noopener";
const FOREIGN: &str = "noopener noreferrer";
const OF_COMMENTS: &str = "nofollow ugc noopener noreferrer";

/// What the longest takes in a tag, in bytes.
pub(super) const MAX_REL: usize = " rel=\"\"".len() + OF_COMMENTS.len();

impl Rel<'_> {
    fn of(self, href: &str) -> &'static str {
        match self {
            Self::OfComment => OF_COMMENTS,
            Self::OfPost(site) if is_own(href, site) => OWN,
            Self::OfPost(_) => FOREIGN,
        }
    }
}

/// Whether `href` leads to the host of `site`, or to no host.
fn is_own(href: &str, site: Option<&Url>) -> bool {
    static UNKNOWN: LazyLock<Option<Url>> = LazyLock::new(|| Url::parse("https://site.invalid/").ok());
    let Some(site) = site.or(UNKNOWN.as_ref()) else { return false };
    site.join(href).is_ok_and(|url| (url.host(), url.port()) == (site.host(), site.port()))
}

/// Gives each link its `rel`. One into the page leads to an id of `html` or, as on other sites, to the heading
/// with this slug; without such a target it is none.
pub(super) fn finished(html: &str, slugs: &Slugs, rel: Rel<'_>) -> String {
    let ids: HashSet<&str> = pieces(html).filter_map(|piece| piece.attribute("id")).collect();
    let mut out = String::with_capacity(html.len());
    for piece in pieces(html) {
        let Some(href) = piece.attribute("href") else {
            out.push_str(piece.source());
            continue;
        };
        let href = as_browsers_read(href);
        let Some(fragment) = href.strip_prefix('#').filter(|fragment| !is_top(fragment)) else {
            push_with_rel(&mut out, piece.source(), rel.of(&href));
            continue;
        };
        let fragment: String = percent_decode_str(fragment).decode_utf8_lossy().nfc().collect();
        let target = ids.get(&*fragment).copied().or_else(|| slugs.get(&fragment).map(String::as_str));
        match target.or_else(|| slugs.get(&fragment.to_lowercase()).map(String::as_str)) {
            Some(id) => {
                let tag = piece.with_attributes(|name, value| {
                    Some(if name == "href" { format!("#{id}").into() } else { Cow::Borrowed(value) })
                });
                push_with_rel(&mut out, &tag, rel.of(&href));
            }
            None => {
                out.push_str(&piece.with_attributes(|name, value| (name != "href").then(|| value.into())));
            }
        }
    }
    out
}

/// What HTML says is the top of every page.
fn is_top(fragment: &str) -> bool {
    fragment.is_empty() || fragment.eq_ignore_ascii_case("top")
}

fn push_with_rel(out: &mut String, tag: &str, rel: &str) {
    out.extend([tag.strip_suffix('>').unwrap_or(tag), " rel=\"", rel, "\">"]);
}

/// Without the control characters and spaces around an address, and without its tabs and line breaks.
fn as_browsers_read(href: &str) -> String {
    unescaped(href).trim_matches(|c: char| c <= ' ').replace(['\t', '\n', '\r'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_links_are_those_to_the_host_of_the_site() {
        let site = Url::parse("https://blog.example/home").unwrap();
        for (href, is_own_with_site, is_own_without) in [
            ("/about", true, true),
            ("other#x", true, true),
            ("", true, true),
            ("?page=2", true, true),
            ("https://blog.example/posts/x", true, false),
            ("HTTPS://BLOG.example:443/", true, false),
            ("http://blog.example", true, false),
            ("//blog.example/x", true, false),
            ("https://blog.example.evil.example/", false, false),
            ("https://blog.example@evil.example/", false, false),
            ("https://blog.example:8443/", false, false),
            ("//evil.example", false, false),
            ("\\\\evil.example", false, false),
            ("/\\evil.example", false, false),
            ("mailto:a@blog.example", false, false),
        ] {
            assert_eq!(is_own(href, Some(&site)), is_own_with_site, "{href}");
            assert_eq!(is_own(href, None), is_own_without, "{href}");
        }
    }
}
