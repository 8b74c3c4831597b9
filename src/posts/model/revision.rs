//! What a post said once, and how one version of it differs from another.

use std::fmt::{Arguments, Write};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use similar::{Algorithm, TextDiff};
use utoipa::ToSchema;

use crate::http::conditional::Versioned;
use crate::identity::UserRef;

/// A saved version of a post, in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RevisionSummary {
    /// The version of the post; not every version of a post is a revision.
    #[schema(minimum = 1, example = 3)]
    pub number: i64,
    /// The title it had.
    #[schema(example = "Hello, world")]
    pub title: String,
    /// What it was about.
    #[schema(required, example = "The first post of this blog.")]
    pub summary: Option<String>,
    /// The tags it had.
    #[schema(example = json!(["rust", "blog"]))]
    pub tags: Vec<String>,
    /// Who saved it.
    pub editor: UserRef,
    /// When it was saved.
    pub created_at: DateTime<Utc>,
}

/// A saved version of a post and its text.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RevisionContent {
    /// All that a list shows of it.
    #[serde(flatten)]
    pub summary: RevisionSummary,
    /// The text it had, in Markdown.
    #[schema(example = "# Hello\n\nThis is *the second* draft.\n")]
    pub body: String,
}

/// A saved version of a post, held against another.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Revision {
    /// The version itself.
    #[serde(flatten)]
    pub content: RevisionContent,
    /// The number of the revision that `diff` begins from; null for the first, whose lines are all new.
    #[schema(required, example = 2)]
    pub against: Option<i64>,
    /// What changed in the text, line by line, as `diff -u` and `patch` have it; empty if nothing did.
    #[schema(
        example = "--- 2\n+++ 3\n@@ -1,3 +1,3 @@\n # Hello\n \n-This is *the first* draft.\n+This is *the second* draft.\n"
    )]
    pub diff: String,
}

impl Versioned for Revision {
    fn version(&self) -> i64 {
        self.content.summary.number
    }
}

/// How long the shortest difference is looked for; then a longer one will do.
const MAX_DIFF_TIME: Duration = Duration::from_millis(200);

/// The unified diff from text `old` to text `new`, with three lines of context. Only LF ends a line, as for
/// `patch`: CR is a character of its line.
#[must_use]
pub fn diff(old: (i64, &str), new: (i64, &str)) -> String {
    let [old_lines, new_lines] = [old.1, new.1].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let mut config = TextDiff::configure();
    let diff = config.algorithm(Algorithm::Myers).timeout(MAX_DIFF_TIME).diff_slices(&old_lines, &new_lines);
    let mut unified = String::new();
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        if unified.is_empty() {
            unified = format!("--- {}\n+++ {}\n", old.0, new.0);
        }
        push(&mut unified, format_args!("{}\n", hunk.header()));
        for change in hunk.iter_changes() {
            push(&mut unified, format_args!("{}{}", change.tag(), change.value()));
            if !change.value().ends_with('\n') {
                unified.push_str("\n\\ No newline at end of file\n");
            }
        }
    }
    unified
}

fn push(text: &mut String, more: Arguments<'_>) {
    // A string takes everything.
    let _always_ok = text.write_fmt(more);
}

#[cfg(test)]
mod tests;
