//! What people read of a text: its words, its beginning, how long it takes.

use unicode_segmentation::UnicodeSegmentation;

use super::*;

#[test]
fn an_excerpt_is_the_beginning_of_the_prose() {
    let excerpt = |markdown: &str| rendered(markdown).excerpt;
    assert_eq!(
        excerpt("# Hello\n\nThis is *the first* post.\n\n```\ncode\n```\n\n- a\n- b"),
        "This is the first post. a b"
    );
    assert_eq!(excerpt("# Hello"), "Hello");
    assert_eq!(
        excerpt("one<br>two <div>three</div><div>four</div> <script>no</script>"),
        "one two three four"
    );
    assert_eq!(excerpt("`<b>` &amp;amp; &lt;"), "<b> &amp; <");
    assert_eq!(excerpt("![picture](/x.png)"), "");
    let long = excerpt(&"word, ".repeat(100));
    assert_eq!(long, format!("{}word…", "word, ".repeat(32)));
    assert_eq!(excerpt(&"x".repeat(300)), format!("{}…", "x".repeat(200)));
    assert_eq!(excerpt(&format!("{} b", "a".repeat(200))), format!("{}…", "a".repeat(200)));
    assert_eq!(excerpt(&"é".repeat(200)), "é".repeat(200));
    let quoted = format!("Rust {}", "是一门语言".repeat(60));
    assert_eq!(excerpt(&quoted), format!("{}…", quoted.chars().take(200).collect::<String>()));
    let thai = format!("Rust {}", "ภาษา".repeat(60));
    assert!((195..=201).contains(&excerpt(&thai).chars().count()), "{}", excerpt(&thai));
    let far = format!("{} {}", "a".repeat(100), "b".repeat(200));
    assert_eq!(excerpt(&far), format!("{} {}…", "a".repeat(100), "b".repeat(99)));
    let family = "👨‍👩‍👧‍👦".repeat(40);
    assert_eq!(excerpt(&family), format!("{}…", "👨‍👩‍👧‍👦".repeat(28)));
    let accents = "e\u{323}\u{302}\u{301}x".repeat(100);
    assert!(!excerpt(&accents).ends_with("e…"), "{}", excerpt(&accents));
}

#[test]
fn reading_takes_a_minute_for_two_hundred_words_or_five_hundred_characters() {
    let minutes = |markdown: &str| rendered(markdown).reading_minutes;
    assert_eq!(minutes("---"), 1);
    assert_eq!(minutes(&"word ".repeat(200)), 1);
    assert_eq!(minutes(&"word — ".repeat(201)), 2);
    assert_eq!(minutes(&"日本".repeat(250)), 1);
    assert_eq!(minutes(&"日本".repeat(251)), 2);
    assert_eq!(minutes(&"한국어 ".repeat(400)), 2);
    assert_eq!(minutes(&format!("{} {}", "word ".repeat(100), "字".repeat(251))), 2);
    for unspaced in [
        "ภาษาไทยง่าย",
        "ພາສາລາວ",
        "ភាសាខ្មែរ",
        "မြန်မာဘာသာ",
        "བོད་སྐད",
        "ꦗꦮꦲ",
        "ꆈꌠꉙ",
        "ㄅㄆㄇ",
        "カタカナ",
        "ﾊﾝｶｸ",
    ] {
        assert!((2..=8).contains(&minutes(&unspaced.repeat(250))), "{unspaced}");
    }
    for dash in ["—", "–", "--", "---", "―", "…"] {
        assert_eq!(minutes(&format!("one{dash}two ").repeat(101)), 2, "{dash}");
    }
    assert_eq!(minutes(&"well-known ".repeat(200)), 1);
}

#[test]
fn every_element_that_is_not_inline_ends_a_word() {
    let text = |markdown: &str| rendered(markdown).text;
    assert_eq!(text("<details><summary>Click here</summary>Body</details>"), "Click here Body");
    for element in [
        "address",
        "article",
        "aside",
        "blockquote",
        "center",
        "details",
        "div",
        "dl",
        "fieldset",
        "figure",
        "footer",
        "h3",
        "header",
        "hgroup",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "ul",
    ] {
        let html = format!("<div>one<{element}>two</{element}>three</div>");
        let known = sanitizer::clean(&html, usize::MAX).unwrap().contains(&format!("<{element}>"));
        let expected = if known { "one two three" } else { "onetwothree" };
        assert!(text(&html) == expected || text(&html) == "one two three", "{element}: {}", text(&html));
    }
    for element in
        ["a", "b", "bdi", "code", "em", "kbd", "mark", "q", "ruby", "span", "sub", "sup", "time", "u"]
    {
        assert_eq!(text(&format!("<p>on<{element}>e</{element}>s</p>")), "ones", "{element}");
    }
    assert_eq!(text("|a|b|\n|-|-|\n|c|d|\n\none<br>two\n***\nthree"), "a b c d one two three");
    assert_eq!(text("- [x] done\n- a\n\n  b"), "done a b");
}

#[test]
fn a_text_is_in_one_normal_form_to_its_last_word() {
    let post = rendered("# Cafe\u{301}\n\nA cafe\u{301}.");
    assert_eq!((&*post.excerpt, &*post.text, &*post.toc[0].text), ("A café.", "Café A café.", "Café"));
    let long = format!("{}needle", "語 a\n".repeat(49_998));
    assert!(long.chars().count() <= 200_000 && rendered(&long).text.ends_with("a needle"));
    let decomposed = format!("{} needle", "\u{fb2c}".repeat(199_000));
    assert!(rendered(&decomposed).text.ends_with(" needle"));
}

proptest! {
    #[test]
    fn no_excerpt_ends_within_a_character(text in "[a-c ,\u{301}\u{200d}👩👧🇩🇪한글字กำ\u{1100}\u{1161}-]{150,400}") {
        let excerpt = text::cut(&text, 200);
        let Some(kept) = excerpt.strip_suffix('…') else { return Ok(()) };
        prop_assert!(text.starts_with(kept));
        prop_assert!(kept.is_empty() || text.grapheme_indices(true).any(|(at, _)| at == kept.len()));
    }
}
