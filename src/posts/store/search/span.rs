//! Spans of time, and the windows in which a search goes through them.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::super::filter::Filter;
use crate::posts::model::PostStatus;

/// Where a post is in the order of time.
pub(super) type Place = (DateTime<Utc>, Uuid);

/// The way from post to post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Older,
    Newer,
}

/// Which posts are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Those that have appeared, or that will.
    Listed,
    Draft,
    Deleted,
}

impl Kind {
    pub(super) fn of(filter: &Filter<'_>) -> Self {
        match filter.status {
            Some(PostStatus::Published | PostStatus::Scheduled) => Self::Listed,
            Some(PostStatus::Draft) => Self::Draft,
            None => Self::Deleted,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Draft => "draft",
            Self::Deleted => "deleted",
        }
    }
}

/// The posts of a kind between two places, without those at them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) above: Option<Place>,
    pub(super) below: Option<Place>,
    pub(super) kind: Kind,
    /// Without those that were never to be published.
    pub(super) is_dated: bool,
}

impl Span {
    /// The posts that `filter` admits at the time `now`.
    pub(super) fn of(filter: &Filter<'_>, now: DateTime<Utc>) -> Self {
        let now = Some((now, Uuid::max()));
        let (above, below) = match filter.status {
            Some(PostStatus::Published) => (None, now),
            Some(PostStatus::Scheduled) => (now, None),
            Some(PostStatus::Draft) | None => (None, None),
        };
        let from = filter.published_after.map(|at| (at, Uuid::nil()));
        let until = filter.published_before.map(|at| (at, Uuid::nil()));
        let is_dated = from.or(until).is_some();
        Self { above, below, kind: Kind::of(filter), is_dated }.above(from).below(until)
    }

    pub(super) fn above(self, place: Option<Place>) -> Self {
        Self { above: self.above.max(place), ..self }
    }

    pub(super) fn below(self, place: Option<Place>) -> Self {
        Self { below: self.below.into_iter().chain(place).min(), ..self }
    }
}

/// The binary logarithms of the lengths of the periods that `posts_terms` knows, in seconds.
const PERIODS: [u32; 7] = [12, 15, 18, 21, 24, 27, 30];
/// The shortest period, in seconds.
pub(super) const SHORTEST: i64 = 1 << PERIODS[0];
/// A window is made of at least so many periods, unless it is too small: it is at most by a third longer than asked for.
const MIN_PERIODS: i64 = 4;

/// A part of time, in whole periods of one length: the seconds from `first` to `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    bits: u32,
    first: i64,
    last: i64,
}

impl Window {
    /// The window of about `width` seconds that begins with the second `at`.
    pub(super) fn of(at: i64, width: i64, direction: Direction) -> Self {
        let bits = PERIODS.into_iter().rev().find(|bits| MIN_PERIODS << bits <= width).unwrap_or(PERIODS[0]);
        let (first, last) = match direction {
            Direction::Older => (at - width, at),
            Direction::Newer => (at, at + width),
        };
        Self { bits, first: (first >> bits) << bits, last: (((last >> bits) + 1) << bits) - 1 }
    }

    /// Whether there is no smaller one.
    pub(super) fn is_smallest(self) -> bool {
        self.bits == PERIODS[0] && self.last - self.first < MIN_PERIODS << self.bits
    }

    pub(super) fn has(self, at: i64) -> bool {
        (self.first..=self.last).contains(&at)
    }

    /// The part of `span` beyond it, on the way.
    pub(super) fn beyond(self, span: Span, direction: Direction) -> Span {
        let place = |second| DateTime::from_timestamp(second, 0).map(|at| (at, Uuid::nil()));
        match direction {
            Direction::Older => span.below(place(self.first)),
            Direction::Newer => span.above(place(self.last + 1)),
        }
    }

    /// The terms of its periods.
    pub(super) fn periods(self) -> impl Iterator<Item = String> {
        let numbers = self.first >> self.bits..=self.last >> self.bits;
        numbers.map(move |number| format!(" at{} {number}", self.bits))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_window_has_what_is_asked_for_in_few_periods(at in -62_167_219_200_i64..253_402_300_800, width in 0_i64..9_000_000_000) {
            for direction in [Direction::Older, Direction::Newer] {
                let window = Window::of(at, width, direction);
                let far = if direction == Direction::Older { at - width } else { at + width };
                prop_assert!(window.has(at) && window.has(far));
                prop_assert!((1..=34).contains(&window.periods().count()), "{}", window.periods().count());
                prop_assert!(window.last - window.first <= width + 2 * (width / MIN_PERIODS).max(SHORTEST));
                let whole = Span { above: None, below: None, kind: Kind::Listed, is_dated: false };
                let beyond = window.beyond(whole, direction);
                let edge = beyond.below.or(beyond.above).map_or(0, |(edge, _)| edge.timestamp());
                prop_assert!(beyond.below.is_none() || beyond.above.is_none());
                prop_assert!(window.has(edge) != window.has(edge - 1) && window.has(edge) == (direction == Direction::Older));
            }
        }
    }
}
