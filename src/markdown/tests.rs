//! What texts become, and that no text deceives the sanitizer.

mod bounds;
mod footnotes;
mod links;
mod reading;

use proptest::prelude::*;

use super::*;
use bounds::assert_bounded;

/// The scope of [`ID`].
const SCOPE: &str = "8d2c0f9b6c1e2d3a";
const ID: Uuid = Uuid::from_u128(0x0199_f4a2_7d1c_7a52_8d2c_0f9b_6c1e_2d3a);

fn rendering(markdown: &str) -> Option<Rendered> {
    post(&Site::default(), ID, markdown)
}

fn rendered(markdown: &str) -> Rendered {
    rendering(markdown).unwrap()
}

fn html(markdown: &str) -> String {
    rendered(markdown).html
}

#[test]
fn the_extensions_are_on() {
    let html = html("~~no~~ https://example.com\n\n- [x] done\n\n| a |\n|---|\n| b |\n\n```rust\nfn\n```\n");
    assert!(html.contains("<del>no</del>"), "{html}");
    assert!(html.contains(r#"<a href="https://example.com" rel="noopener noreferrer">"#), "{html}");
    assert!(html.contains(r#"<input type="checkbox" checked="" disabled="">"#), "{html}");
    assert!(html.contains("<td>b</td>"), "{html}");
    assert!(html.contains(r#"<code class="language-rust">"#), "{html}");
}

#[test]
fn scripts_handlers_and_script_urls_are_taken_out() {
    let html =
        html("<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n[a](javascript:alert(1)) **b**");
    assert!(html.contains("<strong>b</strong>"), "{html}");
    assert!(!html.contains("script") && !html.contains("onerror"), "{html}");
}

#[test]
fn headings_have_anchors_and_a_table_of_contents() {
    let post = rendered(
        "# One *two*\n\ntext\n\n## One two\n\n<h3 id=\"login\">`a < b`</h3>\n\n#### 日本語[^1]\n\n# ...\n\n[^1]: x",
    );
    let toc: Vec<_> =
        post.toc.iter().map(|heading| (heading.level, &*heading.anchor, &*heading.text)).collect();
    let expected = [
        (1, "h-one-two", "One two"),
        (2, "h-one-two-1", "One two"),
        (3, "h-a--b", "`a < b`"),
        (4, "h-日本語", "日本語"),
        (1, "h-section", "..."),
    ];
    assert_eq!(toc, expected);
    assert!(post.html.starts_with(r#"<h1 id="h-one-two">One <em>two</em></h1>"#), "{}", post.html);
    for (_, anchor, _) in expected {
        assert_eq!(post.html.matches(&format!(r#"id="{anchor}""#)).count(), 1, "{}", post.html);
    }
    assert!(!post.html.contains("login"), "{}", post.html);
}

#[test]
fn footnotes_and_the_ways_back_are_linked() {
    let post = rendered("A[^Long-name] b[^2] c[^2].\n\n[^long-name]: First.\n[^2]: Second.\n");
    let html = &post.html.replace(&format!("{SCOPE}-"), "");
    for target in ["fn-1", "fn-2", "fnref-1", "fnref-2", "fnref-2-2"] {
        assert_eq!(html.matches(&format!(r#" id="{target}""#)).count(), 1, "{target}: {html}");
        assert!(html.contains(&format!("href=\"#{target}\"")), "{target}: {html}");
    }
    assert!(html.contains(r#"<section class="footnotes">"#), "{html}");
    assert_eq!(post.excerpt, "A b c.");
}

#[test]
fn nobody_else_gives_ids() {
    let html = html(&format!(
        "a[^1] <a id=\"fn-{SCOPE}-1\">x</a> <li id=location>y</li> <a id=\"fn-1\" name=document>z</a>\n\n[^1]: n",
    ));
    assert_eq!(html.matches(" id=\"fn-").count(), 1, "{html}");
    assert!(!html.contains("location") && !html.contains("document"), "{html}");
}

fn ids(html: &str) -> Vec<String> {
    html.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn texts_on_one_page_share_no_ids() {
    let markdown = "A[^1].\n\n[^1]: Note, <a id=fn-1>and</a> <a id=fn-x00000000-1>more</a>.\n";
    let of = |id: u128| {
        [
            comment(Uuid::from_u128(id), markdown),
            post(&Site::default(), Uuid::from_u128(id), markdown).map(|post| post.html),
        ]
    };
    for (one, other) in of(1).into_iter().zip(of(2)) {
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!((ids(&one).len(), ids(&other).len()), (2, 2), "{one} {other}");
        for id in ids(&one) {
            assert!(one.contains(&format!("href=\"#{id}\"")), "{one}");
            assert!(!ids(&other).contains(&id), "{one} {other}");
        }
    }
    assert!(comment(ID, "# Title").unwrap().starts_with("<h1>Title</h1>"));
}

/// The committed attacks, whole, and the pieces that they are made of.
fn attacks() -> Vec<String> {
    let corpus = include_str!("../../tests/data/xss.txt");
    let whole = corpus.split("\n=== ").skip(1).filter_map(|entry| Some(entry.split_once('\n')?.1.to_owned()));
    let pieces = corpus.split_inclusive(['>', ' ', '\n']).map(str::to_owned);
    whole.chain(pieces).collect()
}

/// Elements that are not allowed, but change how those inside them are read.
const FRAMES: [&str; 18] = [
    "<object>",
    "</object>",
    "<button>",
    "</button>",
    "<marquee>",
    "<svg>",
    "</svg>",
    "<math><mtext>",
    "<select>",
    "<table><td>",
    "<a href=1>",
    "</a>",
    "<b>",
    "<p>",
    "</p>",
    "<template>",
    "<noscript>",
    "<h1>",
];

fn any_text() -> impl Strategy<Value = String> {
    let attack = proptest::sample::select(attacks());
    let frame = proptest::sample::select(&FRAMES[..]).prop_map(str::to_owned);
    let noise = "[a-z<>\"'&;=/ \n#*_`~|\\[\\]()!:\u{0}\u{1}\u{2028}\u{feff}\u{fffd}é日-]{0,12}";
    proptest::collection::vec(prop_oneof![attack, frame, noise], 1..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn what_was_cleaned_is_clean(text in any_text()) {
        // Refused, or at rest.
        if let Some(once) = sanitizer::clean(&text, usize::MAX) {
            prop_assert_eq!(sanitizer::clean(&once, usize::MAX), Some(once.clone()));
            prop_assert_eq!(pieces::pieces(&once).map(pieces::Piece::source).collect::<String>(), once);
        }
    }

    #[test]
    fn anchors_do_not_change_by_rendering_their_html_again(text in any_text()) {
        if let Some(post) = rendering(&text) {
            let clean = sanitizer::clean(&post.html, usize::MAX).unwrap();
            prop_assert_eq!(post_page(&clean, SCOPE, None), (post.html.clone(), post.toc));
        }
    }

    #[test]
    fn every_text_is_rendered_or_refused(text in any::<String>()) {
        if let Some(post) = rendering(&text) {
            prop_assert!(post.reading_minutes >= 1);
            prop_assert!(post.excerpt.chars().count() <= 201);
            comment(ID, &text).unwrap();
        }
    }

    #[test]
    fn any_text_stays_within_its_bound(text in any_text()) {
        assert_bounded(&text);
    }
}
