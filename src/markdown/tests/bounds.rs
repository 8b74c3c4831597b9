//! No text becomes much more than it is, and none takes for ever.

use super::*;

/// Each would be long, large or slow if nobody counted.
const BOMBS: [&str; 63] = [
    ">",
    "<div>",
    "<b>",
    "<h1><div>",
    "[",
    "![",
    "*a ",
    "~~a ",
    "- ",
    "> - ",
    "`",
    "<!--",
    "<!--\n\n",
    "<?",
    "<!X",
    "<![CDATA[",
    "<http://",
    "</p>",
    "</br>",
    "</p",
    "<a b=\"",
    "<a b='",
    "<a x=1>",
    "<a href=&>",
    "# x\n",
    "a\n===\n",
    "[^1]",
    "&",
    "&amp;",
    "<",
    "\"",
    "www.",
    "www.a.b ",
    "http://a.b ",
    "a@b.c ",
    "a@",
    "[a]: b\n",
    "[a](<b",
    "[](",
    "```\n",
    "~~~a\n\n",
    "\t",
    "\u{a0}",
    "|-|\n",
    "a|b\n-|-\n",
    "<table>a",
    "<table><tr><td>",
    "<table><b>",
    "<button>",
    "<object><b>",
    "<marquee>",
    "<applet>a",
    "<svg>",
    "<math><mtext>",
    "<select><option>",
    "<template>",
    "<b><p></b>",
    "<a><div></a>",
    "<i><b></i>",
    "<b x=1><p>",
    "<nobr>",
    "- [ ] a\n",
    "**a _b ",
];

/// Bombs that are more than one construct repeated.
fn built() -> Vec<String> {
    let numbered = |build: fn(usize) -> String| (0..9_000).map(build).collect::<Vec<_>>().concat();
    let table = format!("{}\n{}\n{}", "|a".repeat(500), "|-".repeat(500), "|\n".repeat(90_000));
    let formatting =
        (0..900).map(|n| format!("<b x={n}>")).collect::<Vec<_>>().concat() + &"<p>x</p>".repeat(500);
    vec![
        table,
        formatting,
        format!("<p {}>", numbered(|n| format!("a{n} "))),
        format!("<p {}>", numbered(|n| format!("a{n}=''"))),
        format!("<p title=\"{}\">", "&".repeat(190_000)),
        format!("<b title=\"{}\"><p>{}", "x".repeat(9_000), "<p>x</p>".repeat(900)),
        numbered(|n| format!("[^a{n}]\n\n[^a{n}]: x\n\n")),
        numbered(|n| format!("{}a", "`".repeat(n % 200))),
        format!("[^a]: x\n\n{}", "[^a] ".repeat(19_000)),
        format!("[a]: {}\n\n{}", "x".repeat(90_000), "[a] ".repeat(25_000)),
    ]
}

pub(super) fn assert_bounded(text: &str) {
    if let Some(post) = rendering(text) {
        let toc = serde_json::to_string(&post.toc).unwrap();
        assert!(post.html.len() + toc.len() <= 8 * text.len() + 16 * 1024, "{text:.40}");
    }
}

#[test]
fn no_text_becomes_much_more_than_it_is() {
    for bomb in BOMBS {
        assert_bounded(&bomb.repeat(200_000 / bomb.len()));
    }
    for bomb in built() {
        assert_bounded(&bomb);
    }
}

#[test]
fn what_would_grow_or_nest_without_end_is_refused() {
    for bomb in [">", "<div>", "<b>", "</p>", "<http://", "a\n===\n", "# x\n", "&", "<table>a", "<b x=1><p>"]
    {
        assert!(rendering(&bomb.repeat(200_000 / bomb.len())).is_none(), "{bomb:?}");
    }
    for bomb in &built()[..4] {
        assert!(rendering(bomb).is_none(), "{bomb:.40}");
    }
    assert!(rendering(&">".repeat(140)).is_some());
    assert!(rendering(&">".repeat(160)).is_none());
}

#[test]
fn what_people_write_is_rendered_however_long() {
    let long = |piece: &str, characters: usize| piece.repeat(characters / piece.chars().count());
    let row = format!("|{}\n", " 12.5 |".repeat(30));
    for text in [
        long("Über die Größe der Häuser wurde *viel* gestritten.\n\n", 200_000),
        long("我们在这里写一些文字,看看会怎么样。\n", 200_000),
        long("هذا نص عربي طويل للاختبار.\n\n", 200_000),
        format!("```html\n{}```\n", long("<!-- a --> if (a < b && c > d) { \"x\" }\n", 199_000)),
        long("a & b, ", 200_000),
        long("- <https://example.com/a/page?with=query>\n", 180_000),
        long("https://example.com/a/rather/long/page\n\n", 180_000),
        format!("{row}|{}\n{}", "---|".repeat(30), row.repeat(300)),
        long("## A heading of the text\n\nAnd a few words on it.\n\n", 100_000),
        (0..10).map(|depth| format!("{}- item\n", "  ".repeat(depth))).collect::<Vec<_>>().concat(),
    ] {
        assert!(rendering(&text).is_some(), "{text:.60}");
    }
}
