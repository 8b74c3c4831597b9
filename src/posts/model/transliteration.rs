//! A title in Latin letters, as those who write its language spell it without their own.

use std::borrow::Cow;

use deunicode::deunicode_char;
use unicode_normalization::UnicodeNormalization;

use crate::language::Language;

/// Letters, in lower case, and what stands for them: where a language has a rule of its own, or where what
/// [`deunicode_char`] gives has apostrophes.
type Letters = &'static [(&'static str, &'static str)];

const GERMAN: Letters = &[("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")];

const DANISH_AND_NORWEGIAN: Letters = &[("å", "aa"), ("æ", "ae"), ("ø", "oe"), ("ä", "ae"), ("ö", "oe")];

const CATALAN: Letters = &[("l·l", "ll"), ("ŀl", "ll")];

const RUSSIAN: Letters =
    &[("ё", "yo"), ("й", "y"), ("щ", "shch"), ("ъ", ""), ("ь", ""), ("ю", "yu"), ("я", "ya")];

const SERBIAN: Letters = &[
    ("đ", "dj"),
    ("ђ", "dj"),
    ("ж", "z"),
    ("ј", "j"),
    ("љ", "lj"),
    ("њ", "nj"),
    ("ћ", "c"),
    ("ц", "c"),
    ("ч", "c"),
    ("џ", "dz"),
    ("ш", "s"),
    ("х", "h"),
];

/// ISO 843, in the form of passports.
const GREEK: Letters = &[
    ("αυ", "av"),
    ("αύ", "av"),
    ("ευ", "ev"),
    ("εύ", "ev"),
    ("ου", "ou"),
    ("ού", "ou"),
    ("β", "v"),
    ("η", "i"),
    ("ή", "i"),
    ("υ", "y"),
    ("ύ", "y"),
    ("ϋ", "y"),
    ("ΰ", "y"),
    ("φ", "f"),
    ("χ", "ch"),
];

const TAMIL: Letters = &[("ழ", "zh"), ("ள", "l")];

fn letters(language: Language) -> Letters {
    match language {
        Language::German => GERMAN,
        Language::Danish | Language::Norwegian => DANISH_AND_NORWEGIAN,
        Language::Catalan => CATALAN,
        Language::Russian => RUSSIAN,
        Language::Serbian => SERBIAN,
        Language::Greek => GREEK,
        Language::Tamil => TAMIL,
        // The others write these letters without their marks: Swedish `a` for `ä`, Turkish `u` for `ü`.
        _ => &[],
    }
}

/// `text` in ASCII and lower case; what belongs to no word stays, or becomes a sign of ASCII.
pub(super) fn transliterated(text: &str, language: Language) -> String {
    let composed = text.nfc().collect::<String>().to_lowercase();
    let letters = letters(language);
    let mut latin = String::with_capacity(composed.len());
    let mut rest = composed.as_str();
    while let Some(c) = rest.chars().next() {
        if let Some((letter, spelling)) = letters.iter().find(|(letter, _)| rest.starts_with(letter)) {
            latin.push_str(spelling);
            rest = &rest[letter.len()..];
        } else {
            latin.push_str(&spelling(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    latin
}

fn spelling(c: char) -> Cow<'static, str> {
    match deunicode_char(c) {
        _ if c.is_ascii() => c.to_string().into(),
        // Signs for sounds that are within a word.
        Some(latin) if c.is_alphabetic() && latin.contains(['\'', '`']) => {
            latin.replace(['\'', '`'], "").into()
        }
        Some(latin) => latin.into(),
        None => "-".into(),
    }
}
