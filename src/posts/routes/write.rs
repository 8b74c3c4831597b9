//! Changing, deleting and restoring posts.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::json;

use super::body::UpdatePost;
use super::covers::{ChosenCover, choose};
use super::slugs::explained;
use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::scope::POSTS_WRITE;
use crate::auth::{Editor, Member, User, Viewer};
use crate::cache::{Invalidates, Scope};
use crate::db::channel::Wake;
use crate::db::{Connection, Db, Outcome};
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::{Json, Path};
use crate::http::idempotency::{Idempotency, Write};
use crate::http::now::Now;
use crate::http::preconditions::IfMatch;
use crate::markdown::Renderer;
use crate::media::storage::MaybeStorage;
use crate::notifications::model::Event;
use crate::notifications::store as notifications;
use crate::posts::model::{Post, PostHead, PostPath, PostRef, stored_tags};
use crate::posts::store;

/// The post, if `user` may read all of it: a post that the user may not know of is not found.
pub(super) async fn find_open(
    connection: &mut Connection,
    user: User,
    post: &PostRef,
    now: DateTime<Utc>,
) -> Result<PostHead, ApiError> {
    let post =
        store::find_visible(connection, post, &Viewer(Some(user)), now).await?.ok_or(ApiError::NotFound)?;
    if post.is_open_to(&user) {
        Ok(post)
    } else {
        Err(ApiError::Forbidden("Only the post's author and editors may do this."))
    }
}

/// The post, if `user` may change it.
pub(super) async fn find_editable(
    connection: &mut Connection,
    user: User,
    post: &PostRef,
    now: DateTime<Utc>,
) -> Result<PostHead, ApiError> {
    let post = find_open(connection, user, post, now).await?;
    if post.is_editable_by(&user) {
        Ok(post)
    } else {
        Err(ApiError::Forbidden("Only authors, editors and admins change posts, also their own."))
    }
}

/// Change a post
#[utoipa::path(patch, path = "/v1/posts/{post}", tag = "posts", params(PostPath, IfMatch),
    request_body = UpdatePost, security(("token" = ["posts:write"])), responses(
    (status = 200, description = "The post as it is now", body = Post),
    (status = 403, description = "Another author's post, without being an editor"),
    (status = 404, description = "No such post, or not yet for this caller"),
    (status = 409, description = "The slug is taken"),
    (status = 501, description = "A cover, where no place for files is set up"),
))]
pub async fn update(
    Member(user): Member<POSTS_WRITE>,
    State(db): State<Db>,
    State(render): State<Renderer>,
    State(wake): State<Wake>,
    State(storage): State<MaybeStorage>,
    Now(now): Now,
    Path(PostPath { post }): Path<PostPath>,
    if_match: IfMatch,
    Json(body): Json<UpdatePost>,
) -> Result<(Invalidates, Tagged<Post>), ApiError> {
    let (post, rendered) = match &body.body {
        Some(markdown) => {
            let id = find_editable(&mut db.acquire().await?, user, &post, now).await?.id;
            (PostRef::Id(id), Some(render.post(id, markdown.as_str()).await?))
        }
        None => (post, None),
    };
    let tags = body.tags.as_deref().map(stored_tags);
    let publication = body.publication(now)?;
    let mut transaction = db.begin().await?;
    let is_scheduled = publication.is_some_and(|publication| publication.is_scheduled(now));
    let user = if is_scheduled { user.confirmed(&mut transaction, now).await? } else { user };
    let head = find_editable(&mut transaction, user, &post, now).await?;
    let text = match (rendered, &body.body) {
        (Some(rendered), Some(markdown)) => {
            Some(store::with_media(&mut transaction, rendered, markdown.as_str(), head.author_id).await?)
        }
        _ => None,
    };
    let cover =
        choose(&mut transaction, &storage, &user, body.cover.as_ref().and_then(Option::as_ref)).await?;
    let cover = cover.as_ref().map(ChosenCover::stored);
    let changes = body.to_changes(text.as_ref(), cover, tags.as_deref(), publication);
    let updated = store::update(&mut transaction, head.id, user.id, &changes, if_match.versions(), now).await;
    let outcome = match (updated, changes.slug) {
        (Err(error), Some(slug)) => {
            // Given back, since nothing can be asked in it any more.
            drop(transaction);
            return Err(explained(&db, error, slug, user).await);
        }
        (updated, _) => updated?,
    };
    let post = store::find(&mut transaction, &PostRef::Id(head.id), now).await?;
    if outcome == Outcome::Refused {
        return Err(if_match.refusal(post));
    }
    if outcome == Outcome::Changed && head.author_id != Some(user.id) {
        let details = json!({"fields": body.changed_fields()});
        audit::record(&mut transaction, &Entry::by(&user, Action::PostUpdated, head.id, details), now)
            .await?;
    }
    let post = post.ok_or(ApiError::NotFound)?;
    if post.summary.published_at != head.published_at {
        tell(&mut transaction, &post, &user, now).await?;
    }
    transaction.commit().await?;
    wake.here();
    let invalidates = Invalidates::if_changed(outcome == Outcome::Changed, Scope::Resource(head.id));
    Ok((invalidates, Tagged(post)))
}

/// Delete a post
///
/// Editors can restore it.
#[utoipa::path(delete, path = "/v1/posts/{post}", tag = "posts", params(PostPath, IfMatch),
    security(("token" = ["posts:write"])), responses(
    (status = 204, description = "The post is deleted"),
    (status = 403, description = "Another author's post, without being an editor"),
    (status = 404, description = "No such post, or not yet for this caller"),
))]
pub async fn delete(
    Member(user): Member<POSTS_WRITE>,
    State(db): State<Db>,
    State(wake): State<Wake>,
    Now(now): Now,
    Path(PostPath { post }): Path<PostPath>,
    if_match: IfMatch,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let mut transaction = db.begin().await?;
    let head = find_editable(&mut transaction, user, &post, now).await?;
    if !store::delete(&mut transaction, head.id, if_match.versions(), now).await? {
        return Err(if_match.refusal(store::find(&mut transaction, &PostRef::Id(head.id), now).await?));
    }
    if head.author_id != Some(user.id) {
        audit::record(&mut transaction, &Entry::by(&user, Action::PostDeleted, head.id, json!({})), now)
            .await?;
    }
    transaction.commit().await?;
    wake.here();
    Ok((StatusCode::NO_CONTENT, Invalidates(Scope::Resource(head.id))))
}

/// Restore a deleted post
///
/// A post that is not deleted stays as it is.
#[utoipa::path(post, path = "/v1/posts/{post}/restore", tag = "posts", params(PostPath, IfMatch),
    security(("token" = ["posts:write"])), responses(
    (status = 200, description = "The post, with the status it had", body = Post),
    (status = 403, description = "Only for editors"),
    (status = 404, description = "No such post"),
))]
pub async fn restore(
    Editor(user): Editor<POSTS_WRITE>,
    State(wake): State<Wake>,
    Now(now): Now,
    Path(PostPath { post }): Path<PostPath>,
    if_match: IfMatch,
    key: Idempotency,
) -> Result<Response, ApiError> {
    let restored = async |write: &mut Write| {
        let locked = store::lock(write, &post).await?.ok_or(ApiError::NotFound)?;
        if_match.check(locked.version)?;
        if locked.deleted {
            store::restore(write, locked.id, now).await?;
            audit::record(write, &Entry::by(&user, Action::PostRestored, locked.id, json!({})), now).await?;
        }
        let post = store::find(write, &PostRef::Id(locked.id), now).await?.ok_or(ApiError::NotFound)?;
        if locked.deleted {
            tell(write, &post, &user, now).await?;
        }
        let changed = Invalidates::if_changed(locked.deleted, Scope::Resource(locked.id));
        Ok((changed, Tagged(post)))
    };
    let response = key.run(Some(user.id), restored).await?;
    wake.here();
    Ok(response)
}

/// Has followers told of the post when it is published, if it is to be.
pub(super) async fn tell(
    connection: &mut Connection,
    post: &Post,
    user: &User,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let Some(published_at) = post.summary.published_at else { return Ok(()) };
    let event = Event::Post { id: post.summary.id, at: published_at.max(now) };
    notifications::queue(connection, event, user.id, now).await
}
