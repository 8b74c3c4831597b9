//! The rules of texts, each also as the pattern that OpenAPI shows.

use super::RuleViolation;
use crate::text::{is_forbidden_in_line, is_invisible};

/// The rule of every text: a number of characters (Unicode scalar values), and something to see.
///
/// # Errors
/// `too_short`, `too_long` or `blank`.
pub fn length(text: &str, min: usize, max: usize) -> Result<(), RuleViolation> {
    let count = text.chars().count();
    if count == 0 && min > 0 {
        Err(("too_short", "must not be empty".into()))
    } else if count < min {
        Err(("too_short", format!("must have at least {min} characters").into()))
    } else if count > max {
        Err(("too_long", format!("must have at most {max} characters").into()))
    } else if text.chars().all(is_invisible) {
        Err(("blank", "must not be blank".into()))
    } else {
        Ok(())
    }
}

/// The rule of a text of one line.
///
/// # Errors
/// `control_character`, or those of [`length`].
pub fn line(text: &str, min: usize, max: usize) -> Result<(), RuleViolation> {
    if text.chars().any(is_forbidden_in_line) {
        let detail = "must not have line breaks, control characters, or characters that override the direction of text";
        return Err(("control_character", detail.into()));
    }
    length(text, min, max)
}

pub use line as folded;

/// The rule of a text of many lines: no control characters of ASCII but tabs and line breaks.
///
/// # Errors
/// `control_character`, or those of [`length`].
pub fn block(text: &str, min: usize, max: usize) -> Result<(), RuleViolation> {
    if text.chars().any(|c| c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err((
            "control_character",
            "must not have control characters but tabs and line breaks".into(),
        ));
    }
    length(text, min, max)
}

/// The parts of the patterns: what a line may not have, what a block may not have, and what else nobody sees.
macro_rules! classes {
    (line) => {
        r"\x00-\x1f\x7f-\x9f\u2028-\u202e\u206a-\u206f\ufeff\ufff9-\ufffb"
    };
    (block) => {
        r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
    };
    (unseen) => {
        concat!(
            r"\s\x80-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f",
            r"\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
        )
    };
}

/// The pattern of [`line`], as OpenAPI shows it. Of what nobody sees it leaves out what has no escape of four digits.
pub const LINE: &str =
    concat!("^[^", classes!(line), "]*[^", classes!(line), classes!(unseen), "][^", classes!(line), "]*$");
/// The pattern of [`block`], as OpenAPI shows it.
pub const BLOCK: &str =
    concat!("^[^", classes!(block), "]*[^", classes!(block), classes!(unseen), "][^", classes!(block), "]*$");

/// Declares the type of a text field: its rule, and the same rule as its OpenAPI schema.
/// `line` texts are stored as [`text::line`](crate::text::line) says, `folded` ones in one case as well, `block` texts
/// are kept to the letter. `$refuse` is a rule beside, if there is one.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $rule:ident, $pattern:ident, $min:literal..=$max:literal, $example:literal
     $(, $refuse:path)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(from = "std::borrow::Cow<'_, str>")]
        pub struct $name(String);

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::Type::String)
                    .min_length(Some($min))
                    .max_length(Some($max))
                    .pattern(Some($crate::http::validation::$pattern))
                    .examples([$example])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl $name {
            /// The text as it is stored.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl $crate::http::validation::Rule for $name {
            fn check(&self) -> Result<(), $crate::http::validation::RuleViolation> {
                $($refuse(&self.0)?;)?
                $crate::http::validation::$rule(&self.0, $min, $max)
            }
        }

        impl From<std::borrow::Cow<'_, str>> for $name {
            fn from(text: std::borrow::Cow<'_, str>) -> Self {
                Self($crate::http::validation::text_type!(@stored $rule text))
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                std::borrow::Cow::from(text).into()
            }
        }
    };
    (@stored line $text:expr) => { $crate::text::line(&$text) };
    (@stored folded $text:expr) => { $crate::text::folded_line(&$text) };
    (@stored block $text:expr) => { $text.into_owned() };
}
pub(crate) use text_type;

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro declares types for everyone")]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;
    use crate::http::validation::Rule;

    text_type!(Line, line, LINE, 2..=5, "ab");
    text_type!(Block, block, BLOCK, 2..=5, "ab");

    /// What a client that reads the schema would say.
    fn is_valid_by_schema(text: &str, pattern: &str) -> bool {
        (2..=5).contains(&text.chars().count()) && Regex::new(pattern).unwrap().is_match(text)
    }

    proptest! {
        #[test]
        fn the_rules_are_what_the_schemas_say(
            text in "[ab \t\n\r\u{0}\u{b}\u{7f}\u{85}\u{a0}\u{ad}\u{200b}\u{200d}\u{2003}\u{2028}\u{202e}\u{2067}\u{2800}\u{3164}\u{feff}é🦀]{0,7}"
        ) {
            let line = Line::from(text.as_str());
            prop_assert_eq!(line.check().is_ok(), is_valid_by_schema(line.as_str(), LINE), "{:?}", text);
            prop_assert_eq!(Block::from(text.as_str()).check().is_ok(), is_valid_by_schema(&text, BLOCK), "{:?}", text);
        }

        #[test]
        fn what_is_stored_is_visible_and_taken_again(text in any::<String>()) {
            let line = Line::from(text.as_str());
            if line.check().is_ok() {
                prop_assert!(line.as_str().chars().any(|c| !is_invisible(c)));
                let again = Line::from(line.as_str());
                prop_assert!(again.check().is_ok());
                prop_assert_eq!(again.as_str(), line.as_str());
            }
        }
    }

    #[test]
    fn nothing_to_see_is_blank() {
        for text in [
            "\u{200b}\u{200b}",
            "\u{2800} ",
            "\u{3164}\u{3164}",
            "\u{ad}\u{ad}",
            "\u{e0020}\u{e007f}",
            "\u{200d}\u{fe0f}",
        ] {
            assert!(Line::from(text).check().is_err(), "{text:?}");
            assert_eq!(Block::from(text).check().unwrap_err().0, "blank", "{text:?}");
        }
    }

    #[test]
    fn a_line_is_one_line_in_its_own_direction() {
        for text in [
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{85}b",
            "a\u{202e}b",
            "a\u{202a}b",
            "a\tb",
            "a\u{9b}b",
            "\u{feff}ab",
        ] {
            assert_eq!(Line::from(text).check().unwrap_err().0, "control_character", "{text:?}");
        }
        // Isolates, marks of direction and joiners are part of many languages, and of emoji.
        for text in ["\u{2067}ab\u{2069}", "a\u{200f}b", "نمی\u{200c}خ", "👩\u{200d}💻"] {
            assert!(Line::from(text).check().is_ok(), "{text:?}");
        }
    }

    #[test]
    fn lines_have_one_form_and_blocks_their_own() {
        assert_eq!(Line::from(" a\u{a0} e\u{301} ").as_str(), "a é");
        assert_eq!(Block::from(" a\n").as_str(), " a\n");
    }
}
