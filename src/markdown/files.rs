//! The site's own files in a text: those below the address of its media, which it has names for, and how its pictures are
//! shown.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

use url::Url;

use super::pieces::{Piece, pieces, unescaped};
use super::{Rendered, max_bytes};

/// What is known of a picture that a text shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    pub width: i32,
    pub height: i32,
    /// What it shows, where the text does not say it.
    pub alt: Option<String>,
    /// Narrower copies beside it: the name and the width of each.
    pub variants: Vec<(String, i32)>,
}

/// A file of the site's own that a text shows or links to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OwnFile {
    /// As the text has it, escaped.
    address: String,
    pub name: String,
}

/// The files below `base`, whose path ends with a slash, that links and pictures in `html` lead to: each address once.
pub(super) fn of(html: &str, base: Option<&Url>) -> Vec<OwnFile> {
    let Some(base) = base else { return Vec::new() };
    let mut seen = HashSet::new();
    let addresses =
        pieces(html).filter_map(|piece| piece.attribute("src").or_else(|| piece.attribute("href")));
    let files = addresses.filter(|address| seen.insert(*address)).filter_map(|address| {
        Some(OwnFile { address: address.to_owned(), name: name(&unescaped(address), base)? })
    });
    files.collect()
}

/// The name below `base` that an address has, however it is spelled: `HTTP://MEDIA.example:80/…`, `//media.example/…#page=3`.
fn name(address: &str, base: &Url) -> Option<String> {
    // Where any other leads is decided by the page that shows the text.
    if !address.contains("//") {
        return None;
    }
    let url = base.join(address).ok()?;
    let is_there =
        matches!(url.scheme(), "http" | "https") && url.host() == base.host() && url.port() == base.port();
    let name = url.path().strip_prefix(base.path()).filter(|name| is_there && is_name(name))?;
    Some(name.to_owned())
}

/// What a text may name at most is bounded by its length alone; what is no file's name is not looked for.
fn is_name(name: &str) -> bool {
    (65..160).contains(&name.len()) && name.bytes().take(64).all(|byte| byte.is_ascii_hexdigit())
}

impl Rendered {
    /// Gives the pictures that the text shows what is known of them, by their names; unless that made it too long.
    pub fn describe(&mut self, markdown: &str, pictures: &HashMap<String, Picture>) {
        let known: HashMap<_, _> = self
            .files
            .iter()
            .filter_map(|file| Some((&*file.address, (&*file.name, pictures.get(&file.name)?))))
            .collect();
        let html = described(&self.html, &known);
        if html.len() <= max_bytes(markdown) {
            self.html = html;
        }
    }
}

/// The name of a picture, and what is known of it, by its address.
type Known<'a> = HashMap<&'a str, (&'a str, &'a Picture)>;

fn described(html: &str, known: &Known<'_>) -> String {
    let mut out = String::with_capacity(html.len());
    for piece in pieces(html) {
        match picture(piece, known) {
            Some((base, name, picture)) => push(&mut out, piece, base, name, picture),
            None => out.push_str(piece.source()),
        }
    }
    out
}

/// What is known of the picture that an element shows, with its address up to its name.
fn picture<'a>(piece: Piece<'a>, known: &Known<'a>) -> Option<(&'a str, &'a str, &'a Picture)> {
    let Piece::Open("img", _) = piece else { return None };
    let address = piece.attribute("src")?;
    let (name, picture) = known.get(address)?;
    Some((&address[..address.find(name)?], name, picture))
}

fn push(out: &mut String, piece: Piece<'_>, base: &str, name: &str, picture: &Picture) {
    let is_known = picture.alt.is_some();
    // A blank one says nothing.
    let tag = piece.with_attributes(|attribute, value| {
        (!(attribute == "alt" && value.trim().is_empty() && is_known)).then(|| value.into())
    });
    out.push_str(tag.strip_suffix('>').unwrap_or(&tag));
    if let Some(alt) = &picture.alt
        && piece.attribute("alt").is_none_or(|alt| alt.trim().is_empty())
    {
        out.extend([" alt=\"", &escaped(alt), "\""]);
    }
    if piece.attribute("width").is_none() && piece.attribute("height").is_none() {
        write!(out, " width=\"{}\" height=\"{}\"", picture.width, picture.height).ok();
    }
    if !picture.variants.is_empty() {
        out.push_str(" srcset=\"");
        for (variant, width) in &picture.variants {
            write!(out, "{base}{variant} {width}w, ").ok();
        }
        write!(out, "{base}{name} {}w\"", picture.width).ok();
    }
    out.push_str(" loading=\"lazy\">");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// How many pictures in `html` have no alternative text.
#[must_use]
pub fn without_alt(html: &str) -> usize {
    let is_without = |piece: &Piece<'_>| {
        matches!(piece, Piece::Open("img", _))
            && piece.attribute("alt").is_none_or(|alt| alt.trim().is_empty())
    };
    pieces(html).filter(is_without).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://media.example/blog";

    fn name(digit: char, extension: &str) -> String {
        format!("{}.{extension}", String::from(digit).repeat(64))
    }

    #[test]
    fn files_are_below_the_address_of_the_media_however_it_is_spelled() {
        let base = Url::parse(&format!("{BASE}/")).unwrap();
        let (one, other) = (name('a', "jpg"), format!("{}/minutes-of-may.pdf", "b".repeat(64)));
        for (address, name) in [
            (format!("{BASE}/{one}"), &one),
            (format!("{BASE}/{other}?x&amp;y#page=3"), &other),
            (format!("http://media.example/blog/{one}"), &one),
            (format!("HTTPS://MEDIA.example:443/blog/./{one}#x"), &one),
            (format!("//media.example/blog/{one}?v=1"), &one),
        ] {
            let html = format!("<p><img src=\"{address}\"><a href=\"{address}\">x</a></p>");
            let file = OwnFile { address, name: name.clone() };
            assert_eq!(of(&html, Some(&base)), [file], "{html}");
            assert_eq!(of(&html, None), []);
        }
        for address in [
            format!("https://evil.example/blog/{one}"),
            format!("https://media.example.evil.example/blog/{one}"),
            format!("https://media.example:8443/blog/{one}"),
            format!("ftp://media.example/blog/{one}"),
            format!("{BASE}/../{one}"),
            format!("{BASE}/x.jpg"),
            format!("{BASE}{one}"),
            format!("/blog/{one}"),
            one,
        ] {
            assert_eq!(of(&format!("<img src=\"{address}\">"), Some(&base)), [], "{address}");
        }
    }

    #[test]
    fn a_picture_gets_what_it_does_not_have() {
        let (one, narrow) = (name('a', "jpg"), name('c', "jpg"));
        let known = Picture {
            width: 800,
            height: 600,
            alt: Some("A \"bridge\" <&>".to_owned()),
            variants: vec![(narrow.clone(), 480)],
        };
        let there = format!("{BASE}/{one}");
        let pictures = HashMap::from([(&*there, (&*one, &known))]);
        let src = format!("src=\"{BASE}/{one}\"");
        let lazy = format!("srcset=\"{BASE}/{narrow} 480w, {BASE}/{one} 800w\" loading=\"lazy\">");
        let alt = "alt=\"A &quot;bridge&quot; &lt;&amp;&gt;\"";
        for (html, expected) in [
            (
                format!("<img {src} alt=\"\">"),
                format!("<img {src} {alt} width=\"800\" height=\"600\" {lazy}"),
            ),
            (format!("<img {src}>"), format!("<img {src} {alt} width=\"800\" height=\"600\" {lazy}")),
            (
                format!("<img {src} alt=\"own\">"),
                format!("<img {src} alt=\"own\" width=\"800\" height=\"600\" {lazy}"),
            ),
            (
                format!("<img {src} alt=\"own\" width=\"9\">"),
                format!("<img {src} alt=\"own\" width=\"9\" {lazy}"),
            ),
            (format!("<a href=\"{BASE}/{one}\">x</a>"), format!("<a href=\"{BASE}/{one}\">x</a>")),
            // The same name elsewhere is another's.
            (
                format!("<img src=\"https://evil.example/{one}\">"),
                format!("<img src=\"https://evil.example/{one}\">"),
            ),
            ("<img src=\"x\"> &amp;".to_owned(), "<img src=\"x\"> &amp;".to_owned()),
        ] {
            assert_eq!(described(&html, &pictures), expected);
        }
    }

    #[test]
    fn pictures_without_words_are_counted() {
        assert_eq!(
            without_alt("<img src=\"a\"><img src=\"b\" alt=\" \"><img src=\"c\" alt=\"c\"><p>img</p>"),
            2
        );
    }
}
