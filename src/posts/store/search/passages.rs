//! The parts of a text where it matches a search.

use std::collections::BTreeMap;

use unicode_segmentation::UnicodeSegmentation;

use crate::text::sort_key;

/// How long a passage is, in bytes: what comes before the first match, what may have further ones, and what follows.
const BEFORE: usize = 80;
const WITHIN: usize = 200;
const AFTER: usize = 120;
/// A text that is hardly longer than the passages is taken whole.
const SHORT: usize = 2 * (BEFORE + WITHIN + AFTER);
/// Matches beyond these change nothing, of all words together or of one.
const MAX_MATCHES: usize = 200;

/// The one or two passages of `text` with most of the `words`, which are stems in lower case: a word of the text may be
/// one of them if it begins with it, whatever its case and accents. If none does, the beginning.
pub(super) fn passages(text: &str, words: &[String]) -> String {
    if text.len() <= SHORT {
        return text.to_owned();
    }
    let matches = matches(text, words);
    let Some(first) = best(&matches, |_| true) else {
        return text[..text.ceil_char_boundary(SHORT)].to_owned();
    };
    let mut starts = vec![first];
    starts.extend(best(&matches, |at| first.abs_diff(at) > BEFORE + WITHIN + AFTER));
    starts.sort_unstable();
    let passages: Vec<_> = starts.into_iter().map(|start| passage(text, start)).collect();
    passages.join(" … ")
}

/// A word of the text that may be one of those searched for.
struct Match {
    at: usize,
    /// Which of them it is.
    word: usize,
    /// How likely it is: more if little follows the stem.
    weight: usize,
}

fn matches(text: &str, words: &[String]) -> Vec<Match> {
    let (caseless, cased): (Vec<_>, Vec<_>) =
        words.iter().enumerate().partition(|(_, word)| is_caseless(word));
    let cased: Vec<_> = cased.into_iter().map(|(word, stem)| (word, sort_key(stem))).collect();
    let mut matches = Vec::new();
    for (word, stem) in caseless {
        let found = text.match_indices(stem.as_str()).take(MAX_MATCHES);
        matches.extend(found.map(|(at, _)| Match { at, word, weight: 2 }));
    }
    let mut folded = String::new();
    for (at, whole) in text.unicode_word_indices() {
        folded.clear();
        if whole.is_ascii() {
            folded.push_str(whole);
            folded.make_ascii_lowercase();
        } else {
            folded = sort_key(whole);
        }
        let found = cased.iter().filter(|(_, stem)| begins_with(&folded, stem));
        matches.extend(found.map(|(word, stem)| {
            let weight = if folded.len() <= stem.len() + 3 { 2 } else { 1 };
            Match { at, word: *word, weight }
        }));
        if matches.len() >= MAX_MATCHES {
            break;
        }
    }
    matches.sort_by_key(|found| found.at);
    matches
}

/// Whether it is of a script without capitals. Of these, some put no spaces between words, and others write articles
/// before them: such a word is looked for anywhere.
fn is_caseless(word: &str) -> bool {
    !word.chars().any(|c| c.is_ascii() || c.is_lowercase())
}

/// The last letter of a stem may be another, as in English, which makes `citi` of `city`.
fn begins_with(word: &str, stem: &str) -> bool {
    let end = if stem.chars().count() > 3 {
        stem.char_indices().next_back().map_or(0, |(at, _)| at)
    } else {
        stem.len()
    };
    word.starts_with(&stem[..end])
}

/// Where the match is from which on most words are near each other, among those where `is_free`; the first of equals.
fn best(matches: &[Match], is_free: impl Fn(usize) -> bool) -> Option<usize> {
    let mut best = None;
    let mut most = 0;
    for (index, first) in matches.iter().enumerate().filter(|(_, first)| is_free(first.at)) {
        let mut weights = BTreeMap::new();
        for near in matches[index..].iter().take_while(|near| near.at <= first.at + WITHIN) {
            let weight = weights.entry(near.word).or_insert(0);
            *weight = near.weight.max(*weight);
        }
        let sum = weights.values().sum();
        if sum > most {
            (best, most) = (Some(first.at), sum);
        }
    }
    best
}

/// The passage around a match, from the beginning of a word on.
fn passage(text: &str, start: usize) -> &str {
    let from = text.floor_char_boundary(start.saturating_sub(BEFORE));
    let until = text.ceil_char_boundary((start + WITHIN + AFTER).min(text.len()));
    let start = text.floor_char_boundary(start);
    let from = text[from..start].find(char::is_whitespace).map_or(from, |space| from + space);
    text[from..until].trim()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str, words: &[&str]) -> String {
        passages(text, &words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_passage_begins_before_the_match_and_goes_on_after_it() {
        let filler = "Some words that nobody looks for. ".repeat(100);
        let text = format!("{filler}Here is a Needle, in the haystack. {filler}");
        let passage = shown(&text, &["needl"]);
        assert!(passage.contains("looks for. Here is a Needle, in the haystack. Some words"), "{passage}");
        assert!(passage.len() <= SHORT / 2, "{passage}");
        assert_eq!(shown(&text, &["absent"]), text[..SHORT]);
        assert_eq!(shown("A needle", &["absent"]), "A needle");
    }

    #[test]
    fn words_are_shown_where_most_of_them_are_and_in_one_more_place() {
        let filler = "Nothing. ".repeat(100);
        let text = format!("One red. {filler}A red fox. {filler}A fox. {filler}Red and fox.");
        let passages = shown(&text, &["red", "fox"]);
        assert!(passages.contains("A red fox.") && passages.contains(" … "), "{passages}");
        assert!(passages.ends_with("Red and fox."), "{passages}");
    }

    #[test]
    fn a_stem_is_found_in_other_forms_of_its_word() {
        let filler = "Nichts. ".repeat(100);
        for (word, stem) in [
            ("Cities", "citi"),
            ("City", "citi"),
            ("Artist. Art", "art"),
            ("Häuser", "haus"),
            ("ПРИВЕТА", "привет"),
            ("والبرمجة", "برمج"),
            ("我喜欢编程语言", "编程"),
        ] {
            assert!(shown(&format!("{filler}{word} {filler}"), &[stem]).contains(word), "{word}");
        }
    }

    proptest! {
        #[test]
        fn passages_are_short_parts_of_any_text(text in "([a-cÄßé编 \u{301}.]{0,40} ){0,80}", words in proptest::collection::vec("[a-cäé编]{1,4}", 0..4)) {
            let found = passages(&text, &words);
            prop_assert!(found.len() <= SHORT + 3 * " … ".len(), "{}", found.len());
            prop_assert!(found.split(" … ").all(|passage| text.contains(passage)));
        }
    }
}
