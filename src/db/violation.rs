//! What a constraint refused. Constraints are named `<table>_<field>_<kind>`, so that wherever one fires, the
//! field is known.

use sqlx::error::DatabaseError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub field: String,
    pub kind: ViolationKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViolationKind {
    /// Another row has it.
    Taken,
    /// It names a row that is not there.
    NotFound,
    /// No row may have it.
    Invalid,
}

impl ViolationKind {
    /// The sentence about it, for people; the field is its subject.
    #[must_use]
    pub fn detail(self) -> &'static str {
        match self {
            Self::Taken => "is taken already",
            Self::NotFound => "names something that is not there",
            Self::Invalid => "is not acceptable",
        }
    }
}

#[must_use]
pub fn violation(error: &sqlx::Error) -> Option<Violation> {
    let error = error.as_database_error()?;
    let kind = match error.code()?.as_ref() {
        "23505" => ViolationKind::Taken,
        "23503" => ViolationKind::NotFound,
        "23514" => ViolationKind::Invalid,
        _ => return None,
    };
    Some(Violation { field: field(error), kind })
}

fn field(error: &dyn DatabaseError) -> String {
    let constraint = error.constraint().unwrap_or_default();
    let field = error
        .table()
        .and_then(|table| constraint.strip_prefix(table)?.strip_prefix('_'))
        .and_then(|rest| rest.rsplit_once('_'));
    field.map_or(constraint, |(field, _kind)| field).to_owned()
}
