//! Where links lead, how they say so, and what next to them is no part of them.

use std::collections::HashSet;

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, QualName, local_name, ns, parse_fragment};
use markup5ever_rcdom::{NodeData, RcDom};

use super::*;

/// The targets of links into the page that are not there, as a browser finds them.
fn dead(html: &str) -> Vec<String> {
    let context = QualName::new(None, ns!(html), local_name!("div"));
    let dom = parse_fragment(RcDom::default(), ParseOpts::default(), context, vec![], false).one(html);
    let (mut ids, mut targets) = (HashSet::new(), Vec::new());
    let mut nodes = vec![dom.document.clone()];
    while let Some(node) = nodes.pop() {
        if let NodeData::Element { attrs, .. } = &node.data {
            for attribute in attrs.borrow().iter() {
                let value = attribute.value.trim_matches(|c: char| c <= ' ').replace(['\t', '\n', '\r'], "");
                match &*attribute.name.local {
                    "id" => drop(ids.insert(value)),
                    "href" => targets.extend(value.strip_prefix('#').map(str::to_owned)),
                    _ => {}
                }
            }
        }
        nodes.extend(node.children.borrow().iter().cloned());
    }
    // `#` and `#top` are the top of any page.
    targets
        .retain(|target| !ids.contains(target) && !target.is_empty() && !target.eq_ignore_ascii_case("top"));
    targets
}

#[test]
fn an_authors_link_to_a_heading_leads_there() {
    let long = "Long words of a heading ".repeat(10);
    let slug = long.trim().to_lowercase().replace(' ', "-");
    let markdown = format!(
        "[a](#one-two) [b](#one-two-1) [c](#h-one-two) [d](#日本語) [e](#One-Two) [f](#{slug}) [g](#caf%C3%A9) \
         [h](#alt) [i](#nowhere) [j](#Top) <a href=\" #one-\ntwo\">k</a> <a title=\"x href=\" href=\"#no\">l</a>\n\n\
         # One two\n\n# One *two*\n\n# 日本語\n\n# {long}\n\n# Cafe\u{301}\n\n# ![Alt](x.png)\n"
    );
    let html = html(&markdown);
    assert_eq!(dead(&html), Vec::<String>::new());
    let links: Vec<_> = html.split("<a").skip(1).map(|rest| rest.split("</a>").next().unwrap()).collect();
    let to = |anchor: &str, text: &str| format!(" href=\"#h-{anchor}\" rel=\"noopener\">{text}");
    assert_eq!(
        links[..5],
        [to("one-two", "a"), to("one-two-1", "b"), to("one-two", "c"), to("日本語", "d"), to("one-two", "e"),]
    );
    assert!(links[5].starts_with(" href=\"#h-long-words"), "{}", links[5]);
    assert_eq!(
        links[6..11],
        [
            to("café", "g"),
            to("alt", "h"),
            ">i".into(),
            " href=\"#Top\" rel=\"noopener\">j".into(),
            to("one-two", "k")
        ]
    );
    assert_eq!(links[11], " title=\"x href=\">l");
}

#[test]
fn a_heading_that_is_an_image_is_called_by_its_alternative_text() {
    let post = rendered("# ![A *red* \"fox\"](x.png)\n\n## ![](y.png)\n\n##\n\n### ![icon](z.png) Text");
    let toc: Vec<_> = post.toc.iter().map(|heading| (&*heading.anchor, &*heading.text)).collect();
    assert_eq!(toc, [("h-a-red-fox", "A red \"fox\""), ("h-text", "Text")]);
}

#[test]
fn links_say_whose_they_are() {
    let site = Renderer::new(Some("https://blog.example/home"), None).site;
    let markdown = "[a](https://blog.example/x) [b](/y) [c](https://other.example) [d](#h) <a rel=opener href=z>e</a>\n\n# H";
    let rels = |html: String| -> Vec<String> {
        html.split(" rel=\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    let (own, foreign) = ("noopener", "noopener noreferrer");
    assert_eq!(rels(post(&site, ID, markdown).unwrap().html), [own, own, foreign, own, own]);
    assert_eq!(rels(post(&Site::default(), ID, markdown).unwrap().html), [foreign, own, foreign, own, own]);
    assert_eq!(rels(comment(ID, markdown).unwrap()), ["nofollow ugc noopener noreferrer"; 4]);
}

#[test]
fn bare_links_end_where_people_see_their_end() {
    for (markdown, expected) in [
        ("见https://a.cn/路径。谢谢", "见<https://a.cn/路径>。谢谢"),
        (
            "（https://a.cn），「https://b.cn/x」、https://c.cn！",
            "（<https://a.cn>），「<https://b.cn/x>」、<https://c.cn>！",
        ),
        (
            "> - 见www.a.cn https://a.cn，**重点**和`https://b.cn，x`",
            "见www.a.cn <https://a.cn>，重点和https://b.cn，x",
        ),
        ("| https://a.cn、b |\n|---|\n| https://b.cn。 |", "<https://a.cn>、b\n\n\n\n\n<https://b.cn>。"),
        ("https://a.cn。[^1]\n\n[^1]: x", "<https://a.cn>。1"),
        (
            "“https://a.example” «https://b.example» https://c.example\u{a0}!",
            "“<https://a.example>” «<https://b.example>» <https://c.example>\u{a0}!",
        ),
        ("انظر https://a.example، ثم", "انظر <https://a.example>، ثم"),
        ("<https://a.cn/。> [x](https://b.cn/，)", "<https://a.cn/。> <x>"),
        ("写信a@b.cn。", "写信<a@b.cn>。"),
        ("`https://a.cn，` https://a.example/b_c,", "https://a.cn， <https://a.example/b_c>,"),
    ] {
        let html = html(markdown);
        let shown: String = pieces::pieces(&html)
            .take_while(|piece| piece.attribute("class") != Some("footnotes"))
            .map(|piece| match piece {
                pieces::Piece::Open("a", _) if piece.attribute("id").is_none() => "<".to_owned(),
                pieces::Piece::Close("a", _) => ">".to_owned(),
                pieces::Piece::Text(text) => pieces::unescaped(text),
                _ => String::new(),
            })
            .collect();
        assert_eq!(shown.trim().replace("1>", "1"), expected, "{html}");
        assert!(!html.contains("&lt;!--"), "{html}");
    }
}

#[test]
fn emphasis_works_next_to_chinese_and_japanese_punctuation() {
    for (markdown, expected) in [
        ("这是**“重点”**的", "<p>这是<strong>“重点”</strong>的</p>\n"),
        ("**この文は重要です。**但し", "<p><strong>この文は重要です。</strong>但し</p>\n"),
        ("他说~~（删除）~~了", "<p>他说<del>（删除）</del>了</p>\n"),
    ] {
        assert_eq!(html(markdown), expected);
    }
}

#[test]
fn what_changes_the_meaning_of_a_text_survives() {
    for kept in [
        "<p dir=\"rtl\" lang=\"ar\">x</p>",
        "<span lang=\"ja\">x</span>",
        "<details open=\"\"><summary>x</summary>y</details>",
        "<ol reversed=\"\" start=\"3\" type=\"a\"><li value=\"7\">x</li></ol>",
        "<time datetime=\"2026-01-01\">x</time>",
        "<data value=\"1\">x</data>",
        "<table><tbody><tr><td colspan=\"2\" dir=\"ltr\">x</td></tr></tbody></table>",
    ] {
        assert!(html(kept).contains(kept), "{}", html(kept));
    }
    assert!(!html("<p dir=\"up\">x</p>").contains("dir"));
    for (info, class) in [
        ("rust,ignore", "language-rust"),
        ("c++", "language-c++"),
        ("C#{1}", "language-C#"),
        ("js:title=a.js", "language-js"),
        ("objective-c extra", "language-objective-c"),
    ] {
        let html = html(&format!("```{info}\nx\n```\n"));
        assert!(html.contains(&format!("<code class=\"{class}\">")), "{info}: {html}");
    }
    assert!(!html("```{.rust}\nx\n```\n").contains("class"));
}

fn any_linked_text() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(
        &[
            "[^1]",
            "[^2]",
            "[^1]: ",
            "[^2]: ",
            "[^a b]",
            "    ",
            "\n\n",
            "\n",
            "[x](#a)",
            "[x](#a-1)",
            "[x](#h-a)",
            "[x](#fn-1)",
            "# a\n",
            "## a\n",
            "![alt](y)",
            "![[^1]](y)",
            "> ",
            "- ",
            "<script>",
            "<a href='#a'>",
            "<a href=\" \t#fnref-8d2c0f9b6c1e2d3a-1\">",
            "</a>",
            "<table>",
            "<td>",
            "<h1>",
            "</h1>",
            "text ",
            "<li id=fn-8d2c0f9b6c1e2d3a-1>",
            "<details>",
            "`",
            "|",
            "|-|\n",
            "https://a.cn。",
        ][..],
    );
    proptest::collection::vec(piece, 1..25).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_link_leads_to_what_is_not_on_the_page(text in prop_oneof![any_linked_text(), any_text()]) {
        for html in [rendering(&text).map(|post| post.html), comment(ID, &text)].into_iter().flatten() {
            prop_assert_eq!(dead(&html), Vec::<String>::new(), "{}", html);
        }
    }
}
