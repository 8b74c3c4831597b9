//! All SQL about users: accounts and profiles here, each of the rest in its file.

mod erasure;
mod follows;
mod invitations;
mod one_time_tokens;
mod sign_ups;
mod update;

pub use erasure::*;
pub use follows::*;
pub use invitations::*;
pub use one_time_tokens::*;
pub use sign_ups::*;
pub use update::*;

pub mod export;

use crate::db::Connection;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::identity::Role;
use crate::mail::{MailLanguage, Recipient};
use crate::users::model::{Account, Email, Profile, Undeliverable, Username};

#[derive(Debug)]
pub struct NewUser<'a> {
    pub username: &'a Username,
    pub email: &'a Email,
    /// When the user has shown that they read it.
    pub email_verified_at: Option<DateTime<Utc>>,
    /// The password's PHC string.
    pub password_hash: &'a str,
    pub role: Role,
    pub display_name: Option<&'a str>,
    pub bio: Option<&'a str>,
    pub language: MailLanguage,
}

/// Makes an account. A taken name or address violates its unique index.
pub async fn insert(
    connection: &mut Connection,
    new: NewUser<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Account> {
    sqlx::query_as!(
        Account,
        r#"insert into users (id, username, email, email_key, password_hash, role, display_name, bio, language,
             email_verified_at, created_at, updated_at)
           values ($1, $2, $3, $9, $4, $5, $6, $7, $10, $11, $8, $8)
           returning id, username, email, role as "role: Role", display_name, bio,
             banned_until, ban_reason, language as "language: MailLanguage",
             email_verified_at, email_undeliverable as "email_undeliverable: Undeliverable", pending_email,
             avatar as "avatar: _", version, created_at, updated_at"#,
        Uuid::now_v7(),
        new.username.as_str(),
        new.email.as_str(),
        new.password_hash,
        new.role.as_str(),
        new.display_name,
        new.bio,
        now,
        new.email.key(),
        new.language.as_str(),
        new.email_verified_at
    )
    .fetch_one(connection)
    .await
}

pub async fn profile(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<Profile>> {
    sqlx::query_as!(
        Profile,
        r#"select id, username, display_name, bio, avatar as "avatar: _", version, created_at from users where id = $1"#,
        id
    )
    .fetch_optional(connection)
    .await
}

pub async fn account(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<Account>> {
    sqlx::query_as!(
        Account,
        r#"select id, username, email, role as "role: Role", display_name, bio,
             banned_until, ban_reason, language as "language: MailLanguage",
             email_verified_at, email_undeliverable as "email_undeliverable: Undeliverable", pending_email,
             avatar as "avatar: _", version, created_at, updated_at
           from users where id = $1"#,
        id
    )
    .fetch_optional(connection)
    .await
}

/// The account with that username, whatever the case.
pub async fn account_named(connection: &mut Connection, username: &str) -> sqlx::Result<Option<Account>> {
    sqlx::query_as!(
        Account,
        r#"select id, username, email, role as "role: Role", display_name, bio,
             banned_until, ban_reason, language as "language: MailLanguage",
             email_verified_at, email_undeliverable as "email_undeliverable: Undeliverable", pending_email,
             avatar as "avatar: _", version, created_at, updated_at
           from users where lower(username collate "C") = lower($1)"#,
        username
    )
    .fetch_optional(connection)
    .await
}

/// Whom mail to the user with `id` is for: at the address that waits to be verified, if that is wanted and there is one.
/// Nobody changes that until the transaction ends.
pub async fn lock_recipient(
    connection: &mut Connection,
    id: Uuid,
    at_pending: bool,
) -> sqlx::Result<Option<Recipient>> {
    sqlx::query_as!(
        Recipient,
        r#"select coalesce(case when $2 then pending_email end, email) as "email!", username, display_name,
             language as "language: MailLanguage"
           from users where id = $1 for share"#,
        id,
        at_pending
    )
    .fetch_optional(connection)
    .await
}

/// The admins who are known to read their address and are not banned; 100 at most.
pub async fn mailable_admins(connection: &mut Connection, now: DateTime<Utc>) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select id from users
         where role = 'admin' and (banned_until is null or banned_until <= $1)
           and email_verified_at is not null and email_undeliverable is null
         order by id limit 100",
        now
    )
    .fetch_all(connection)
    .await
}

pub async fn password_hash(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select password_hash from users where id = $1", id).fetch_optional(connection).await
}

/// Notes that addresses with these keys take no mail since `at`, unless they were verified after that.
pub async fn mark_undeliverable(
    connection: &mut Connection,
    email_keys: &[String],
    why: Undeliverable,
    at: Option<DateTime<Utc>>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update users set email_undeliverable = $2
         where coalesce(email_key, lower(email)) = any($1)
           and ($3::timestamptz is null or email_verified_at is null or email_verified_at < $3)",
        email_keys,
        why.as_str(),
        at
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Whether another user than `id` has the address, or can still have it again. Whether it is so when the address
/// becomes theirs is for its unique index.
pub async fn is_taken(
    connection: &mut Connection,
    email: &Email,
    id: Option<Uuid>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists(
               select from users where coalesce(email_key, lower(email)) = $1 and id is distinct from $2)
             or exists(
               select from one_time_tokens
               where email_key = $1 and purpose = 'email_undo' and expires_at > $3 and user_id is distinct from $2)
             as "exists!""#,
        email.key(),
        id,
        now
    )
    .fetch_one(connection)
    .await
}

pub async fn exist(connection: &mut Connection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(r#"select exists(select from users) as "exist!""#).fetch_one(connection).await
}

/// A user whose role and ban nobody changes, and whom nobody erases, until the transaction ends.
#[derive(Clone, Copy, Debug)]
pub struct LockedUser {
    pub role: Role,
    /// Whether there is no other admin who is not banned.
    pub is_last_admin: bool,
}

/// Locks the user with `id`; with an admin all admins, in one order for everyone, so that of two who let each
/// other go one comes second.
pub async fn lock(
    connection: &mut Connection,
    id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<LockedUser>> {
    let locked = sqlx::query!(
        r#"select id, role as "role: Role", banned_until from users
           where id = $1
             or role = 'admin' and exists (select from users where id = $1 and role = 'admin')
           order by id for update"#,
        id
    )
    .fetch_all(connection)
    .await?;
    let user = locked.iter().find(|user| user.id == id);
    let other_admin = locked.iter().any(|user| {
        user.id != id && user.role == Role::Admin && user.banned_until.is_none_or(|until| until <= now)
    });
    Ok(user
        .map(|user| LockedUser { role: user.role, is_last_admin: user.role == Role::Admin && !other_admin }))
}

/// Accounts whose username begins with `prefix`, whatever the case, after the one called `after` (lower case).
pub async fn list(
    connection: &mut Connection,
    prefix: &str,
    after: Option<&str>,
    rows: i64,
) -> sqlx::Result<Vec<Account>> {
    // `~` sorts after every character that a username can have, so the prefix is a range of the index.
    sqlx::query_as!(
        Account,
        r#"select id, username, email, role as "role: Role", display_name, bio,
             banned_until, ban_reason, language as "language: MailLanguage",
             email_verified_at, email_undeliverable as "email_undeliverable: Undeliverable", pending_email,
             avatar as "avatar: _", version, created_at, updated_at
           from users
           where lower(username collate "C") >= lower($1) and lower(username collate "C") < lower($1) || '~'
             and lower(username collate "C") > coalesce($2, '')
           order by lower(username collate "C") limit $3"#,
        prefix,
        after,
        rows
    )
    .fetch_all(connection)
    .await
}
