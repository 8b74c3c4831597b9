//! `/v1/posts/{post}/comments` and `/v1/comments`: write, read, change, delete and moderate comments.

mod moderate;
mod read;
mod write;

pub use moderate::*;
pub use read::*;
pub use write::*;

use crate::db::Connection;
use uuid::Uuid;

use crate::auth::Viewer;
use crate::clock::Clock;
use crate::comments::model::Comment;
use crate::comments::store::{self};
use crate::error::ApiError;
use crate::posts::model::{PostHead, PostRef};
use crate::posts::store as posts;

async fn find_post(
    connection: &mut Connection,
    post: &PostRef,
    viewer: &Viewer,
    clock: &Clock,
) -> Result<PostHead, ApiError> {
    let post = posts::head(connection, post, clock.now()).await?;
    post.filter(|post| post.is_visible_to(viewer)).ok_or(ApiError::NotFound)
}

/// The comment, if `viewer` may read it and its post.
async fn find_visible(
    connection: &mut Connection,
    id: Uuid,
    viewer: &Viewer,
    clock: &Clock,
) -> Result<(Comment, PostHead), ApiError> {
    let comment: Comment = store::find(connection, id).await?.ok_or(ApiError::NotFound)?.into();
    let post = find_post(connection, &PostRef::Id(comment.post_id), viewer, clock).await?;
    if comment.is_visible_to(viewer) { Ok((comment, post)) } else { Err(ApiError::NotFound) }
}
