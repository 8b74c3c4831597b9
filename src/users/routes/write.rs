//! Changing accounts.

use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::create::SignUpPolicy;
use super::credentials::NewCredentials;
use crate::audit::model::{Action, Entry, changed_fields};
use crate::audit::store as audit;
use crate::auth::login_throttle::LoginThrottle;
use crate::auth::password::{Password, Passwords};
use crate::auth::{Caller, User, store as sessions};
use crate::cache::{Invalidates, Scope};
use crate::db::{Connection, Db, Outcome, ViolationKind};
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::{Json, Path};
use crate::http::now::Now;
use crate::http::preconditions::IfMatch;
use crate::http::validation::{Validate, Violations, not_null, nullable};
use crate::identity::Role;
use crate::mail::MailLanguage;
use crate::media::choose::choose;
use crate::media::storage::MaybeStorage;
use crate::posts::store as posts;
use crate::users::jobs::{MailQueue, Notice, notify};
use crate::users::model::{Account, Bio, DisplayName, Email, UserPath, Username, check_password};
use crate::users::store;

/// What changes in an account. What is absent stays; null takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// The new name.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    username: Option<Username>,
    /// The new address.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    email: Option<Email>,
    /// The name shown to readers.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<DisplayName>)]
    display_name: Option<Option<DisplayName>>,
    /// What the user says of themselves.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Bio>)]
    bio: Option<Option<Bio>>,
    /// The id in `/v1/media` of the picture that stands for them: one's own, or as an editor anyone's.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Uuid>)]
    avatar: Option<Option<Uuid>>,
    /// The language of mails to the user.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    language: Option<MailLanguage>,
    /// The new role. Only admins change roles.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    role: Option<Role>,
    /// The new password. It revokes every session but the one that asks, and every API token.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    password: Option<Password>,
    /// The present password, which changing one's own password or e-mail address needs.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(value_type = Option<String>, format = Password, nullable = false, example = "correct horse battery")]
    current_password: Option<Password>,
}

impl Validate for UpdateUser {
    fn validate(&self, violations: &mut Violations) {
        violations
            .check("username", &self.username)
            .check("email", &self.email)
            .check("display_name", &self.display_name)
            .check("bio", &self.bio);
        if let Some(password) = &self.password {
            let username = self.username.as_ref().map(Username::as_str);
            check_password(violations, password, username, self.email.as_ref().map(Email::as_str));
        }
    }
}

impl UpdateUser {
    /// Whether others do not see what changes.
    fn is_private(&self) -> bool {
        self.username.is_none()
            && self.display_name.is_none()
            && self.bio.is_none()
            && self.avatar.is_none()
            && self.role.is_none()
    }

    /// The names of the fields that change, but the role.
    fn changed_fields(&self) -> Vec<&'static str> {
        changed_fields(&[
            ("username", self.username.is_some()),
            ("email", self.email.is_some()),
            ("display_name", self.display_name.is_some()),
            ("bio", self.bio.is_some()),
            ("avatar", self.avatar.is_some()),
            ("language", self.language.is_some()),
            ("password", self.password.is_some()),
        ])
    }
}

/// Change an account
///
/// One's own, or as an admin anyone's. An admin who sets another user's password does not need the present
/// one, and revokes every session and API token of that user. Where the service has mail, one's own new address is `pending_email` until it is
/// verified. A banned user changes only what others do not see: the e-mail
/// address and the password.
#[utoipa::path(patch, path = "/v1/users/{id}", tag = "users", params(UserPath, IfMatch),
    request_body = UpdateUser, security(("token" = [])), responses(
    (status = 200, description = "The account as it is now", body = Account),
    (status = 403, description = "Another user's account, or one's own role, without being an admin"),
    (status = 404, description = "No such user"),
    (status = 409, description = "The username or the e-mail address is taken, the password was changed meanwhile, or the last admin would be none"),
    (status = 501, description = "An avatar, where no place for files is set up"),
))]
pub async fn update(
    caller: Caller,
    State(db): State<Db>,
    State(passwords): State<Passwords>,
    State(policy): State<SignUpPolicy>,
    State(mail): State<MailQueue>,
    State(storage): State<MaybeStorage>,
    Now(now): Now,
    throttle: LoginThrottle,
    Path(UserPath { id }): Path<UserPath>,
    if_match: IfMatch,
    Json(body): Json<UpdateUser>,
) -> Result<(Invalidates, Tagged<Account>), ApiError> {
    let user =
        if caller.user.id == id && body.is_private() { caller.user } else { caller.unless_banned()? };
    require_self_or_admin(&user, id)?;
    if body.role.is_some() && !user.is(Role::Admin) {
        return Err(ApiError::Forbidden("Only admins change roles."));
    }
    let changed_fields = body.changed_fields();
    if let Some(password) = &body.password {
        policy.check(password)?;
    }
    let sets_password = body.password.is_some();
    let new =
        NewCredentials { email: body.email.clone(), password: body.password, current: body.current_password };
    let checked = new.check(&user, id, &db, &passwords, &throttle).await?;
    // An admin knows whose address it is; everybody else shows it.
    let waits = mail.is_on() && user.id == id;
    let mut transaction = db.begin().await?;
    let mut avatar = None;
    if let Some(id) = body.avatar.flatten() {
        avatar = Some(choose(&mut transaction, &storage, &user, id, "avatar").await?);
    }
    let changes = store::Changes {
        username: body.username.as_ref().map(Username::as_str),
        email: body.email.as_ref().filter(|_| !waits),
        pending_email: body.email.as_ref().filter(|_| waits),
        role: body.role,
        display_name: body.display_name.as_ref().map(|name| name.as_ref().map(DisplayName::as_str)),
        bio: body.bio.as_ref().map(|bio| bio.as_ref().map(Bio::as_str)),
        language: body.language,
        avatar: body.avatar.map(|_given| avatar.as_ref()),
        password_hash: checked.password_hash.as_deref(),
        verified_hash: checked.verified_hash.as_deref(),
    };
    let before = if changes.role.is_some() { store::lock(&mut transaction, id, now).await? } else { None };
    let outcome = store::update(&mut transaction, id, &changes, if_match.versions(), now).await?;
    if outcome == Outcome::Refused {
        return Err(refusal(&mut transaction, id, &if_match, changes.verified_hash).await?);
    }
    let account = store::account(&mut transaction, id).await?.ok_or(ApiError::NotFound)?;
    if outcome == Outcome::Changed
        && account.pending_email.is_some()
        && let Some(email) = changes.pending_email
    {
        if store::is_taken(&mut transaction, email, Some(id), now).await? {
            return Err(ApiError::conflict("email", "taken", ViolationKind::Taken.detail()));
        }
        notify(&mut transaction, id, Notice::EmailVerification, now).await?;
    }
    if let Some(before) = before.filter(|before| before.role != account.role) {
        if before.is_last_admin {
            return Err(last_admin("role"));
        }
        posts::review_schedule(&mut transaction, id, now).await?;
    }
    if sets_password {
        let keep = user.session_id().filter(|_| user.id == id);
        sessions::delete_others(&mut transaction, id, keep).await?;
    }
    let entry = |action, details| Entry::by(&user, action, id, details);
    let mut entries = Vec::new();
    if let Some(before) = before.filter(|before| before.role != account.role) {
        entries.push(entry(Action::UserRoleChanged, json!({"from": before.role, "to": account.role})));
    }
    if outcome == Outcome::Changed && user.id != id && !changed_fields.is_empty() {
        entries.push(entry(Action::UserUpdated, json!({"fields": changed_fields})));
    }
    audit::record_all(&mut transaction, &entries, now).await?;
    transaction.commit().await?;
    mail.wake();
    Ok((Invalidates::if_changed(outcome == Outcome::Changed, Scope::Everything), Tagged(account)))
}

async fn refusal(
    connection: &mut Connection,
    id: Uuid,
    if_match: &IfMatch,
    verified_hash: Option<&str>,
) -> Result<ApiError, ApiError> {
    let present = store::password_hash(connection, id).await?;
    if present.is_some() && verified_hash.is_some() && present.as_deref() != verified_hash {
        return Ok(ApiError::conflict("current_password", "changed", "was changed meanwhile"));
    }
    Ok(if_match.refusal(store::account(connection, id).await?))
}

/// Somebody must be left who manages users.
pub(super) fn last_admin(field: &str) -> ApiError {
    ApiError::conflict(field, "last_admin", "is of the last admin: make another one first")
}

pub(super) fn require_self_or_admin(user: &User, id: Uuid) -> Result<(), ApiError> {
    if user.id == id || user.is(Role::Admin) {
        Ok(())
    } else {
        Err(ApiError::Forbidden("Only the user and admins may do this."))
    }
}
