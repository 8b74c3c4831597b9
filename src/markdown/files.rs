//! The site's own files in a text: those below the address of its media, which it has names for, and how its pictures are
//! shown.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;

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

/// The names below the address `base` that links and pictures in `html` have, each once.
pub(super) fn names(html: &str, base: Option<&str>) -> Vec<String> {
    let Some(base) = base else { return Vec::new() };
    let mut seen = HashSet::new();
    let addresses =
        pieces(html).filter_map(|piece| piece.attribute("src").or_else(|| piece.attribute("href")));
    let names = addresses.filter_map(|address| {
        let address = unescaped(address);
        let rest = address.strip_prefix(base)?.strip_prefix('/')?;
        // What follows is about a place in the file: `#page=3`.
        let name = rest.split(['?', '#']).next().filter(|name| is_name(name))?;
        Some(name.to_owned())
    });
    names.filter(|name| seen.insert(name.clone())).collect()
}

/// What a text may name at most is bounded by its length alone; what is no file's name is not looked for.
fn is_name(name: &str) -> bool {
    (65..160).contains(&name.len()) && name.bytes().take(64).all(|byte| byte.is_ascii_hexdigit())
}

impl Rendered {
    /// Gives the pictures that the text shows what is known of them, by their names; unless that made it too long.
    pub fn describe(&mut self, markdown: &str, pictures: &HashMap<String, Picture>) {
        let html = described(&self.html, pictures);
        if html.len() <= max_bytes(markdown) {
            self.html = html;
        }
    }
}

fn described(html: &str, pictures: &HashMap<String, Picture>) -> String {
    let mut out = String::with_capacity(html.len());
    for piece in pieces(html) {
        match picture(piece, pictures) {
            Some((base, name, picture)) => push(&mut out, piece, base, name, picture),
            None => out.push_str(piece.source()),
        }
    }
    out
}

/// What is known of the picture that an element shows, with its address up to its name.
fn picture<'a, 'b>(
    piece: Piece<'a>,
    pictures: &'b HashMap<String, Picture>,
) -> Option<(&'a str, &'a str, &'b Picture)> {
    let Piece::Open("img", _) = piece else { return None };
    let (base, name) = piece.attribute("src")?.rsplit_once('/')?;
    Some((base, name, pictures.get(name)?))
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
            write!(out, "{base}/{variant} {width}w, ").ok();
        }
        write!(out, "{base}/{name} {}w\"", picture.width).ok();
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
    fn names_are_those_below_the_address_of_the_media() {
        let (one, other) = (name('a', "jpg"), format!("{}/minutes-of-may.pdf", "b".repeat(64)));
        let html = format!(
            "<p><img src=\"{BASE}/{one}\" alt=\"\"><img src=\"{BASE}/{one}\"><a href=\"{BASE}/{other}?x#page=3\">x</a>\
             <img src=\"https://evil.example/blog/{other}\"><img src=\"{BASE}/../{one}\"><img src=\"{BASE}/x.jpg\">\
             <img src=\"{BASE}{one}\"></p>"
        );
        assert_eq!(names(&html, Some(BASE)), [one, other]);
        assert!(names(&html, None).is_empty());
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
        let pictures = HashMap::from([(one.clone(), known)]);
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
