//! Texts made of one or two constructs, as long as one likes.

/// What Markdown and the HTML in it are made of.
const CONSTRUCTS: [&str; 56] = [
    "a ",
    "a\n",
    "\n",
    "\\",
    "*",
    "**a",
    "_a ",
    "~~",
    "`",
    "``a`",
    "[",
    "]",
    "![",
    "](",
    "[a](b)",
    "[a][b]",
    "[^1]",
    "[^1]: a\n",
    "[a]: b\n",
    "<",
    ">",
    "<!--",
    "-->",
    "<?",
    "<![CDATA[",
    "<!A ",
    "&",
    "&amp;",
    "> ",
    "- ",
    "1. ",
    "# ",
    "a\n===\n",
    "a\n---\n",
    "    a\n",
    "```\n",
    "|",
    "|a|b|\n|-|-|\n",
    "|a",
    "- [ ] ",
    "<b>",
    "</b>",
    "<b x=1>",
    "</p>",
    "<p>",
    "<a href=x>",
    "<table>",
    "<tr><td>",
    "<svg>",
    "<math>",
    "<select>",
    "<button>",
    "<template>",
    "www.a.b ",
    "a@b.c ",
    "ä\u{300}𝕏",
];

/// How two constructs make a text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// One and the other in turn.
    Alternating,
    /// All of one, then all of the other.
    InSequence,
    /// Both, again and again, in paragraphs of their own.
    Paragraphs,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    pub(crate) shape: Shape,
    pub(crate) one: &'static str,
    pub(crate) other: &'static str,
}

impl Text {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let shapes = [Shape::Alternating, Shape::InSequence, Shape::Paragraphs];
        shapes.into_iter().flat_map(|shape| {
            CONSTRUCTS
                .into_iter()
                .flat_map(move |one| CONSTRUCTS.into_iter().map(move |other| Self { shape, one, other }))
        })
    }

    pub(crate) fn of(self, length: usize) -> String {
        let Self { shape, one, other } = self;
        let times = |part: &str, length: usize| part.repeat(length / part.len());
        match shape {
            Shape::Alternating => times(&format!("{one}{other}"), length),
            Shape::InSequence => times(one, length / 2) + &times(other, length / 2),
            Shape::Paragraphs => times(&format!("{one}{other}\n\n"), length),
        }
    }
}
