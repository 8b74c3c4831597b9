//! What users write runs nowhere: every attack of `tests/data/xss.txt`, and what proptest makes of them, parsed
//! as a browser would parse it. `tests/browser/xss` opens the same ones in a browser.

mod inspect;

use std::sync::LazyLock;

use blog_api::error::ApiError;
use blog_api::markdown::Renderer;
use proptest::prelude::*;
use serde_json::json;
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::support::TestApp;
use blog_api::text::{self, is_forbidden_in_line};
use inspect::objections;

/// The attacks with their names.
fn attacks() -> Vec<(&'static str, &'static str)> {
    let corpus = include_str!("../../data/xss.txt");
    let attacks: Vec<_> =
        corpus.split("\n=== ").skip(1).map(|entry| entry.split_once('\n').unwrap()).collect();
    assert!(attacks.len() >= 150);
    attacks
}

#[tokio::test]
async fn no_attack_survives_in_a_post_or_a_comment() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let host = app.post_by(&author).await;
    let comments = format!("/v1/posts/{host}/comments");
    for (name, attack) in attacks() {
        // A title is one line.
        let line: String =
            attack.replace(['\n', '\t'], " ").replace(is_forbidden_in_line, "").chars().take(200).collect();
        let title = text::line(&line);
        let summary: String = attack.chars().take(500).collect();
        let post = json!({"title": title, "summary": summary, "body": attack, "status": "published"});
        let post = app.post("/v1/posts").by(&author).json(&post).expect(201).await;
        let comment = app.post(&comments).by(&author).json(&json!({"body": attack})).expect(201).await;
        for reply in [&post, &comment] {
            assert_eq!(reply.content_type(), "application/json", "{name}");
            assert_eq!(reply.header("x-content-type-options"), "nosniff", "{name}");
            let html = reply.json()["body_html"].as_str().unwrap().to_owned();
            assert_eq!(objections(&html), Vec::<String>::new(), "{name}: {html}");
            assert_eq!(reply.json()["body"], attack, "{name}: the source is kept");
        }
        let post = post.json();
        // Plain text is given back to the letter: whoever shows it escapes it.
        assert_eq!((&post["title"], &post["summary"]), (&json!(title), &json!(summary)), "{name}");
        for heading in post["toc"].as_array().unwrap() {
            let anchor = heading["anchor"].as_str().unwrap();
            let is_plain = |c: char| c.is_alphanumeric() || "-_".contains(c) || !c.is_ascii();
            assert!(anchor.starts_with("h-") && anchor.chars().all(is_plain), "{name}: {anchor}");
            assert!(post["body_html"].as_str().unwrap().contains(&format!(" id=\"{anchor}\"")), "{name}");
        }
    }
}

/// Each rule of the inspection objects to what it should: it can fail.
#[test]
fn what_is_dangerous_is_objected_to() {
    for (html, objection) in [
        ("<script>x</script>", "the element script"),
        ("<p><svg></svg>", "the element svg"),
        ("<p onclick=x>", "onclick of p"),
        ("<p style=x>", "style of p"),
        ("<style>x</style>", "the element style"),
        ("<a href=' java\tscript:x'>", "href of a"),
        ("<a href='&#1;vbscript:x'>", "href of a"),
        ("<img src=data:x>", "src of img"),
        ("<img srcset=x>", "srcset of img"),
        ("<p id=location>", "id of p"),
        ("<h1 id=h-x></h1><h2 id=h-x>", "id of h2"),
        ("<a name=x>", "name of a"),
        ("<div><!-- x --></div>", "a comment"),
    ] {
        assert!(
            objections(html).iter().any(|found| found.starts_with(objection)),
            "{html}: {:?}",
            objections(html)
        );
    }
    let fine =
        "<h1 id=h-x>a</h1><a href=//example.com/ rel=nofollow>b</a><a href=mailto:x>c</a><a href=#h-x>d</a>";
    assert_eq!(objections(fine), Vec::<String>::new());
}

/// What proptest combines: the attacks, and the pieces that they are made of.
static PIECES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let attacks = attacks();
    let ends = ['>', ' ', '"', '(', ':', '\n'];
    let pieces = attacks.iter().flat_map(|(_, attack)| attack.split_inclusive(ends));
    attacks.iter().map(|(_, attack)| *attack).chain(pieces).collect()
});

fn any_attack() -> impl Strategy<Value = String> {
    let piece = any::<prop::sample::Index>().prop_map(|at| (*at.get(&PIECES)).to_owned());
    let cut = (any::<prop::sample::Index>(), 0_usize..40)
        .prop_map(|(at, length)| at.get(&PIECES).chars().take(length).collect::<String>());
    let nested = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_usize..60).prop_map(
        |(outer, inner, at)| {
            let outer = outer.get(&PIECES);
            let (before, after): (Vec<_>, Vec<_>) = outer.chars().enumerate().partition(|(i, _)| *i < at);
            let text = |part: Vec<(usize, char)>| part.into_iter().map(|(_, c)| c).collect::<String>();
            format!("{}{}{}", text(before), inner.get(&PIECES), text(after))
        },
    );
    let markdown = "(\n|\n\n|# |> |- |1\\. |    |```|`|\\*\\*|~~|\\[|\\]\\(|\\)|!\\[|\\[\\^1\\]|\\[\\^1\\]: |\\||\n---\n|<|&|\"|'){1,4}";
    let noise = "[\u{0}-\u{20}<>\"'&;:=/a-z\u{a0}\u{2028}\u{202e}\u{feff}\u{fffd}]{0,8}";
    prop::collection::vec(prop_oneof![3 => piece, 2 => cut, 1 => nested, 2 => markdown, 1 => noise], 1..10)
        .prop_map(|parts| parts.concat())
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn no_combination_of_attacks_survives(text in any_attack()) {
        let renderer = Renderer::default();
        // A refusal is an answer too; a panic would be an internal error.
        match RUNTIME.block_on(renderer.post(Uuid::nil(), &text)) {
            Ok(post) => prop_assert_eq!(objections(&post.html), Vec::<String>::new(), "{}", post.html),
            Err(error) => prop_assert_eq!(ApiError::from(error).status_and_code().0.as_u16(), 422),
        }
        match RUNTIME.block_on(renderer.comment(Uuid::nil(), &text)) {
            Ok(html) => prop_assert_eq!(objections(&html), Vec::<String>::new(), "{}", html),
            Err(error) => prop_assert_eq!(ApiError::from(error).status_and_code().0.as_u16(), 422),
        }
    }
}
