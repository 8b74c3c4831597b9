//! Banning users, and lifting bans.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::model::Ban;
use crate::auth::{Editor, User};
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::http::extract::{Json, Path};
use crate::http::now::Now;
use crate::http::validation::{Validate, Violations};
use crate::moderation::model::{BanReason, may_ban};
use crate::moderation::store;
use crate::posts::store as posts;
use crate::users::model::UserPath;
use crate::users::store::{self as users, LockedUser};

/// A user's ban
#[utoipa::path(get, path = "/v1/users/{id}/ban", tag = "moderation", params(UserPath),
    security(("token" = [])), responses(
    (status = 200, description = "The ban, which has not ended", body = Ban),
    (status = 403, description = "Only for editors"),
    (status = 404, description = "No such user, or not banned"),
))]
pub async fn read_ban(
    _: Editor,
    State(db): State<Db>,
    Now(now): Now,
    Path(UserPath { id }): Path<UserPath>,
) -> Result<Json<Ban>, ApiError> {
    let ban = store::ban_of(&mut db.acquire().await?, id, now).await?;
    ban.map(Json).ok_or(ApiError::NotFound)
}

/// A ban.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutBan {
    /// When it ends, by itself: in the future.
    until: DateTime<Utc>,
    /// Why, in words that the user reads.
    reason: BanReason,
}

impl Validate for PutBan {
    fn validate(&self, violations: &mut Violations) {
        violations.check("reason", &self.reason);
    }
}

/// Ban a user
///
/// The user still reads, signs in and out, and rules over their own account, but writes nothing that others
/// see until the ban ends. Takes the place of a ban that there is.
#[utoipa::path(put, path = "/v1/users/{id}/ban", tag = "moderation", params(UserPath),
    request_body = PutBan, security(("token" = [])), responses(
    (status = 200, description = "The ban as it is now", body = Ban),
    (status = 403, description = "Oneself, or as an editor another editor or an admin"),
    (status = 404, description = "No such user"),
    (status = 409, description = "The last admin who is not banned"),
))]
pub async fn ban(
    Editor(user): Editor,
    State(db): State<Db>,
    Now(now): Now,
    Path(UserPath { id }): Path<UserPath>,
    Json(body): Json<PutBan>,
) -> Result<Json<Ban>, ApiError> {
    if body.until <= now {
        return Err(ApiError::invalid("until", "in_past", "must be in the future"));
    }
    let mut transaction = db.begin().await?;
    if require_bannable(&mut transaction, &user, id, now).await?.is_last_admin {
        return Err(ApiError::conflict("id", "last_admin", "is of the last admin who is not banned"));
    }
    let ban = store::ban(&mut transaction, id, body.until, body.reason.as_str(), now).await?;
    let ban = ban.ok_or(ApiError::NotFound)?;
    posts::review_schedule(&mut transaction, id, now).await?;
    // Not the reason, which may be about the person.
    let details = json!({"until": ban.until});
    let entry = Entry { actor: Some(user.id), action: Action::UserBanned, target: Some(id), details };
    audit::record(&mut transaction, &entry, now).await?;
    transaction.commit().await?;
    Ok(Json(ban))
}

/// Lift a ban
///
/// Of a user who is not banned nothing changes.
#[utoipa::path(delete, path = "/v1/users/{id}/ban", tag = "moderation", params(UserPath),
    security(("token" = [])), responses(
    (status = 204, description = "The user is not banned"),
    (status = 403, description = "Oneself, or as an editor another editor or an admin"),
    (status = 404, description = "No such user"),
))]
pub async fn unban(
    Editor(user): Editor,
    State(db): State<Db>,
    Now(now): Now,
    Path(UserPath { id }): Path<UserPath>,
) -> Result<StatusCode, ApiError> {
    let mut transaction = db.begin().await?;
    require_bannable(&mut transaction, &user, id, now).await?;
    if store::unban(&mut transaction, id, now).await? {
        posts::review_schedule(&mut transaction, id, now).await?;
        let details = json!({});
        let entry = Entry { actor: Some(user.id), action: Action::UserUnbanned, target: Some(id), details };
        audit::record(&mut transaction, &entry, now).await?;
    }
    transaction.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Locks the user with `id` until the transaction ends, so that the answer holds until then.
async fn require_bannable(
    connection: &mut Connection,
    user: &User,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<LockedUser, ApiError> {
    let locked = users::lock(connection, id, now).await?.ok_or(ApiError::NotFound)?;
    if may_ban(user, id, locked.role) {
        Ok(locked)
    } else {
        Err(ApiError::Forbidden("Editors ban readers and authors, admins everyone but themselves."))
    }
}
