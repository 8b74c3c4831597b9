//! What posts said before, for those who may edit them.

use axum::extract::{FromRef, FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::write::{find_editable, find_open};
use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::scope::{POSTS_READ, POSTS_WRITE};
use crate::auth::{Member, SignedIn, User};
use crate::cache::{Invalidates, Scope};
use crate::clock::Clock;
use crate::db::channel::Wake;
use crate::db::{Db, Outcome};
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::{Path, Query};
use crate::http::idempotency::{Idempotency, Write};
use crate::http::now::Now;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::http::preconditions::IfMatch;
use crate::http::validation::{Validate, Violations};
use crate::markdown::{RenderError, Rendered, Renderer};
use crate::posts::model::{Post, PostPath, PostRef, Revision, RevisionContent, RevisionSummary, diff};
use crate::posts::store::{self, RevisionRow};
use crate::workers::TEXTS;

/// The name of the list's order in cursors.
const ORDER: &str = "revisions";

/// Revisions of a post
///
/// Newest first, without their texts. There is one for each time that the title, the summary, the text or the
/// tags were changed.
#[utoipa::path(get, path = "/v1/posts/{post}/revisions", tag = "posts",
    params(PostPath, PageQuery),
    security(("token" = ["posts:read"])), responses(
    (status = 200, description = "A page of revisions", body = Page<RevisionSummary>),
    (status = 403, description = "Another author's post, without being an editor"),
    (status = 404, description = "No such post, or not yet for this caller"),
))]
pub async fn list_revisions(
    SignedIn(user): SignedIn<POSTS_READ>,
    State(db): State<Db>,
    Now(now): Now,
    Path(PostPath { post }): Path<PostPath>,
    request: PageRequest,
) -> Result<Page<RevisionSummary>, ApiError> {
    let before = request.after(ORDER)?;
    let mut connection = db.acquire().await?;
    let post = find_open(&mut connection, user, &post, now).await?;
    let rows = store::list_revisions(&mut connection, post.id, before, request.rows()).await?;
    request.page(rows, ORDER, RevisionRow::key)
}

/// Which revision of which post.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RevisionPath {
    /// The post's id or slug.
    #[param(value_type = String)]
    post: PostRef,
    /// The revision's number.
    number: i64,
}

/// What a revision is held against.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Comparison {
    /// The number of another revision of the post; the one before it if absent.
    #[param(minimum = 1)]
    against: Option<i64>,
}

impl Validate for Comparison {
    fn validate(&self, violations: &mut Violations) {
        if self.against.is_some_and(|number| number < 1) {
            violations.add("against", "out_of_range", "must be at least 1");
        }
    }
}

/// A revision of a post
///
/// With its text, and what changed in that since the revision before it or the one that `against` names.
#[utoipa::path(get, path = "/v1/posts/{post}/revisions/{number}", tag = "posts", params(RevisionPath, Comparison),
    security(("token" = ["posts:read"])), responses(
    (status = 200, description = "The revision", body = Revision),
    (status = 403, description = "Another author's post, without being an editor"),
    (status = 404, description = "No such post, or not yet for this caller, or no such revision"),
))]
pub async fn read_revision(
    SignedIn(user): SignedIn<POSTS_READ>,
    State(db): State<Db>,
    Now(now): Now,
    Path(path): Path<RevisionPath>,
    Query(comparison): Query<Comparison>,
) -> Result<Tagged<Revision>, ApiError> {
    let mut connection = db.acquire().await?;
    let post = find_open(&mut connection, user, &path.post, now).await?;
    let content =
        store::find_revision(&mut connection, post.id, path.number).await?.ok_or(ApiError::NotFound)?;
    let old = match comparison.against {
        Some(number) => {
            let other = store::find_revision(&mut connection, post.id, number).await?;
            let unknown = || ApiError::invalid("against", "not_found", "is not a revision of this post");
            Some((number, other.ok_or_else(unknown)?.body))
        }
        None => store::revision_before(&mut connection, post.id, path.number).await?,
    };
    drop(connection);
    // Long texts that have little in common take their time.
    let length = content.body.len() + old.as_ref().map_or(0, |(_, body)| body.len());
    Ok(Tagged(TEXTS.run(length, move || compared(content, old)).await?))
}

fn compared(content: RevisionContent, old: Option<(i64, String)>) -> Revision {
    let (against, old) = old.unzip();
    let from = (against.unwrap_or_default(), old.as_deref().unwrap_or_default());
    let diff = diff(from, (content.summary.number, &content.body));
    Revision { content, against, diff }
}

/// A revision, and who may restore it. Asked before the key of the request, since what is replayed shows the
/// post. One that was deleted meanwhile is for the handler to miss.
#[derive(Debug)]
pub struct Restorable {
    user: User,
    path: RevisionPath,
}

impl<S: Send + Sync> FromRequestParts<S> for Restorable
where
    Db: FromRef<S>,
    Clock: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Member(user) = Member::<POSTS_WRITE>::from_request_parts(parts, state).await?;
        let Path(path) = Path::<RevisionPath>::from_request_parts(parts, state).await?;
        let now = Now::of(parts, state);
        let mut connection = Db::from_ref(state).acquire().await?;
        if store::head(&mut connection, &path.post, now).await?.is_some() {
            find_editable(&mut connection, user, &path.post, now).await?;
        }
        Ok(Self { user, path })
    }
}

/// Restore a revision of a post
///
/// Its title, summary, text and tags become those of the post, in a new revision. Everything else stays.
#[utoipa::path(post, path = "/v1/posts/{post}/revisions/{number}/restore", tag = "posts",
    params(RevisionPath, IfMatch),
    security(("token" = ["posts:write"])), responses(
    (status = 200, description = "The post as it is now", body = Post),
    (status = 403, description = "Another author's post, without being an editor"),
    (status = 404, description = "No such post, or not yet for this caller, or no such revision"),
    (status = 409, description = "The text of the revision is too complex to be rendered today"),
))]
pub async fn restore_revision(
    Restorable { user, path }: Restorable,
    State(db): State<Db>,
    State(render): State<Renderer>,
    State(wake): State<Wake>,
    Now(now): Now,
    if_match: IfMatch,
    key: Idempotency,
) -> Result<Response, ApiError> {
    let (revision, rendered) = render_revision(&db, &render, user, &path, now).await?;
    let restored = async |write: &mut Write| {
        let head = find_editable(write, user, &path.post, now).await?;
        let id = head.id;
        let text = store::with_media(write, rendered, &revision.body, head.author_id).await?;
        let changes = store::Changes {
            title: Some(&revision.summary.title),
            summary: Some(revision.summary.summary.as_deref()),
            body: Some((&revision.body, &text)),
            tags: Some(&revision.summary.tags),
            ..store::Changes::default()
        };
        let outcome = store::update(write, id, user.id, &changes, if_match.versions(), now).await?;
        if outcome == Outcome::Refused {
            return Err(if_match.refusal(store::find(write, &PostRef::Id(id), now).await?));
        }
        if outcome == Outcome::Changed && head.author_id != Some(user.id) {
            let details = json!({"revision": path.number});
            audit::record(write, &Entry::by(&user, Action::PostUpdated, id, details), now).await?;
        }
        let post = store::find(write, &PostRef::Id(id), now).await?.ok_or(ApiError::NotFound)?;
        let invalidates = Invalidates::if_changed(outcome == Outcome::Changed, Scope::Resource(id));
        Ok((invalidates, Tagged(post)))
    };
    let response = key.run(Some(user.id), restored).await?;
    wake.here();
    Ok(response)
}

/// A revision and its text as rendered today: outside the transaction, since that may take a while.
async fn render_revision(
    db: &Db,
    render: &Renderer,
    user: User,
    path: &RevisionPath,
    now: DateTime<Utc>,
) -> Result<(RevisionContent, Rendered), ApiError> {
    let mut connection = db.acquire().await?;
    let post = find_editable(&mut connection, user, &path.post, now).await?;
    let revision =
        store::find_revision(&mut connection, post.id, path.number).await?.ok_or(ApiError::NotFound)?;
    drop(connection);
    let rendered = render.post(post.id, &revision.body).await.map_err(|error| match error {
        RenderError::TooComplex => ApiError::conflict("body", "too_complex", error.to_string()),
        RenderError::Work(error) => error.into(),
    })?;
    Ok((revision, rendered))
}
