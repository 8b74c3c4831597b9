//! Listing and reading posts.

use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::auth::scope::POSTS_READ;
use crate::auth::{Anyone, Viewer};
use crate::cache::{CachePolicy, Scope};
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::cursor::{Count, Rank, Text};
use crate::http::extract::{Path, not_blank};
use crate::http::now::Now;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::http::timestamp::Timestamp;
use crate::http::validation::{Validate, Violations};
use crate::identity::Role;
use crate::language::Language;
use crate::posts::model::{Post, PostPath, PostStatus, PostSummary, Tag};
use crate::posts::store::{self, NextPublication, Order, PostRow, Search};

/// Which posts to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ListStatus {
    /// What everybody sees.
    Published,
    /// The caller's own, or as an editor everybody's.
    Scheduled,
    /// The caller's own, or as an editor everybody's.
    Draft,
    /// Only for editors.
    Deleted,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
pub enum Sort {
    /// Newest first.
    #[serde(rename = "-published_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "published_at")]
    Oldest,
    /// Most likes first.
    #[serde(rename = "-likes")]
    Likes,
    /// Most comments first.
    #[serde(rename = "-comments")]
    Comments,
    /// By title, whatever its case.
    #[serde(rename = "title")]
    Title,
    /// Best match first.
    #[serde(rename = "relevance")]
    Relevance,
}

impl Sort {
    /// The name of the order in cursors.
    fn name(self) -> &'static str {
        match self {
            Self::Newest => "posts-newest",
            Self::Oldest => "posts-oldest",
            Self::Likes => "posts-likes",
            Self::Comments => "posts-comments",
            Self::Title => "posts-title",
            Self::Relevance => "posts-relevance",
        }
    }

    /// The order, from where the request's cursor stands.
    fn order(self, request: &PageRequest<ListPosts>) -> Result<Order, ApiError> {
        let name = self.name();
        Ok(match self {
            Self::Newest => Order::Newest(time_after(request, name)?),
            Self::Oldest => Order::Oldest(time_after(request, name)?),
            Self::Likes => Order::Likes(request.after(name)?.map(|(Count(likes), id)| (likes, id))),
            Self::Comments => {
                Order::Comments(request.after(name)?.map(|(Count(comments), id)| (comments, id)))
            }
            Self::Title => Order::Title(request.after(name)?.map(|(Text(title), id)| (title, id))),
            Self::Relevance => Order::Relevance(request.after(name)?.map(|(Rank(bits), id)| (bits, id))),
        })
    }
}

/// The key of the lists by time.
pub(super) fn time_after<T>(
    request: &PageRequest<T>,
    order: &str,
) -> Result<Option<(DateTime<Utc>, Uuid)>, ApiError> {
    let after: Option<(Timestamp, Uuid)> = request.after(order)?;
    Ok(after.map(|(at, id)| (at.into(), id)))
}

/// The longest search, in characters.
const MAX_SEARCH: usize = 200;
/// How many words a search has at most, and how many `-`: what PostgreSQL takes to compare them grows faster
/// than their number, and it nests no more than 32 `-`.
const MAX_SEARCH_WORDS: usize = 20;

/// Which page of which posts. Filters combine.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListPosts {
    /// Those with this status; `published` if absent.
    #[param(inline, value_type = Option<ListStatus>)]
    status: Option<ListStatus>,
    /// Those of the user with this id.
    author: Option<Uuid>,
    /// Those with this tag, whatever its case.
    #[param(pattern = r"^[^\x00]*$")]
    tag: Option<String>,
    /// Those in this language.
    #[param(inline, value_type = Option<Language>)]
    language: Option<Language>,
    /// Those published, or to be published, at this time or later.
    #[param(inline)]
    published_after: Option<Timestamp>,
    /// Those published, or to be published, before this time.
    #[param(inline)]
    published_before: Option<Timestamp>,
    /// Those that match: words, `"phrases"`, `or`, `-without`, in the `language` that is asked for, else the
    /// service's own. By time it finds all of them, in any other order the newest 500.
    #[serde(default, deserialize_with = "not_blank")]
    #[param(max_length = 200, pattern = r"^[^\x00]*$")]
    q: Option<String>,
    /// The order: if absent `relevance` with `q`, else `-published_at`. A draft has its creation for its
    /// publication.
    #[param(inline, value_type = Option<Sort>)]
    sort: Option<Sort>,
}

impl Validate for ListPosts {
    fn validate(&self, violations: &mut Violations) {
        if self.published_after.zip(self.published_before).is_some_and(|(after, before)| after >= before) {
            violations.add("published_before", "out_of_order", "must be later than `published_after`");
        }
        if self.q.as_ref().is_some_and(|q| q.chars().count() > MAX_SEARCH) {
            violations.add("q", "too_long", format!("must have at most {MAX_SEARCH} characters"));
        }
        if self.q.as_deref().is_some_and(is_complex) {
            let detail = format!("must have at most {MAX_SEARCH_WORDS} words, and as many `-`");
            violations.add("q", "too_complex", detail);
        }
        if self.sort == Some(Sort::Relevance) && self.q.is_none() {
            violations.add("sort", "needs_search", "can be `relevance` only with `q`");
        }
    }
}

fn is_complex(search: &str) -> bool {
    // As it is searched for: a ligature may stand for several words.
    let search: String = search.nfkc().collect();
    let words = search.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.count() > MAX_SEARCH_WORDS || search.matches('-').count() > MAX_SEARCH_WORDS
}

/// Posts
///
/// Published ones unless `status` says otherwise.
#[utoipa::path(get, path = "/v1/posts", tag = "posts", params(ListPosts, PageQuery), security((), ("token" = ["posts:read"])), responses(
    (status = 200, description = "A page of posts, without their texts", body = Page<PostSummary>),
    (status = 403, description = "Posts that the caller may not list"),
))]
pub async fn list(
    Anyone(viewer): Anyone<POSTS_READ>,
    State(db): State<Db>,
    Now(now): Now,
    State(default_language): State<Language>,
    State(next): State<NextPublication>,
    request: PageRequest<ListPosts>,
) -> Result<(CachePolicy, Page<PostSummary>), ApiError> {
    let status = request.filter.status.unwrap_or(ListStatus::Published);
    let tag = request.filter.tag.as_deref().map(Tag::from);
    let filter = store::Filter {
        status: match status {
            ListStatus::Published => Some(PostStatus::Published),
            ListStatus::Scheduled => Some(PostStatus::Scheduled),
            ListStatus::Draft => Some(PostStatus::Draft),
            ListStatus::Deleted => None,
        },
        author: listed_author(&viewer, status, request.filter.author)?,
        tag: tag.as_ref().map(Tag::as_str),
        language: request.filter.language,
        published_after: request.filter.published_after.map(Into::into),
        published_before: request.filter.published_before.map(Into::into),
        search: request
            .filter
            .q
            .as_deref()
            .map(|words| Search { words, language: request.filter.language.unwrap_or(default_language) }),
        rows: request.rows(),
    };
    let sort = request.filter.sort.unwrap_or(if request.filter.q.is_some() {
        Sort::Relevance
    } else {
        Sort::Newest
    });
    let order = sort.order(&request)?;
    let (rows, policy) = if order.is_plain(&filter) {
        page(&mut viewer.acquire(&db).await?, &viewer, &next, &filter, &order, now).await?
    } else {
        let mut transaction = viewer.begin_costly(&db).await?;
        page(&mut transaction, &viewer, &next, &filter, &order, now).await?
    };
    Ok((policy, request.page(rows, sort.name(), |row| order.key(row))?))
}

async fn page(
    connection: &mut Connection,
    viewer: &Viewer,
    next: &NextPublication,
    filter: &store::Filter<'_>,
    order: &Order,
    now: DateTime<Utc>,
) -> Result<(Vec<PostRow>, CachePolicy), ApiError> {
    let rows = match filter.search {
        Some(search) => store::search(connection, search, filter, order, now).await?,
        None => store::list(connection, filter, order, now).await?,
    };
    Ok((rows, list_policy(viewer, next, connection, now).await?))
}

/// Until the next scheduled post appears, at most. Only anonymous reads are cached.
pub(super) async fn list_policy(
    viewer: &Viewer,
    next: &NextPublication,
    connection: &mut Connection,
    now: DateTime<Utc>,
) -> Result<CachePolicy, ApiError> {
    if viewer.0.is_some() {
        return Ok(CachePolicy::Private);
    }
    Ok(CachePolicy::until(next.after(now, connection).await?))
}

/// Whose posts the viewer gets to see: what is not published is listed to its author and to editors.
fn listed_author(viewer: &Viewer, status: ListStatus, asked: Option<Uuid>) -> Result<Option<Uuid>, ApiError> {
    if status == ListStatus::Published || viewer.is(Role::Editor) {
        return Ok(asked);
    }
    let user = viewer.0.ok_or(ApiError::Unauthenticated("Sign in to list posts that are not published."))?;
    if status == ListStatus::Deleted {
        return Err(ApiError::Forbidden("Only editors list deleted posts."));
    }
    if asked.is_some_and(|author| author != user.id) {
        return Err(ApiError::Forbidden("Only editors list what others have not published."));
    }
    Ok(Some(user.id))
}

/// A post
#[utoipa::path(get, path = "/v1/posts/{post}", tag = "posts", params(PostPath),
    security((), ("token" = ["posts:read"])), responses(
    (status = 200, description = "The post, in Markdown and as safe HTML", body = Post),
    (status = 404, description = "No such post, or not yet for this caller"),
))]
pub async fn read(
    Anyone(viewer): Anyone<POSTS_READ>,
    State(db): State<Db>,
    Now(now): Now,
    Path(PostPath { post }): Path<PostPath>,
) -> Result<(CachePolicy, Tagged<Post>), ApiError> {
    let mut connection = viewer.acquire(&db).await?;
    let post = store::find_for(&mut connection, &post, viewer.id(), now).await?;
    let mut post = post.filter(|post| post.head().is_visible_to(&viewer)).ok_or(ApiError::NotFound)?;
    if viewer.0.is_some_and(|user| post.head().is_open_to(&user)) {
        post = post.for_editing();
    }
    Ok((CachePolicy::showing(Scope::Resource(post.summary.id)), Tagged(post)))
}
