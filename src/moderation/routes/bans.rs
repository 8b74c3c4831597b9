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
use crate::auth::scope::USERS_BAN;
use crate::auth::{Editor, User};
use crate::cache::{Invalidates, Scope};
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::{Json, Path};
use crate::http::now::Now;
use crate::http::preconditions::IfMatch;
use crate::http::timestamp::Timestamp;
use crate::http::validation::{Validate, Violations};
use crate::moderation::model::{BanReason, UserBan, may_ban};
use crate::moderation::store;
use crate::posts::store as posts;
use crate::users::model::UserPath;
use crate::users::store::{self as users, LockedUser};

/// A user's ban
#[utoipa::path(get, path = "/v1/users/{id}/ban", tag = "moderation", params(UserPath),
    security(("token" = ["users:ban"])), responses(
    (status = 200, description = "The ban, which has not ended", body = Ban),
    (status = 403, description = "Only for editors"),
    (status = 404, description = "No such user, or not banned"),
))]
pub async fn read_ban(
    _: Editor<USERS_BAN>,
    State(db): State<Db>,
    Now(now): Now,
    Path(UserPath { id }): Path<UserPath>,
) -> Result<Tagged<UserBan>, ApiError> {
    let ban = store::ban_of(&mut db.acquire().await?, id, now).await?;
    ban.map(Tagged).ok_or(ApiError::NotFound)
}

/// A ban.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PutBan {
    /// When it ends, by itself: in the future.
    until: Timestamp,
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
#[utoipa::path(put, path = "/v1/users/{id}/ban", tag = "moderation", params(UserPath, IfMatch),
    request_body = PutBan, security(("token" = ["users:ban"])), responses(
    (status = 200, description = "The ban as it is now", body = Ban),
    (status = 403, description = "Oneself, or as an editor another editor or an admin"),
    (status = 404, description = "No such user"),
    (status = 409, description = "The last admin who is not banned"),
))]
pub async fn ban(
    Editor(user): Editor<USERS_BAN>,
    State(db): State<Db>,
    Now(now): Now,
    Path(UserPath { id }): Path<UserPath>,
    if_match: IfMatch,
    Json(body): Json<PutBan>,
) -> Result<(Invalidates, Tagged<UserBan>), ApiError> {
    let until: DateTime<Utc> = body.until.into();
    if until <= now {
        return Err(ApiError::invalid("until", "in_past", "must be in the future"));
    }
    let mut transaction = db.begin().await?;
    let target = require_bannable(&mut transaction, &user, id, now).await?;
    check(&mut transaction, id, &if_match, now).await?;
    if target.is_last_admin {
        return Err(ApiError::conflict("id", "last_admin", "is of the last admin who is not banned"));
    }
    let changed = store::ban(&mut transaction, id, until, body.reason.as_str(), now).await?;
    let ban = store::ban_of(&mut transaction, id, now).await?.ok_or(ApiError::NotFound)?;
    if changed {
        posts::review_schedule(&mut transaction, id, now).await?;
        // Not the reason, which may be about the person.
        let details = json!({"until": until});
        let entry = Entry::by(&user, Action::UserBanned, id, details);
        audit::record(&mut transaction, &entry, now).await?;
    }
    transaction.commit().await?;
    Ok((Invalidates::if_changed(changed, Scope::Everything), Tagged(ban)))
}

/// Lift a ban
///
/// Of a user who is not banned nothing changes.
#[utoipa::path(delete, path = "/v1/users/{id}/ban", tag = "moderation", params(UserPath, IfMatch),
    security(("token" = ["users:ban"])), responses(
    (status = 204, description = "The user is not banned"),
    (status = 403, description = "Oneself, or as an editor another editor or an admin"),
    (status = 404, description = "No such user"),
))]
pub async fn unban(
    Editor(user): Editor<USERS_BAN>,
    State(db): State<Db>,
    Now(now): Now,
    Path(UserPath { id }): Path<UserPath>,
    if_match: IfMatch,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let mut transaction = db.begin().await?;
    require_bannable(&mut transaction, &user, id, now).await?;
    check(&mut transaction, id, &if_match, now).await?;
    let changed = store::unban(&mut transaction, id, now).await?;
    if changed {
        posts::review_schedule(&mut transaction, id, now).await?;
        let details = json!({});
        let entry = Entry::by(&user, Action::UserUnbanned, id, details);
        audit::record(&mut transaction, &entry, now).await?;
    }
    transaction.commit().await?;
    Ok((StatusCode::NO_CONTENT, Invalidates::if_changed(changed, Scope::Everything)))
}

/// The version is that of the user, whom nobody changes until the transaction ends.
async fn check(
    connection: &mut Connection,
    id: Uuid,
    if_match: &IfMatch,
    now: DateTime<Utc>,
) -> Result<(), ApiError> {
    let is_banned = store::ban_of(connection, id, now).await?.is_some();
    let account = users::account(connection, id).await?.ok_or(ApiError::NotFound)?;
    if_match.check_part(account.version, is_banned)
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
