//! Why a slug is refused.

use crate::auth::User;
use crate::db::{self, Connection, Db, ViolationKind};
use crate::error::ApiError;
use crate::identity::Role;
use crate::posts::store;

/// The error of a taken slug. Of a post that was deleted nobody but its author and editors may know.
pub(super) async fn taken(connection: &mut Connection, slug: &str, user: User) -> Result<ApiError, ApiError> {
    let author_id = if user.is(Role::Editor) { None } else { Some(user.id) };
    let detail = match store::is_of_deleted(connection, slug, author_id).await? {
        false => ViolationKind::Taken.detail(),
        true if user.is(Role::Editor) => {
            "is that of a post which was deleted: restore it, or choose another slug"
        }
        true => {
            "is that of a post of yours which was deleted: an editor can restore it, or choose another slug"
        }
    };
    Ok(ApiError::conflict("slug", "taken", detail))
}

/// The error of a statement that was to give a post the slug.
pub(super) async fn explained(db: &Db, error: sqlx::Error, slug: &str, user: User) -> ApiError {
    let is_taken = db::violation(&error)
        .is_some_and(|violation| violation.field == "slug" && violation.kind == ViolationKind::Taken);
    if !is_taken {
        return error.into();
    }
    let explanation = async { taken(&mut db.acquire().await?, slug, user).await };
    explanation.await.unwrap_or_else(|error| error)
}
