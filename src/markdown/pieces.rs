//! The sanitizer's HTML, piece by piece. It is written by a serializer, so that it has one form: `<`, `>` and
//! `"` are escaped wherever they are not markup, names are in lower case and attributes in double quotes.

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

    /// The value of an attribute, escaped.
    pub(super) fn attribute(self, name: &str) -> Option<&'a str> {
        let Self::Open(_, source) = self else { return None };
        let (_, rest) = source.split_once(&format!(" {name}=\""))?;
        rest.split('"').next()
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
    text.replace("&nbsp;", "\u{a0}").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
