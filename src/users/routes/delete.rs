//! Deleting accounts.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::write::{last_admin, require_self_or_admin};
use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::Caller;
use crate::db::{Connection, Db, Violation, ViolationKind, violation};
use crate::error::ApiError;
use crate::http::extract::Path;
use crate::http::now::Now;
use crate::http::preconditions::IfMatch;
use crate::users::model::UserPath;
use crate::users::store;

/// Delete an account
///
/// One's own, or as an admin anyone's. Everything about the person is erased at once; their posts and
/// comments stay, under `deleted user`, but for deleted posts, drafts and scheduled posts. Who has written very
/// much takes more than one request: after a 503 ask again, which goes on from there.
#[utoipa::path(delete, path = "/v1/users/{id}", tag = "users", params(UserPath, IfMatch),
    security(("token" = [])), responses(
    (status = 204, description = "The account is gone"),
    (status = 403, description = "Another user's account, without being an admin"),
    (status = 404, description = "No such user"),
    (status = 409, description = "The last admin"),
))]
pub async fn delete(
    caller: Caller,
    State(db): State<Db>,
    Now(now): Now,
    Path(UserPath { id }): Path<UserPath>,
    if_match: IfMatch,
) -> Result<StatusCode, ApiError> {
    let user = if caller.user.id == id { caller.user } else { caller.unless_banned()? };
    require_self_or_admin(&user, id)?;
    let mut transaction = db.begin().await?;
    lock_erasable(&mut transaction, id, &if_match, now).await?;
    while store::release(&mut transaction, id, now).await.map_err(contended)? > 0 {
        transaction.commit().await?;
        transaction = db.begin().await?;
        lock_erasable(&mut transaction, id, &if_match, now).await?;
    }
    store::delete(&mut transaction, id, now).await.map_err(contended)?;
    let details = json!({"by_themselves": user.id == id});
    let actor = (user.id != id).then_some(user.id);
    // Of who is erased not even the id stays.
    let entry = Entry { actor, token: None, action: Action::UserDeleted, target: None, details };
    audit::record(&mut transaction, &entry, now).await?;
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What refers at this very moment to something that is being erased: another attempt sees it.
fn contended(error: sqlx::Error) -> ApiError {
    match violation(&error) {
        Some(Violation { kind: ViolationKind::NotFound, .. }) => ApiError::Contended(error.into()),
        _ => error.into(),
    }
}

/// Locks a user who may be erased in this version.
async fn lock_erasable(
    connection: &mut Connection,
    id: Uuid,
    if_match: &IfMatch,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let locked = store::lock(connection, id, now).await?;
    let account = store::account(connection, id).await?.ok_or(ApiError::NotFound)?;
    if if_match.check(account.version).is_err() {
        return Err(if_match.refusal(Some(account)));
    }
    if locked.is_some_and(|user| user.is_last_admin) {
        return Err(last_admin("id"));
    }
    Ok(())
}
