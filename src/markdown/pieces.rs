//! The sanitizer's HTML, piece by piece. It is written by a serializer, so that it has one form: `<`, `>` and
//! `"` are escaped wherever they are not markup, names are in lower case and attributes in double quotes.

use std::borrow::Cow;

/// A piece of HTML; all pieces together are the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A start tag: the element's name and the tag's source.
    Open(&'a str, &'a str),
    Close(&'a str, &'a str),
    /// Text, escaped.
    Text(&'a str),
}

impl<'a> Piece<'a> {
    fn new(source: &'a str) -> Self {
        let name = |tag: &'a str| tag.split([' ', '>']).next().unwrap_or_default();
        match source.strip_prefix('<') {
            None => Self::Text(source),
            Some(tag) => match tag.strip_prefix('/') {
                None => Self::Open(name(tag), source),
                Some(tag) => Self::Close(name(tag), source),
            },
        }
    }

    pub(super) fn source(self) -> &'a str {
        let (Self::Open(_, source) | Self::Close(_, source) | Self::Text(source)) = self;
        source
    }

    /// The names and the escaped values of its attributes.
    fn attributes(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = if let Self::Open(name, source) = self { &source[1 + name.len()..] } else { "" };
        std::iter::from_fn(move || {
            let (name, value) = rest.split_once("=\"")?;
            let (value, after) = value.split_once('"')?;
            rest = after;
            Some((name.trim_start(), value))
        })
    }

    /// The value of an attribute, escaped.
    pub(super) fn attribute(self, name: &str) -> Option<&'a str> {
        self.attributes().find_map(|(its_name, value)| (its_name == name).then_some(value))
    }

    /// The start tag with the values that `change` gives its attributes by their names and values; without those
    /// that it gives none.
    pub(super) fn with_attributes(self, change: impl Fn(&'a str, &'a str) -> Option<Cow<'a, str>>) -> String {
        let Self::Open(name, source) = self else { return self.source().to_owned() };
        let mut tag = String::with_capacity(source.len());
        tag.extend(["<", name]);
        for (name, value) in self.attributes() {
            if let Some(value) = change(name, value) {
                tag.extend([" ", name, "=\"", &value, "\""]);
            }
        }
        tag + ">"
    }
}

pub(super) fn pieces(html: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        let end = match rest.strip_prefix('<') {
            None => rest.find('<'),
            Some(tag) => tag.find('>').map(|at| at + 2),
        };
        let (source, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        (!source.is_empty()).then(|| Piece::new(source))
    })
}

pub(super) fn unescaped(text: &str) -> String {
    let text = text.replace("&nbsp;", "\u{a0}").replace("&quot;", "\"");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
