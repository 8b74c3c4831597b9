//! Validation, field by field: every field at fault is named, not only the first. A value's rule lives
//! with its type ([`Rule`]); a request lists its fields ([`Validate`]); the extractors of
//! [`extract`](super::extract) refuse what is not valid, so a handler never sees it.

mod text;

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, SeqAccess, Visitor};

use crate::error::{FieldError, FieldErrors, MAX_ERRORS};
pub(crate) use text::text_type;
pub use text::{BLOCK, LINE, block, folded, length, line};

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
        violations.into_result().map(|()| self)
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

    /// Every field at fault, if there is any.
    pub fn into_result(self) -> Result<(), FieldErrors> {
        if self.0.shown().is_empty() { Ok(()) } else { Err(self.0) }
    }

    /// Adds a violation that no single value's rule can see.
    pub fn add(&mut self, field: &str, code: &str, detail: impl Into<String>) {
        self.0.push(FieldError::new(field, code, detail));
    }
}

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

/// Checks a list of 1 to `most` items, each of which is in it once.
pub fn check_set<T: PartialEq>(violations: &mut Violations, field: &str, items: &[T], most: usize) {
    if items.is_empty() {
        violations.add(field, "too_few", "must be at least 1");
    }
    if items.len() > most {
        violations.add(field, "too_many", format!("must be at most {most}"));
    }
    for (i, item) in items.iter().enumerate().take(most) {
        if items[..i].contains(item) {
            violations.add(&format!("{field}[{i}]"), "duplicate", "is given twice");
        }
    }
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
