//! Notes are those that readers find a reference to, in the order of these.

use super::*;

/// The notes of `html`: their numbers, in order, and their texts.
fn notes(markdown: &str) -> Vec<String> {
    let html = html(markdown).replace(&format!("{SCOPE}-"), "");
    let notes = html.split("<li id=\"").skip(1).map(|note| {
        let (id, rest) = note.split_once('"').unwrap();
        let text = rest.split_once("<p>").unwrap().1.split([' ', '<']).next().unwrap();
        format!("{id} {text}")
    });
    notes.collect()
}

#[test]
fn notes_are_numbered_by_their_references() {
    for (markdown, expected) in [
        ("a[^b] c[^a]\n\n[^a]: A\n[^b]: B\n", vec!["fn-1 B", "fn-2 A"]),
        ("a[^x] b[^y]\n\n[^x]: First\n[^y]: Y\n[^x]: Second\n", vec!["fn-1 First", "fn-2 Y"]),
        ("a[^x]\n\n[^X]: First\n[^x]: Second\n[^other]: Never\n", vec!["fn-1 First"]),
        // The reference is in a note that nobody sees.
        ("a[^1]\n\n[^1]: One\n[^2]: Two [^3]\n[^3]: Three\n", vec!["fn-1 One"]),
        // Those in notes come after those of the text, wherever the notes are.
        (
            "[^1]: One[^3]\n\na[^1] b[^2]\n\n[^2]: Two\n[^3]: Three\n",
            vec!["fn-1 One", "fn-2 Two", "fn-3 Three"],
        ),
        ("![a[^1]](x.png) b[^2]\n\n[^1]: One\n[^2]: Two\n", vec!["fn-1 Two"]),
        ("a[^1]\n\n[^1]: One\n\n    [^2]: Two\n\nb[^3]\n\n[^3]: Three\n", vec!["fn-1 One", "fn-2 Three"]),
        ("[^1]: One\n", vec![]),
    ] {
        assert_eq!(notes(markdown), expected, "{markdown}\n{}", html(markdown));
    }
    let html = html("a[^y] b[^x]\n\n[^x]: X\n[^x]: Again\n[^y]: Y\n");
    for number in ["1", "2"] {
        let way =
            format!("href=\"#fn-{SCOPE}-{number}\" id=\"fnref-{SCOPE}-{number}\" rel=\"noopener\">{number}<");
        assert!(html.contains(&way), "{html}");
        assert!(html.contains(&format!("aria-label=\"Back to reference {number}\"")), "{html}");
    }
}
