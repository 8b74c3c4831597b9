//! What is wrong with the fields of a request.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

/// What is wrong with one field of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where: a body field (`tags[2]`), a query parameter or a path parameter.
    #[schema(example = "title")]
    pub field: String,
    /// What, for programs.
    #[schema(example = "too_long")]
    pub code: String,
    /// What, for people.
    #[schema(example = "must have at most 200 characters")]
    pub detail: String,
}

impl FieldError {
    /// An error of `field`. Long names and details are cut: what a client made up is not sent back whole.
    pub fn new(field: impl Into<String>, code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: abridged(field.into(), MAX_FIELD),
            code: code.into(),
            detail: abridged(detail.into(), MAX_DETAIL),
        }
    }
}

pub const MAX_ERRORS: usize = 100;
/// How many characters of a field's name, and of the sentence about it, a response shows.
const MAX_FIELD: usize = 100;
const MAX_DETAIL: usize = 600;

/// `text` with at most `max` characters: its beginning and its end.
#[must_use]
pub fn abridged(text: String, max: usize) -> String {
    let Some((cut, _)) = text.char_indices().nth(max / 2) else { return text };
    match text.char_indices().rev().nth(max - max / 2 - 2) {
        Some((rest, _)) if text.char_indices().nth(max).is_some() => {
            format!("{}…{}", &text[..cut], &text[rest..])
        }
        _ => text,
    }
}

/// What is wrong with the fields of a request: the first [`MAX_ERRORS`], and how many more there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors {
    shown: Vec<FieldError>,
    more: usize,
}

impl FieldErrors {
    pub fn push(&mut self, error: FieldError) {
        if self.shown.len() < MAX_ERRORS {
            self.shown.push(error);
        } else {
            self.more += 1;
        }
    }

    #[must_use]
    pub fn shown(&self) -> &[FieldError] {
        &self.shown
    }
}

impl From<FieldError> for FieldErrors {
    fn from(error: FieldError) -> Self {
        Self { shown: vec![error], more: 0 }
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The request has fields that are not acceptable; `errors` names ")?;
        match self.more {
            0 => f.write_str("each."),
            more => write!(f, "{MAX_ERRORS} of them, and there are {more} more."),
        }
    }
}
