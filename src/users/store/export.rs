//! The part of accounts and follows in the export of a user's data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::types::Json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Connection;
use crate::identity::Role;
use crate::mail::MailLanguage;
use crate::media::model::Image;
use crate::users::model::Undeliverable;

/// The account.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedAccount {
    /// The user's id.
    pub id: Uuid,
    /// The unique name.
    #[schema(example = "ada")]
    pub username: String,
    /// The unique e-mail address.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// What the user may do.
    pub role: Role,
    /// The name shown to readers.
    #[schema(required)]
    pub display_name: Option<String>,
    /// What the user says of themselves.
    #[schema(required)]
    pub bio: Option<String>,
    /// Until when the user may write nothing.
    #[schema(required)]
    pub banned_until: Option<DateTime<Utc>>,
    /// Why.
    #[schema(required)]
    pub ban_reason: Option<String>,
    /// When the user has shown that they read the address.
    #[schema(required)]
    pub email_verified_at: Option<DateTime<Utc>>,
    /// Why only what the user asks for is mailed there.
    #[schema(required)]
    pub email_undeliverable: Option<Undeliverable>,
    /// The address that takes its place once it is verified.
    #[schema(required)]
    pub pending_email: Option<String>,
    /// The picture that stands for them.
    #[schema(required, value_type = Option<Image>)]
    pub avatar: Option<Json<Image>>,
    /// The language of mails to the user.
    pub language: MailLanguage,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// Someone who follows or is followed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedFollow {
    /// The other user.
    pub user_id: Uuid,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// A link that was mailed to the user, but for what is secret in it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedToken {
    /// What the link is for.
    pub purpose: String,
    /// The address that was replaced, which the link gives back.
    #[schema(required)]
    pub email: Option<String>,
    /// How long it works.
    pub expires_at: DateTime<Utc>,
    #[serde(skip)]
    pub hash: Vec<u8>,
}

pub async fn one_time_tokens(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Vec<u8>>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedToken>> {
    sqlx::query_as!(
        ExportedToken,
        "select purpose, email, expires_at, hash from one_time_tokens
         where user_id = $1 and hash > $2
         order by hash limit $3",
        user_id,
        after.unwrap_or_default(),
        rows
    )
    .fetch_all(connection)
    .await
}

/// An invitation that the user has made.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedInvitation {
    /// The invitation's id.
    pub id: Uuid,
    /// Whom it is for.
    pub email: String,
    /// What the account may do.
    pub role: Role,
    /// The language of the mail.
    pub language: MailLanguage,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it can be accepted.
    pub expires_at: DateTime<Utc>,
}

pub async fn invitations(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedInvitation>> {
    sqlx::query_as!(
        ExportedInvitation,
        r#"select id, email, role as "role: Role", language as "language: MailLanguage", created_at, expires_at
           from sign_ups where inviter_id = $1 and id > $2
           order by id limit $3"#,
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}

pub async fn account(connection: &mut Connection, user_id: Uuid) -> sqlx::Result<Option<ExportedAccount>> {
    sqlx::query_as!(
        ExportedAccount,
        r#"select id, username, email, role as "role: Role", display_name, bio, banned_until, ban_reason,
             language as "language: MailLanguage", avatar as "avatar: _", email_verified_at,
             email_undeliverable as "email_undeliverable: Undeliverable", pending_email, created_at, updated_at
           from users where id = $1"#,
        user_id
    )
    .fetch_optional(connection)
    .await
}

pub async fn following(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedFollow>> {
    sqlx::query_as!(
        ExportedFollow,
        "select followed_id as user_id, created_at from follows
         where follower_id = $1 and followed_id > $2
         order by followed_id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}

pub async fn followers(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedFollow>> {
    sqlx::query_as!(
        ExportedFollow,
        "select follower_id as user_id, created_at from follows
         where followed_id = $1 and follower_id > $2
         order by follower_id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}
