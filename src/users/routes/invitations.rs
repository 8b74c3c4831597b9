//! `/v1/invitations`: accounts that editors and admins offer, and those that are made of them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::create::{SignUpPolicy, check_mailable, created};
use super::credentials::check_for_account;
use super::sign_ups::make_verified;
use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::login_throttle::LoginThrottle;
use crate::auth::password::{Password, Passwords};
use crate::auth::scope::USERS_INVITE;
use crate::auth::token;
use crate::auth::{Editor, ONLY_FOR_EDITORS, store as sessions};
use crate::cache::{Invalidates, Scope};
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::http::extract::{Json, Path};
use crate::http::idempotency::Idempotent;
use crate::http::now::Now;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::http::validation::{Validate, Violations};
use crate::identity::Role;
use crate::mail::{MailLanguage, PreferredLanguage};
use crate::users::jobs::{MailQueue, sign_ups};
use crate::users::model::{
    Account, Bio, DisplayName, Email, INVITATION_LIFETIME, Invitation, InvitationPath, Username,
    check_password,
};
use crate::users::store::{self, NewInvitation, NewUser, Offer};

/// Invitations are shown to who makes them and to admins.
const UNSEEN: Invalidates = Invalidates(Scope::Nothing);

/// An account that is offered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInvitation {
    /// Who is invited.
    email: Email,
    /// What the account may do: at most what the caller may.
    role: Role,
    /// The language of the mail; that of `Accept-Language` if absent, or else English.
    language: Option<MailLanguage>,
}

impl Validate for CreateInvitation {
    fn validate(&self, violations: &mut Violations) {
        violations.check("email", &self.email);
    }
}

/// Invite somebody
///
/// The address is mailed a link by which its reader makes an account with this role, for seven days. Who is invited again
/// by the same is mailed another link, and has that role and time.
#[utoipa::path(post, path = "/v1/invitations", tag = "users", request_body = CreateInvitation,
    security(("token" = ["users:invite"])), responses(
    (status = 201, description = "The mail is on its way", body = Invitation),
    (status = 403, description = "Only for editors and admins, and for no role above one's own, nor by an API token above `author`"),
    (status = 409, description = "The address has an account"),
    (status = 501, description = "The operator has not set up mail"),
))]
pub async fn create_invitation(
    Editor(user): Editor<USERS_INVITE>,
    State(mail): State<MailQueue>,
    Now(now): Now,
    PreferredLanguage(language): PreferredLanguage,
    throttle: LoginThrottle,
    Idempotent(key, body): Idempotent<CreateInvitation>,
) -> Result<Response, ApiError> {
    mail.require()?;
    check_mailable(&body.email)?;
    throttle.invitation(user.id, &body.email.key()).await?;
    let response = key
        .run(Some(user.id), async |write| {
            // It takes effect later than the request.
            let user = user.confirmed(write, now).await?;
            if !user.is(Role::Editor) {
                return Err(ApiError::Forbidden(ONLY_FOR_EDITORS));
            }
            if !user.is(body.role) {
                return Err(ApiError::Forbidden("Nobody invites to a role above their own."));
            }
            // Who is invited signs in and makes tokens: more than a token may.
            if user.token_id().is_some() && body.role > Role::Author {
                return Err(ApiError::Forbidden("An API token invites readers and authors alone."));
            }
            if store::is_taken(write, &body.email, None, now).await? {
                return Err(ApiError::conflict("email", "taken", "has an account already"));
            }
            let new = NewInvitation {
                email: &body.email,
                role: body.role,
                inviter_id: user.id,
                language: body.language.unwrap_or(language),
                expires_at: now + INVITATION_LIFETIME,
            };
            let id = store::insert_invitation(write, &new, now).await?;
            write.shows_invitation(id);
            sign_ups::ask(write, id, Some(user.id), now).await?;
            let details = json!({"role": body.role, "invitation_id": id});
            let entry = Entry::by(&user, Action::UserInvited, None, details);
            audit::record(write, &entry, now).await?;
            let invitation = store::invitation(write, id).await?.ok_or(ApiError::NotFound)?;
            Ok((StatusCode::CREATED, UNSEEN, Json(invitation)))
        })
        .await?;
    mail.wake();
    Ok(response)
}

const ORDER: &str = "invitations";

/// Invitations
///
/// Those that can still be accepted, newest first: the caller's own, or for admins everybody's.
#[utoipa::path(get, path = "/v1/invitations", tag = "users", params(PageQuery), security(("token" = ["users:invite"])), responses(
    (status = 200, description = "A page of invitations", body = Page<Invitation>),
    (status = 403, description = "Only for editors and admins"),
))]
pub async fn list_invitations(
    Editor(user): Editor<USERS_INVITE>,
    State(db): State<Db>,
    Now(now): Now,
    request: PageRequest,
) -> Result<Page<Invitation>, ApiError> {
    let (after, rows) = (request.after(ORDER)?, request.rows());
    let mut connection = db.acquire().await?;
    let rows = if user.is(Role::Admin) {
        store::invitations(&mut connection, after, rows, now).await?
    } else {
        store::invitations_by(&mut connection, user.id, after, rows, now).await?
    };
    request.page(rows, ORDER, |invitation: &Invitation| invitation.id)
}

/// Take back an invitation
///
/// One's own, or as an admin anybody's: its links work no more.
#[utoipa::path(delete, path = "/v1/invitations/{id}", tag = "users", params(InvitationPath),
    security(("token" = ["users:invite"])), responses(
    (status = 204, description = "Nobody can accept it any more"),
    (status = 403, description = "Only for editors and admins"),
    (status = 404, description = "No such invitation: it may be accepted, expired or somebody else's"),
))]
pub async fn delete_invitation(
    Editor(user): Editor<USERS_INVITE>,
    State(db): State<Db>,
    Now(now): Now,
    Path(InvitationPath { id }): Path<InvitationPath>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let inviter = (!user.is(Role::Admin)).then_some(user.id);
    let mut transaction = db.begin().await?;
    if !store::delete_invitation(&mut transaction, id, inviter, now).await? {
        return Err(ApiError::NotFound);
    }
    let details = json!({"invitation_id": id});
    let entry = Entry::by(&user, Action::UserUninvited, None, details);
    audit::record(&mut transaction, &entry, now).await?;
    transaction.commit().await?;
    Ok((StatusCode::NO_CONTENT, UNSEEN))
}

/// A new account, by the link of an invitation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// What stands behind the `#` of the link.
    #[schema(example = "blog_3q2-7wKDhLpXbN0vYtRfZsGmUcJ5eAi8oQxW1kB6nEY")]
    token: String,
    /// A name for URLs, unique whatever its case.
    username: Username,
    /// Not the username, not the e-mail address, not a common password.
    password: Password,
    /// The name shown to readers.
    display_name: Option<DisplayName>,
    /// What the user says of themselves.
    bio: Option<Bio>,
    /// The language of mails to the user; that of the invitation if absent.
    language: Option<MailLanguage>,
}

impl Validate for AcceptInvitation {
    fn validate(&self, violations: &mut Violations) {
        violations
            .check("username", &self.username)
            .check("display_name", &self.display_name)
            .check("bio", &self.bio);
        check_password(violations, &self.password, Some(self.username.as_str()), None);
    }
}

/// Accept an invitation
///
/// By the token of a mailed link: makes the account, whose address is verified. Who has invited must still be allowed to.
/// Every other invitation and sign-up of the address is void then. Nothing else uses the token up, however often the link
/// is opened.
#[utoipa::path(post, path = "/v1/invitations/acceptance", tag = "users", request_body = AcceptInvitation, responses(
    (status = 201, description = "The account is made; sign in to use it", body = Account,
     headers(("Location" = String, description = "The path of the new user"))),
    (status = 409, description = "The username or the e-mail address is taken; `errors` says which"),
))]
pub async fn accept_invitation(
    State(db): State<Db>,
    State(passwords): State<Passwords>,
    State(policy): State<SignUpPolicy>,
    Now(now): Now,
    throttle: LoginThrottle,
    Idempotent(key, body): Idempotent<AcceptInvitation>,
) -> Result<Response, ApiError> {
    policy.check(&body.password)?;
    throttle.verification().await?;
    let hash = token::hash(body.token.trim());
    let proven = store::proven_sign_up(&mut db.acquire().await?, Offer::Invitation, &hash, now).await?;
    let proven = proven.ok_or_else(invalid)?;
    check_for_account(&body.password, body.username.as_str(), &proven.email)?;
    let inviter_id = proven.inviter_id.ok_or_else(invalid)?;
    let password_hash = passwords.hash(Some(throttle.address()), body.password).await?;
    key.run(None, async |write| {
        // Before the invitation, as erasing who has invited does.
        let may_give = may_give(write, inviter_id, now).await?;
        let proven = store::lock_proven_sign_up(write, Offer::Invitation, &hash, now).await?;
        let proven = proven.ok_or_else(invalid)?;
        if may_give < Some(proven.role) {
            return Err(invalid());
        }
        let new = NewUser {
            username: &body.username,
            email: &Email::from(proven.email),
            email_verified_at: Some(now),
            password_hash: &password_hash,
            role: proven.role,
            display_name: body.display_name.as_ref().map(DisplayName::as_str),
            bio: body.bio.as_ref().map(Bio::as_str),
            language: body.language.unwrap_or(proven.language),
        };
        let account = make_verified(write, new, now).await?;
        let (action, actor) = (Action::UserCreated, Some(inviter_id));
        let entry = Entry::unsigned(actor, action, Some(account.id), json!({"role": proven.role}));
        audit::record(write, &entry, now).await?;
        Ok(created(account))
    })
    .await
}

/// The highest role that who has invited may still give, if any; nobody changes that until the transaction ends.
async fn may_give(
    connection: &mut Connection,
    inviter_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Role>> {
    let rights = sessions::lock_rights(connection, inviter_id, now).await?;
    Ok(rights.and_then(|(role, ban)| (ban.is_none() && role >= Role::Editor).then_some(role)))
}

fn invalid() -> ApiError {
    let detail = "is unknown, used, expired or taken back: ask to be invited again";
    ApiError::invalid("token", "invalid", detail)
}
