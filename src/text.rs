//! Text in one form, whatever language it is in and whatever the database's locale: how it is stored, compared
//! and sorted, and which of its characters nobody sees.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::skeleton;

const ZERO_WIDTH_SPACE: char = '\u{200b}';
const WORD_JOINER: char = '\u{2060}';

/// A line as it is stored: NFC, white space as single spaces, and none around it. Tabs and line breaks stay, and one space
/// of a text that has nothing else, for a rule to refuse them.
#[must_use]
pub fn line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.nfc() {
        let is_space = c.is_whitespace() && !is_forbidden_in_line(c);
        if !is_space {
            line.push(c);
        } else if !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line.truncate(line.trim_end_matches([' ', ZERO_WIDTH_SPACE, WORD_JOINER]).len());
    let start = line.len() - line.trim_start_matches([' ', ZERO_WIDTH_SPACE, WORD_JOINER]).len();
    if start == line.len() && !text.is_empty() { " ".to_owned() } else { line.split_off(start) }
}

/// `text` whatever its case: lower case in NFC, with `İ` as `i` and each sigma at the end of a word as `ς`.
/// Folding again changes nothing.
#[must_use]
pub fn fold(text: &str) -> String {
    let lower = text.nfc().collect::<String>().replace('İ', "i").to_lowercase();
    let mut folded = String::with_capacity(lower.len());
    let mut chars = lower.nfc().peekable();
    let mut in_word = false;
    while let Some(c) = chars.next() {
        let ends = in_word && !chars.peek().is_some_and(|next| next.is_alphabetic());
        folded.push(match c {
            'σ' | 'ς' if ends => 'ς',
            'ς' => 'σ',
            c => c,
        });
        in_word = c.is_alphabetic();
    }
    folded
}

/// A [`line`] whatever its case and what nobody sees of it, but for the joiners, which change the letters around them.
/// Making it again changes nothing.
#[must_use]
pub fn folded_line(text: &str) -> String {
    let is_kept = |c: &char| {
        !is_invisible(*c)
            || c.is_whitespace()
            || is_forbidden_in_line(*c)
            || matches!(c, '\u{200c}' | '\u{200d}')
    };
    let kept: String = text.chars().filter(is_kept).collect();
    fold(&line(if kept.is_empty() && !text.is_empty() { " " } else { &kept }))
}

/// A key that sorts by letters, whatever their case and accents: `É` beside `e`.
#[must_use]
pub fn sort_key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    let mut base = ' ';
    for c in fold(text).nfkd() {
        if !is_combining_mark(c) {
            base = c;
        } else if is_accentless(base) {
            continue;
        }
        match c {
            'æ' => key.push_str("ae"),
            'œ' => key.push_str("oe"),
            'ß' => key.push_str("ss"),
            'þ' => key.push_str("th"),
            'ø' => key.push('o'),
            'đ' | 'ð' => key.push('d'),
            'ħ' => key.push('h'),
            'ı' => key.push('i'),
            'ł' => key.push('l'),
            c => key.push(c),
        }
    }
    key.nfc().collect()
}

/// Whether people could take `text` for `other`, which has only letters and spaces: whatever its case, its accents, the
/// script of its letters, and what is between them.
#[must_use]
pub fn looks_like(text: &str, other: &str) -> bool {
    let letters = |text: &str| skeleton(&sort_key(text)).filter(|c| c.is_alphanumeric()).collect::<String>();
    letters(text) == letters(other)
}

/// Whether a mark on it is an accent, without which it is the same letter: in Latin and Greek.
fn is_accentless(base: char) -> bool {
    base.is_ascii_alphabetic() || matches!(base, '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{3ff}')
}

/// Whether a line may not have it: controls, separators of lines and paragraphs, what overrides the direction of
/// the text around it, and marks of a text's encoding and annotations.
#[must_use]
pub fn is_forbidden_in_line(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Whether a reader sees nothing of it: white space, controls, format characters and fillers.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_has_one_form() {
        assert_eq!(line(" cafe\u{301} \u{a0}\u{3000} noir\u{200b} "), "café noir");
        assert_eq!(line("a\tb\u{2028}c"), "a\tb\u{2028}c");
        assert_eq!((line("\u{200b}\u{2060} \u{200b}"), line("")), (" ".to_owned(), String::new()));
    }

    #[test]
    fn case_is_folded_in_every_script() {
        for (one, other) in [
            ("CAFÉ", "cafe\u{301}"),
            ("İSTANBUL", "istanbul"),
            ("ΟΔΟΣ", "οδοσ"),
            ("ΣΊΣΥΦΟΣ ΣΟΦΌΣ.", "σίσυφος σοφός."),
            ("ПРИВЕТ", "привет"),
            ("Ø@EXAMPLE.COM", "ø@example.com"),
        ] {
            assert_eq!(fold(one), fold(other));
        }
    }

    #[test]
    fn titles_sort_by_their_letters() {
        let mut titles =
            ["zebra", "Éclair", "eclipse", "Ångström", "andere", "Øre", "Üben", "über", "Яблоко", "арбуз"];
        titles.sort_by_key(|title| sort_key(title));
        assert_eq!(
            titles,
            ["andere", "Ångström", "Éclair", "eclipse", "Øre", "Üben", "über", "zebra", "арбуз", "Яблоко"]
        );
    }

    #[test]
    fn a_disguise_is_seen_through() {
        for text in [
            "Deleted User",
            "deleted\u{200b} user",
            "ｄｅｌｅｔｅｄ user",
            "dеlеtеd usеr",
            "[deleted-user]",
            "délétéd üser",
        ] {
            assert!(looks_like(text, "deleted user"), "{text}");
        }
        for text in ["User", "undeleted user", "Ada"] {
            assert!(!looks_like(text, "deleted user"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_has_its_form_keeps_it(text in any::<String>()) {
            let once = line(&text);
            prop_assert_eq!(line(&once), once.clone());
            let once = folded_line(&text);
            prop_assert_eq!(folded_line(&once), once);
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once.clone());
            prop_assert_eq!(sort_key(&once), sort_key(&text));
        }
    }
}
