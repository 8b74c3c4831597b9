//! Listing and reading posts.

use axum::Extension;
use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::auth::{Role, Viewer};
use crate::clock::Clock;
use crate::db::Db;
use crate::error::ApiError;
use crate::http::caching::FreshFor;
use crate::http::conditional::Tagged;
use crate::http::extract::{Path, Query};
use crate::http::pagination::{Limit, Page, decode_cursor};
use crate::http::validation::{Validate, Violations};
use crate::posts::model::{Post, PostRef, PostStatus, PostSummary};
use crate::posts::store::{self, SummaryRow};

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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum Sort {
    /// Newest first.
    #[default]
    #[serde(rename = "-published_at")]
    Newest,
    /// Oldest first.
    #[serde(rename = "published_at")]
    Oldest,
}

impl Sort {
    /// The name of the order in cursors.
    fn order(self) -> &'static str {
        match self {
            Self::Newest => "posts-newest",
            Self::Oldest => "posts-oldest",
        }
    }
}

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
    #[param(pattern = r"^[^\x00]*$", example = "rust")]
    tag: Option<String>,
    /// Those that match: words, `"phrases"`, `or`, `-without`.
    #[param(pattern = r"^[^\x00]*$", example = "hello world")]
    q: Option<String>,
    /// By time of publication, a draft by its creation: `-published_at`, newest first, if absent.
    #[serde(default)]
    #[param(inline, value_type = Option<Sort>)]
    sort: Sort,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

impl Validate for ListPosts {
    fn validate(&self, violations: &mut Violations) {
        violations.check("limit", &self.limit);
    }
}

/// Posts
///
/// Published ones unless `status` says otherwise.
#[utoipa::path(get, path = "/v1/posts", tag = "posts", params(ListPosts), security((), ("token" = [])), responses(
    (status = 200, description = "A page of posts, without their texts", body = Page<PostSummary>),
    (status = 403, description = "Posts that the caller may not list"),
))]
pub async fn list(
    viewer: Viewer,
    State(db): State<Db>,
    State(clock): State<Clock>,
    uri: OriginalUri,
    Query(query): Query<ListPosts>,
) -> Result<(Option<Extension<FreshFor>>, Page<PostSummary>), ApiError> {
    let now = clock.now();
    let status = query.status.unwrap_or(ListStatus::Published);
    let tag = query.tag.map(|tag| tag.trim().to_lowercase());
    let filter = store::Filter {
        status: match status {
            ListStatus::Published => Some(PostStatus::Published),
            ListStatus::Scheduled => Some(PostStatus::Scheduled),
            ListStatus::Draft => Some(PostStatus::Draft),
            ListStatus::Deleted => None,
        },
        author: listed_author(&viewer, status, query.author)?,
        tag: tag.as_deref(),
        search: query.q.as_deref(),
        ascending: query.sort == Sort::Oldest,
        after: decode_cursor(query.sort.order(), query.cursor.as_deref())?,
        rows: query.limit.rows(),
    };
    let mut connection = viewer.acquire(&db).await?;
    let rows = store::list(&mut connection, &filter, now).await?;
    let next = store::next_publication(&mut connection, now).await?;
    let fresh = next.map(|at| Extension(FreshFor::until(at, now)));
    Ok((fresh, Page::new(rows, query.limit, query.sort.order(), SummaryRow::key, &uri)?))
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
#[utoipa::path(get, path = "/v1/posts/{post}", tag = "posts", params(("post" = String, Path, description = "The post's id or slug")),
    security((), ("token" = [])), responses(
    (status = 200, description = "The post, in Markdown and as safe HTML", body = Post),
    (status = 404, description = "No such post, or not yet for this caller"),
))]
pub async fn read(
    viewer: Viewer,
    State(db): State<Db>,
    State(clock): State<Clock>,
    Path(post): Path<PostRef>,
) -> Result<Tagged<Post>, ApiError> {
    let post = store::find(&mut viewer.acquire(&db).await?, &post, clock.now()).await?;
    post.filter(|post| post.head().is_visible_to(&viewer)).map(Tagged).ok_or(ApiError::NotFound)
}
