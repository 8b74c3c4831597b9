//! What a search asks the index of `posts_terms` for, as a query of PostgreSQL.

use super::super::filter::Filter;
use super::span::{Kind, Window};

/// The words that are searched for, as a query, and the terms of the filters, of which all are needed.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) words: String,
    pub(super) filters: Vec<String>,
}

impl Terms {
    pub(super) fn new(words: String, filter: &Filter<'_>) -> Self {
        let mut filters = match Kind::of(filter) {
            // Most posts are: a term of theirs would cost more than the few others.
            Kind::Listed => Vec::new(),
            kind => vec![format!(" {}", kind.as_str())],
        };
        filters.extend(filter.author.map(|author| format!(" author {author}")));
        filters.extend(filter.tag.map(|tag| format!(" tag {tag}")));
        filters.extend(filter.language.map(|language| format!(" language {}", language.as_str())));
        Self { words, filters }
    }

    /// Whether a post has to have several of them, or may not have one.
    pub(super) fn are_joined(&self) -> bool {
        !self.filters.is_empty() || self.words.contains(" & ") || self.words.starts_with('!')
    }

    /// The query for those posts in `window`.
    pub(super) fn within(&self, window: Window) -> String {
        let periods: Vec<_> = window.periods().map(|period| quoted(&period)).collect();
        let filters = self.filters.iter().map(|term| quoted(term));
        let parts =
            [format!("({})", self.words), format!("({})", periods.join(" | "))].into_iter().chain(filters);
        parts.collect::<Vec<_>>().join(" & ")
    }
}

fn quoted(term: &str) -> String {
    format!("'{}'", term.replace('\\', r"\\").replace('\'', "''"))
}
