//! Writing, changing, moderating and deleting comments.

use super::moderate::{decisions, deletion};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::store as audit;
use crate::auth::scope::{COMMENTS_MODERATE, COMMENTS_WRITE, Scopes};
use crate::auth::{Member, User, Viewer};
use crate::cache::{Invalidates, Scope};
use crate::comments::model::{Comment, CommentBody, CommentPath, CommentStatus, MAX_DEPTH};
use crate::comments::store;
use crate::db::channel::Wake;
use crate::db::{Connection, Db, Outcome};
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::{Json, Path};
use crate::http::idempotency::{Idempotent, Write};
use crate::http::now::Now;
use crate::http::preconditions::IfMatch;
use crate::http::validation::{Validate, Violations, not_null};
use crate::identity::Role;
use crate::markdown::Renderer;
use crate::notifications::model::Event;
use crate::notifications::store as notifications;
use crate::posts::model::{PostHead, PostPath, PostStatus};
use crate::posts::store as posts;
use crate::site::model::SiteCommentsPolicy;
use crate::site::store as site;

/// A new comment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateComment {
    /// The text, in Markdown.
    body: CommentBody,
    /// The comment it replies to, on the same post; absent for a comment on the post itself.
    parent_id: Option<Uuid>,
}

impl Validate for CreateComment {
    fn validate(&self, violations: &mut Violations) {
        violations.check("body", &self.body);
    }
}

/// Comment on a post
///
/// Where the post's policy, or else the site's, holds it, its `status` is `pending`: until an editor approves
/// it, only its author and editors read it.
#[utoipa::path(post, path = "/v1/posts/{post}/comments", tag = "comments",
    params(PostPath),
    request_body = CreateComment, security(("token" = ["comments:write"])), responses(
    (status = 201, description = "The new comment", body = Comment,
     headers(("Location" = String, description = "The path of the new comment"))),
    (status = 404, description = "No such post, or not yet for this caller"),
    (status = 409, description = "The post takes no comments: it is not published, or they are closed"),
))]
pub async fn create(
    Member(user): Member<COMMENTS_WRITE>,
    State(render): State<Renderer>,
    Now(now): Now,
    State(wake): State<Wake>,
    Path(PostPath { post }): Path<PostPath>,
    Idempotent(key, body): Idempotent<CreateComment>,
) -> Result<Response, ApiError> {
    let viewer = Viewer(Some(user));
    let id = Uuid::now_v7();
    let body_html = render.comment(id, body.body.as_str()).await?;
    let write = async |write: &mut Write| {
        let new = store::NewComment {
            id,
            post: &post,
            author_id: user.id,
            author_is_editor: user.is(Role::Editor),
            author_writes: user.is(Role::Author),
            parent_id: body.parent_id,
            body: body.body.as_str(),
            body_html: &body_html,
        };
        let Some(comment) = store::insert(write, &new, now).await? else {
            let post = posts::find_visible(write, &post, &viewer, now).await?.ok_or(ApiError::NotFound)?;
            return Err(refusal(write, &post, body.parent_id).await?);
        };
        let comment = Comment::from(comment);
        let location = [(header::LOCATION, format!("/v1/comments/{id}"))];
        let changed = Invalidates(Scope::Resource(comment.post_id));
        Ok((StatusCode::CREATED, location, changed, Tagged(comment)))
    };
    let response = key.run_statement(Some(user.id), write).await?;
    wake.here();
    Ok(response)
}

async fn refusal(
    connection: &mut Connection,
    post: &PostHead,
    parent_id: Option<Uuid>,
) -> Result<ApiError, ApiError> {
    if post.status != PostStatus::Published {
        return Ok(ApiError::conflict("post", "not_published", "is not published yet"));
    }
    let site = site::read(connection).await?;
    let takes_comments = post.comments_open && site.comments_policy != SiteCommentsPolicy::Closed;
    if let Some(parent_id) = parent_id.filter(|_| takes_comments) {
        let parent = store::find(connection, parent_id).await?.map(Comment::from);
        return Ok(match parent.filter(|parent| parent.post_id == post.id) {
            Some(parent) if parent.depth + 1 >= MAX_DEPTH => {
                ApiError::invalid("parent_id", "too_deep", format!("is at the last of {MAX_DEPTH} levels"))
            }
            _ => ApiError::invalid(
                "parent_id",
                "not_found",
                "is not a comment of this post that takes replies",
            ),
        });
    }
    Ok(ApiError::conflict("post", "comments_closed", "takes no more comments"))
}

/// What changes in a comment. What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateComment {
    /// The new text, in Markdown. Only its author changes it.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    body: Option<CommentBody>,
    /// What moderation has decided. Only editors change it.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    status: Option<CommentStatus>,
}

impl Validate for UpdateComment {
    fn validate(&self, violations: &mut Violations) {
        violations.check("body", &self.body);
    }
}

/// What it needs depends on what is done to whose comment.
const WRITE_OR_MODERATE: Scopes = COMMENTS_WRITE | COMMENTS_MODERATE;

/// Change or moderate a comment
///
/// A comment whose text its author changes waits for an editor again if it would wait as a new one. An API token needs
/// `comments:write` for the text, and `comments:moderate` for the status.
#[utoipa::path(patch, path = "/v1/comments/{id}", tag = "comments", params(CommentPath, IfMatch),
    request_body = UpdateComment, security(("token" = ["comments:write"]), ("token" = ["comments:moderate"])), responses(
    (status = 200, description = "The comment as it is now", body = Comment),
    (status = 403, description = "Another user's text, or moderation without being an editor"),
    (status = 404, description = "No such comment, or not for this caller"),
))]
pub async fn update(
    Member(user): Member<WRITE_OR_MODERATE>,
    State(db): State<Db>,
    State(render): State<Renderer>,
    State(wake): State<Wake>,
    Now(now): Now,
    Path(CommentPath { id }): Path<CommentPath>,
    if_match: IfMatch,
    Json(body): Json<UpdateComment>,
) -> Result<(Invalidates, Tagged<Comment>), ApiError> {
    if body.body.is_some() {
        user.require(COMMENTS_WRITE)?;
    }
    if body.status.is_some() {
        user.require(COMMENTS_MODERATE)?;
    }
    let body_html = match &body.body {
        Some(markdown) => Some(render.comment(id, markdown.as_str()).await?),
        None => None,
    };
    let mut transaction = db.begin().await?;
    let (comment, _) = store::find_visible(&mut transaction, id, &Viewer(Some(user)), now)
        .await?
        .ok_or(ApiError::NotFound)?;
    if body.body.is_some() && !comment.is_by(&user) {
        return Err(ApiError::Forbidden("Only its author changes a comment's text."));
    }
    if body.status.is_some() && !user.is(Role::Editor) {
        return Err(ApiError::Forbidden("Only editors moderate comments."));
    }
    if !comment.is_by(&user) && !user.is(Role::Editor) {
        return Err(ApiError::Forbidden("Only its author and editors change a comment."));
    }
    let status = comment.status;
    let changes = store::Changes {
        body: body.body.as_ref().map(CommentBody::as_str).zip(body_html.as_deref()),
        status: body.status,
        by_editor: user.is(Role::Editor),
        by_author: user.is(Role::Author),
    };
    if let Some(status) = body.status {
        let before = store::lock(&mut transaction, &[id]).await?;
        audit::record_all(&mut transaction, &decisions(&user, &before, status), now).await?;
    }
    let outcome = store::update(&mut transaction, id, &changes, if_match.versions(), now).await?;
    let comment = store::find(&mut transaction, id).await?.map(Comment::from);
    if outcome == Outcome::Refused {
        return Err(if_match.refusal(comment));
    }
    let comment = comment.ok_or(ApiError::NotFound)?;
    // Of one that waits it may have been said meanwhile that it does not.
    let is_news = comment.status != status || comment.status == CommentStatus::Pending;
    if outcome == Outcome::Changed && is_news {
        notifications::queue(&mut transaction, Event::Comments { ids: vec![id] }, user.id, now).await?;
    }
    transaction.commit().await?;
    wake.here();
    let invalidates = Invalidates::if_changed(outcome == Outcome::Changed, Scope::Resource(comment.post_id));
    Ok((invalidates, Tagged(comment)))
}

/// Delete a comment
///
/// One with replies leaves a tombstone in the thread. An API token needs `comments:write` for the user's own comment, and
/// `comments:moderate` for that of another.
#[utoipa::path(delete, path = "/v1/comments/{id}", tag = "comments", params(CommentPath, IfMatch),
    security(("token" = ["comments:write"]), ("token" = ["comments:moderate"])), responses(
    (status = 204, description = "The comment is gone"),
    (status = 403, description = "Another user's comment on another author's post, without being an editor"),
    (status = 404, description = "No such comment, or not for this caller"),
))]
pub async fn delete(
    Member(user): Member<WRITE_OR_MODERATE>,
    State(db): State<Db>,
    State(wake): State<Wake>,
    Now(now): Now,
    Path(CommentPath { id }): Path<CommentPath>,
    if_match: IfMatch,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let mut transaction = db.begin().await?;
    let (comment, post) = store::find_visible(&mut transaction, id, &Viewer(Some(user)), now)
        .await?
        .ok_or(ApiError::NotFound)?;
    if !may_delete(&user, &comment, &post) {
        return Err(ApiError::Forbidden("Only its author, the post's author and editors delete a comment."));
    }
    user.require(if comment.is_by(&user) { COMMENTS_WRITE } else { COMMENTS_MODERATE })?;
    if !store::delete(&mut transaction, id, if_match.versions(), now).await? {
        return Err(if_match.refusal(store::find(&mut transaction, id).await?.map(Comment::from)));
    }
    if !comment.is_by(&user) {
        audit::record(&mut transaction, &deletion(&user, id, comment.status), now).await?;
    }
    transaction.commit().await?;
    wake.here();
    Ok((StatusCode::NO_CONTENT, Invalidates(Scope::Resource(post.id))))
}

fn may_delete(user: &User, comment: &Comment, post: &PostHead) -> bool {
    comment.is_by(user) || post.is_editable_by(user)
}
