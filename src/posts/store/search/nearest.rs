//! The newest posts that an index finds which knows no order: it is asked for a window of time after the other, each of
//! so many posts as the search should need, however long that is.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::span::{Direction, Kind, SHORTEST, Span, Window};
use super::terms::Terms;
use crate::db::Connection;

/// A match.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) id: Uuid,
    at: DateTime<Utc>,
    /// What its words take as they are stored.
    pub(super) bytes: i32,
}

/// How many posts the first window has.
const FIRST_WINDOW: i64 = 500;
/// How many times more a window has than all before it together, at most.
const GROWTH: i64 = 4;
const MAX_WINDOW: i64 = 1_000_000_000_000;
/// After so many windows, a search that has found less than this part of what it wants asks for all that remains.
const WINDOWS_BEFORE_REST: usize = 3;
const RARE: usize = 32;
/// Unless the index would go through more posts than this: then it is asked for so many further windows, if it has to
/// find several things together.
const MAX_REACH: i64 = 200_000;
const LAST_WINDOWS: usize = 2;
/// A search ends after so many windows, with what it has found by then.
const MAX_WINDOWS: usize = 32;

/// A window with more matches is given up for a shorter one.
const MAX_MATCHES: usize = 2500;
/// So many are read of one that cannot be shorter.
const MAX_MATCHES_AT_ONCE: usize = 50_000;

/// The `wanted` matches of `terms` within `span` that come first in `direction`.
///
/// Windows grow until there are enough matches, so that a common word costs what it finds in few posts. For a rare
/// one the rest of the index is asked, which is quick then; if it turns out to be common among posts further on, in
/// smaller steps. Words that are common, but hardly ever together, are not looked for to the end.
pub(super) async fn nearest(
    connection: &mut Connection,
    terms: &Terms,
    mut span: Span,
    direction: Direction,
    wanted: usize,
) -> sqlx::Result<Vec<Found>> {
    let (mut posts, mut passed) = (FIRST_WINDOW, 0);
    let (mut n, mut windows) = (0, MAX_WINDOWS);
    let mut found = Vec::new();
    while n < windows
        && let Some(edges) = edges(connection, &span, direction).await?
    {
        let is_rare = n == WINDOWS_BEFORE_REST && found.len() < wanted.div_ceil(RARE);
        let is_rest = is_rare && reach(connection, terms).await? <= MAX_REACH;
        if is_rare && !is_rest && terms.are_joined() {
            windows = n + LAST_WINDOWS;
        }
        n += 1;
        let window = edges.window(if is_rest { MAX_WINDOW } else { posts }, direction);
        let limit = if window.is_smallest() { MAX_MATCHES_AT_ONCE } else { MAX_MATCHES };
        let matches = matches(connection, window, terms, &span, limit + 1).await?;
        if matches.len() > limit && !window.is_smallest() {
            windows = MAX_WINDOWS;
            if !is_rest {
                posts = (posts / GROWTH).max(1);
            }
            continue;
        }
        found.extend(matches);
        if found.len() >= wanted || window.has(edges.end.timestamp()) {
            break;
        }
        span = window.beyond(span, direction);
        passed += posts;
        posts = further(passed, found.len(), wanted);
    }
    found.sort_unstable_by_key(|post| (post.at, post.id));
    if direction == Direction::Older {
        found.reverse();
    }
    found.truncate(wanted);
    Ok(found)
}

/// How many posts the next window has: half more than what is wanted should need, by what was `found` in those `passed`.
fn further(passed: i64, found: usize, wanted: usize) -> i64 {
    let missing = i64::try_from(wanted.saturating_sub(found)).unwrap_or(i64::MAX);
    let found = i64::try_from(found.max(1)).unwrap_or(i64::MAX);
    (passed * missing * 3 / (2 * found)).clamp(passed / GROWTH, passed * GROWTH).clamp(1, MAX_WINDOW)
}

/// About how many posts the index goes through for `terms`.
async fn reach(connection: &mut Connection, terms: &Terms) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select search_reach($1::text::tsquery, $2) as "posts!""#,
        terms.words,
        &terms.filters
    )
    .fetch_one(connection)
    .await
}

/// Where a span has posts: the first, the last of [`FIRST_WINDOW`], and the last of all.
#[derive(Debug)]
struct Edges {
    start: DateTime<Utc>,
    step: DateTime<Utc>,
    end: DateTime<Utc>,
}

impl Edges {
    /// The window of about so many `posts`, if they go on as they begin.
    fn window(&self, posts: i64, direction: Direction) -> Window {
        let step = (self.start - self.step).num_seconds().abs().max(SHORTEST);
        let all = (self.start - self.end).num_seconds().abs().max(SHORTEST);
        let width = step.saturating_mul(posts) / FIRST_WINDOW;
        Window::of(self.start.timestamp(), width.clamp(SHORTEST, all), direction)
    }
}

macro_rules! edges {
    ($span:expr, $way:tt, $back:tt, $start:tt, $step:tt) => {
        sqlx::query_as!(
            Edges,
            r#"with span as not materialized (
                 select post_time(published_at, created_at) as at, id from posts
                 where (post_time(published_at, created_at), id)
                   > (coalesce($1::timestamptz, '-infinity'), coalesce($2::uuid, '00000000-0000-0000-0000-000000000000'))
                   and (post_time(published_at, created_at), id)
                   < (coalesce($3::timestamptz, 'infinity'), coalesce($4::uuid, '00000000-0000-0000-0000-000000000000'))
                   and case $6::text when 'draft' then deleted_at is null and published_at is null
                     when 'deleted' then deleted_at is not null
                     else deleted_at is null and published_at is not null end),
               first as (select at from span order by at "# + $way + ", id " + $way + " limit $5)
               select " + $start + r#"(at) as "start!", "# + $step + r#"(at) as "step!",
                 (select at from span order by at "# + $back + ", id " + $back + r#" limit 1) as "end!"
               from first having count(*) > 0"#,
            $span.above.map(|(at, _)| at),
            $span.above.map(|(_, id)| id),
            $span.below.map(|(at, _)| at),
            $span.below.map(|(_, id)| id),
            FIRST_WINDOW,
            $span.kind.as_str()
        )
    };
}

/// The edges of `span`; `None` if it has no posts.
async fn edges(
    connection: &mut Connection,
    span: &Span,
    direction: Direction,
) -> sqlx::Result<Option<Edges>> {
    match direction {
        Direction::Older => edges!(span, "desc", "asc", "max", "min").fetch_optional(connection).await,
        Direction::Newer => edges!(span, "asc", "desc", "min", "max").fetch_optional(connection).await,
    }
}

/// At most `limit` matches of `terms` in `window` and `span`, in no order. The index has the terms alone: without the
/// `offset`, the planner might look for the rest in another.
async fn matches(
    connection: &mut Connection,
    window: Window,
    terms: &Terms,
    span: &Span,
    limit: usize,
) -> sqlx::Result<Vec<Found>> {
    sqlx::query_as!(
        Found,
        r#"select id, at as "at!", bytes as "bytes!" from (
             select id, post_time(published_at, created_at) as at, published_at, deleted_at,
               pg_column_size(search) as bytes
             from posts
             where posts_terms(search, author_id, tags, language, published_at, created_at, deleted_at)
               @@ $1::text::tsquery
             offset 0) found
           where (at, id)
             > (coalesce($2::timestamptz, '-infinity'), coalesce($3::uuid, '00000000-0000-0000-0000-000000000000'))
             and (at, id)
             < (coalesce($4::timestamptz, 'infinity'), coalesce($5::uuid, '00000000-0000-0000-0000-000000000000'))
             and (not $6 or published_at is not null and deleted_at is null) and (not $7 or published_at is not null)
           limit $8"#,
        terms.within(window),
        span.above.map(|(at, _)| at),
        span.above.map(|(_, id)| id),
        span.below.map(|(at, _)| at),
        span.below.map(|(_, id)| id),
        span.kind == Kind::Listed,
        span.is_dated,
        i64::try_from(limit).unwrap_or(i64::MAX)
    )
    .fetch_all(connection)
    .await
}
