//! Validation, field by field: every field at fault is named, not only the first. A value's rule lives
//! with its type ([`Rule`]); a request lists its fields ([`Validate`]); the extractors of
//! [`extract`](super::extract) refuse what is not valid, so a handler never sees it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, SeqAccess, Visitor};

use crate::error::{FieldError, FieldErrors, MAX_ERRORS};

/// Why a value is not acceptable: a code for programs and a sentence for people.
pub type RuleViolation = (&'static str, Cow<'static, str>);

pub trait Rule {
    /// The first thing that is wrong with the value.
    fn check(&self) -> Result<(), RuleViolation>;
}

/// An absent value breaks no rule.
impl<T: Rule> Rule for Option<T> {
    fn check(&self) -> Result<(), RuleViolation> {
        self.as_ref().map_or(Ok(()), Rule::check)
    }
}

/// What the message of a [`refusal`] begins with.
const REFUSED: &str = "refused as ";

/// The error of a type that refuses a value while it is read.
#[must_use]
pub fn refusal<E: serde::de::Error>((code, detail): RuleViolation) -> E {
    E::custom(format_args!("{REFUSED}{code}: {detail}"))
}

/// The code and the detail in the message of a [`refusal`].
#[must_use]
pub fn refused(message: &str) -> Option<(&str, &str)> {
    message.strip_prefix(REFUSED)?.split_once(": ")
}

/// A request that can be checked beyond its shape.
pub trait Validate {
    fn validate(&self, violations: &mut Violations);

    /// Every field at fault, if there is any.
    fn validated(self) -> Result<Self, FieldErrors>
    where
        Self: Sized,
    {
        let mut violations = Violations::default();
        self.validate(&mut violations);
        if violations.0.shown().is_empty() { Ok(self) } else { Err(violations.0) }
    }
}

#[derive(Default)]
pub struct Violations(FieldErrors);

impl Violations {
    pub fn check(&mut self, field: &str, value: &impl Rule) -> &mut Self {
        if let Err((code, detail)) = value.check() {
            self.add(field, code, detail);
        }
        self
    }

    /// Checks each of `values` under the name `field[i]`.
    pub fn check_each<'a, T: Rule + 'a>(
        &mut self,
        field: &str,
        values: impl IntoIterator<Item = &'a T>,
    ) -> &mut Self {
        for (i, value) in values.into_iter().enumerate() {
            self.check(&format!("{field}[{i}]"), value);
        }
        self
    }

    /// Adds a violation that no single value's rule can see.
    pub fn add(&mut self, field: &str, code: &str, detail: impl Into<String>) {
        self.0.push(FieldError::new(field, code, detail));
    }
}

/// The rule of every text: a number of characters (Unicode scalar values), and not only white space.
pub fn length(text: &str, min: usize, max: usize) -> Result<(), RuleViolation> {
    let count = text.chars().count();
    if count == 0 && min > 0 {
        Err(("too_short", "must not be empty".into()))
    } else if count < min {
        Err(("too_short", format!("must have at least {min} characters").into()))
    } else if count > max {
        Err(("too_long", format!("must have at most {max} characters").into()))
    } else if text.chars().all(char::is_whitespace) {
        Err(("blank", "must not be blank".into()))
    } else {
        Ok(())
    }
}

/// The rule of a text of one line: [`length`], and no control characters.
pub fn line(text: &str, min: usize, max: usize) -> Result<(), RuleViolation> {
    if text.chars().any(|c| c.is_ascii_control()) {
        return Err(("control_character", "must not have control characters or line breaks".into()));
    }
    length(text, min, max)
}

/// The rule of a text of many lines: [`length`], and no control characters but tabs and line breaks.
pub fn block(text: &str, min: usize, max: usize) -> Result<(), RuleViolation> {
    if text.chars().any(|c| c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r')) {
        return Err((
            "control_character",
            "must not have control characters but tabs and line breaks".into(),
        ));
    }
    length(text, min, max)
}

/// The pattern of [`line`], as OpenAPI shows it.
pub const LINE: &str = r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$";
/// The pattern of [`block`], as OpenAPI shows it.
pub const BLOCK: &str =
    r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$";

/// Declares the type of a text field: its rule, and the same rule as its OpenAPI schema.
/// `line` texts lose the white space around them, `block` texts are kept to the letter.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $rule:ident, $pattern:ident, $min:literal..=$max:literal, $example:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(transparent)]
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
                $crate::http::validation::text_type!(@stored $rule self.0)
            }
        }

        impl $crate::http::validation::Rule for $name {
            fn check(&self) -> Result<(), $crate::http::validation::RuleViolation> {
                $crate::http::validation::$rule(&self.0, $min, $max)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    };
    (@stored line $text:expr) => { $text.trim() };
    (@stored block $text:expr) => { $text.as_str() };
}
pub(crate) use text_type;

/// How many items of a list are kept: as many as a response can name, and one more. No list of a request may
/// have as many, so what is left out changes nothing but how much memory the request takes.
const MAX_ITEMS: usize = MAX_ERRORS + 1;

/// Reads a list, of which it keeps the first 101 items: use it with `#[serde(deserialize_with = "items")]`.
pub fn items<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    struct Items<T>(PhantomData<T>);

    impl<'de, T: serde::Deserialize<'de>> Visitor<'de> for Items<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a sequence")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut items = Vec::new();
            while items.len() < MAX_ITEMS {
                match list.next_element()? {
                    Some(item) => items.push(item),
                    None => return Ok(items),
                }
            }
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(items)
        }
    }

    deserializer.deserialize_seq(Items(PhantomData))
}

/// [`items`] of a field that can be absent, but not null.
pub fn items_if_given<'de, D, T>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    items(deserializer).map(Some)
}

/// A field that may be absent (`None`) but not null: `#[serde(default, deserialize_with = "not_null")]`.
pub fn not_null<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Reads a field that can be absent (`None`), null (`Some(None)`) or a value: use it with
/// `#[serde(default, deserialize_with = "nullable")]`.
pub fn nullable<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: serde::Deserialize<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}

#[cfg(test)]
#[expect(unreachable_pub, reason = "the macro declares types for everyone")]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    text_type!(Line, line, LINE, 2..=5, "ab");
    text_type!(Block, block, BLOCK, 2..=5, "ab");

    /// What a client that reads the schema would say.
    fn is_valid_by_schema(text: &str, pattern: &str) -> bool {
        (2..=5).contains(&text.chars().count()) && Regex::new(pattern).unwrap().is_match(text)
    }

    proptest! {
        #[test]
        fn the_rules_are_what_the_schemas_say(text in "[ab \t\n\r\u{0}\u{b}\u{7f}\u{85}\u{a0}\u{2003}é🦀]{0,7}") {
            prop_assert_eq!(Line::from(text.as_str()).check().is_ok(), is_valid_by_schema(&text, LINE), "{:?}", text);
            prop_assert_eq!(Block::from(text.as_str()).check().is_ok(), is_valid_by_schema(&text, BLOCK), "{:?}", text);
        }

        #[test]
        fn what_is_stored_is_never_blank(text in any::<String>()) {
            let line = Line::from(text.as_str());
            prop_assert!(line.check().is_err() || !line.as_str().is_empty());
        }
    }

    #[test]
    fn lines_are_trimmed_and_blocks_are_not() {
        assert_eq!(Line::from(" a ").as_str(), "a");
        assert_eq!(Block::from(" a\n").as_str(), " a\n");
    }
}
