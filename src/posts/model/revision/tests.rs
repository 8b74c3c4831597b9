//! What `patch` makes of a diff.

use proptest::prelude::*;

use super::*;

/// `old` changed as GNU `patch` reads `diff`: the sizes of hunks and the lines of context have to be right.
fn patched(old: &str, diff: &str) -> String {
    let old: Vec<_> = old.split_inclusive('\n').collect();
    let mut lines = diff.split_inclusive('\n').skip(2).peekable();
    let (mut new, mut at) = (String::new(), 0);
    while let Some(header) = lines.next() {
        let ranges: Vec<_> = header.strip_prefix("@@ -").unwrap().split([' ', '+', '@']).collect();
        let (start, mut removed) = range(ranges[0]);
        let (_, mut added) = range(ranges[2]);
        let start = if removed == 0 { start } else { start - 1 };
        new.extend(old[at..start].iter().copied());
        at = start;
        while removed + added > 0 {
            let line = lines.next().unwrap();
            let (tag, text) = line.split_at(1);
            let is_last = lines.next_if(|next| next.starts_with('\\')).is_some();
            let text = if is_last { text.strip_suffix('\n').unwrap() } else { text };
            if tag != "+" {
                assert_eq!(old[at], text);
                (at, removed) = (at + 1, removed - 1);
            }
            if tag != "-" {
                new.push_str(text);
                added -= 1;
            }
        }
    }
    new.extend(old[at..].iter().copied());
    new
}

fn range(text: &str) -> (usize, usize) {
    let (start, length) = text.split_once(',').unwrap_or((text, "1"));
    (start.parse().unwrap(), length.parse().unwrap())
}

#[test]
fn a_diff_ends_lines_where_patch_does() {
    assert_eq!(diff((1, "a\rb\nc\n"), (2, "a\rB\nc\n")), "--- 1\n+++ 2\n@@ -1,2 +1,2 @@\n-a\rb\n+a\rB\n c\n");
    assert_eq!(diff((1, "a\r\nb\r\n"), (2, "a\r\nb\n")), "--- 1\n+++ 2\n@@ -1,2 +1,2 @@\n a\r\n-b\r\n+b\n");
    assert_eq!(
        diff((1, "a\r"), (2, "a")),
        "--- 1\n+++ 2\n@@ -1 +1 @@\n-a\r\n\\ No newline at end of file\n+a\n\\ No newline at end of file\n"
    );
    assert_eq!(diff((1, "same\r"), (2, "same\r")), "");
}

proptest! {
    #[test]
    fn a_diff_makes_the_old_text_the_new_one(old in "[ab\\\\\r\n\u{2028}+@-]{0,40}", new in "[ab\\\\\r\n\u{2028}+@-]{0,40}") {
        prop_assert_eq!(patched(&old, &diff((1, &old), (2, &new))), new);
    }
}
