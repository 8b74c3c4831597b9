//! Searching posts, at a cost that does not grow with how many there are or how common the words are.
//!
//! PostgreSQL's index of texts gives what it finds in no order, and ranking reads the words of every match. So the index
//! also has what a search filters by and when a post is listed (`posts_terms`): the newest matches are found without the
//! others ([`nearest`]), and no more than [`MAX_CONSIDERED`] of them are tested, ranked and ordered.

mod nearest;
mod passages;
mod span;
mod terms;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::filter::{Filter, Order, Search};
use super::row::{PostRow, posts};
use crate::db::Connection;
use crate::language::Language;
use crate::posts::model::{CommentsPolicy, PostStatus};
use nearest::{Found, nearest};
use passages::passages;
use span::{Direction, Span};
use terms::Terms;

/// How many matches are ordered by anything but their time, or tested for a phrase: the newest.
const MAX_CONSIDERED: usize = 500;
/// How much of their words is read for that, in bytes as they are stored. Those beyond come last, or are not tested.
const MAX_READ: i64 = 8 * 1024 * 1024;

/// How many characters of a text are looked at for what to show of it, and of all texts of a page together.
const MAX_SHOWN: i64 = 20_000;
const MAX_SHOWN_OF_PAGE: i64 = 400_000;

/// A search as PostgreSQL has read it: see `search_parts`.
#[derive(Debug)]
struct Parts {
    query: String,
    terms: String,
    is_phrase: bool,
    beside: String,
    marks: String,
    runs: Option<String>,
    words: Vec<String>,
}

/// The page of the posts that `search` finds, each with its rank if they are in that order, and with what to show of it.
///
/// Lists by time have all matches. Those in another order have the newest [`MAX_CONSIDERED`], and so has every
/// search for a phrase, of those with all of its words: the index does not know where they are.
pub async fn search(
    connection: &mut Connection,
    search: Search<'_>,
    filter: &Filter<'_>,
    order: &Order,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<PostRow>> {
    let Some(parts) = parts(connection, search).await? else { return Ok(Vec::new()) };
    let span = Span::of(filter, now);
    let page_rows = usize::try_from(filter.rows).unwrap_or_default();
    let (span, direction, wanted) = match order {
        Order::Newest(after) if !parts.is_phrase => (span.below(*after), Direction::Older, page_rows),
        Order::Oldest(after) if !parts.is_phrase => (span.above(*after), Direction::Newer, page_rows),
        _ => (span, Direction::Older, MAX_CONSIDERED),
    };
    let terms = Terms::new(parts.terms.clone(), filter);
    let mut found = nearest(connection, &terms, span, direction, wanted).await?;
    let readable = readable(&found);
    if parts.is_phrase {
        found.truncate(readable);
    }
    let found: Vec<_> = found.into_iter().map(|post| post.id).collect();
    let mut rows = page(connection, &found, readable, &parts, order, filter.rows, now).await?;
    mark(connection, search.language, &parts, &mut rows).await?;
    Ok(rows)
}

/// `None` if there is nothing to search for.
///
/// The transaction gets more memory than RDS gives by default: with less, the index names pages instead of posts, and all
/// posts on them are read.
async fn parts(connection: &mut Connection, search: Search<'_>) -> sqlx::Result<Option<Parts>> {
    sqlx::query_as!(
        Parts,
        r#"select query::text as "query!", terms::text as "terms!", is_phrase as "is_phrase!", beside::text as "beside!",
             marks::text as "marks!", runs, words_marked as "words!"
           from search_parts($1, $2) cross join set_config('work_mem', '16MB', true) as memory
           where query is not null"#,
        search.language.as_str(),
        search.words
    )
    .fetch_optional(connection)
    .await
}

/// How many of `found` have their words read.
fn readable(found: &[Found]) -> usize {
    let mut bytes = 0;
    let fit = found.iter().take_while(|post| {
        bytes += i64::from(post.bytes);
        bytes <= MAX_READ
    });
    fit.count()
}

/// The page of `$found` in the order of `$key`, from where it is `$beyond` the row `$after`, whose key is `$position`.
macro_rules! page {
    ($connection:expr, $found:expr, $parts:expr, $after:expr, $rows:expr, $now:expr,
     $rank:tt, $key:tt, $position:tt, $beyond:tt, $direction:tt $(, $argument:expr)*) => {
        posts!(
            summaries ["" + $rank + r#" as rank,
                 coalesce(p.summary || ' ', '') || left(coalesce(p.search_text, p.excerpt), $6) as headline
               from (
                 select id, key from unnest($2::uuid[]) with ordinality as found (id, n) cross join lateral (
                   select "# + $key + r#" as key from posts p join post_stats s on s.post_id = p.id
                   where p.id = found.id and (not $3 or p.search @@ $4::text::tsquery) offset 0) keys
                 where "# + $position + " is null or (key, id) " + $beyond + " (" + $position + ", $8)
                 order by key " + $direction + ", id " + $direction + r#" limit $5
               ) page join posts p on p.id = page.id join post_stats s on s.post_id = page.id
                 left join users u on u.id = p.author_id
               order by page.key "# + $direction + ", page.id " + $direction],
            $now,
            $found,
            $parts.is_phrase,
            $parts.query,
            $rows,
            shown($rows),
            $after.as_ref().map(|(key, _)| key.clone()),
            $after.as_ref().map(|(_, id)| *id)
            $(, $argument)*
        )
        .fetch_all($connection)
        .await
    };
}

#[rustfmt::skip::macros(page)]
async fn page(
    connection: &mut Connection,
    found: &[Uuid],
    readable: usize,
    parts: &Parts,
    order: &Order,
    rows: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<PostRow>> {
    match order {
        Order::Newest(after) => {
            page!(connection, found, parts, after, rows, now, "null::real", "post_time(p.published_at, p.created_at)", "$7::timestamptz", "<", "desc")
        }
        Order::Oldest(after) => {
            page!(connection, found, parts, after, rows, now, "null::real", "post_time(p.published_at, p.created_at)", "$7::timestamptz", ">", "asc")
        }
        Order::Likes(after) => {
            page!(connection, found, parts, after, rows, now, "null::real", "s.likes", "$7::integer", "<", "desc")
        }
        Order::Comments(after) => {
            page!(connection, found, parts, after, rows, now, "null::real", "s.comments", "$7::integer", "<", "desc")
        }
        Order::Title(after) => {
            page!(connection, found, parts, after, rows, now, "null::real", r#"coalesce(p.title_key, p.title collate "C")"#, "$7::text", ">", "asc")
        }
        // With an `or` at its root, `ts_rank` looks at each word by itself; with an `and` it compares all places of all
        // pairs of words, and `ts_rank_cd` takes as long. Words that stand side by side count twice instead.
        Order::Relevance(after) => {
            let after = after.map(|(bits, id)| (f32::from_bits(bits), id));
            let readable = i64::try_from(readable).unwrap_or(i64::MAX);
            page!(
                connection, found, parts, after, rows, now, "page.key",
                "case when n > $10 then 0::real else ts_rank(p.search, $4::text::tsquery || $4::text::tsquery, 1)
                   * case when p.search @@ $9::text::tsquery then 2::real else 1::real end end",
                "$7::real", "<", "desc", parts.beside, readable
            )
        }
    }
}

/// How much of each text is looked at on a page of `rows`.
fn shown(rows: i64) -> i32 {
    i32::try_from(MAX_SHOWN.min(MAX_SHOWN_OF_PAGE / rows.max(1))).unwrap_or(i32::MAX)
}

/// Makes of each row's text its headline. PostgreSQL takes long to read a whole text: it gets what is around the matches.
async fn mark(
    connection: &mut Connection,
    language: Language,
    parts: &Parts,
    rows: &mut [PostRow],
) -> sqlx::Result<()> {
    let texts: Vec<String> =
        rows.iter().map(|row| passages(row.headline.as_deref().unwrap_or_default(), &parts.words)).collect();
    let headlines = sqlx::query_scalar!(
        r#"select search_marked($1, $2::text::tsquery, $3, text) as "headline!"
           from unnest($4::text[]) with ordinality as texts (text, n) order by n"#,
        language.as_str(),
        parts.marks,
        parts.runs,
        &texts
    )
    .fetch_all(connection)
    .await?;
    for (row, headline) in rows.iter_mut().zip(headlines) {
        row.headline = Some(headline);
    }
    Ok(())
}
