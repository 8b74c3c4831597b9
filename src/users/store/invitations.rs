//! Accounts that are offered.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::identity::{Role, UserRef};
use crate::mail::MailLanguage;
use crate::users::model::{Email, Invitation};

#[derive(Debug)]
pub struct NewInvitation<'a> {
    pub email: &'a Email,
    pub role: Role,
    pub inviter_id: Uuid,
    pub language: MailLanguage,
    pub expires_at: DateTime<Utc>,
}

/// Who is invited again by the same has the invitation anew, with this role: its id.
pub async fn insert_invitation(
    connection: &mut Connection,
    new: &NewInvitation<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Uuid> {
    sqlx::query_scalar!(
        "insert into sign_ups (id, email, email_key, role, inviter_id, language, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (email_key, inviter_id) do update set email = excluded.email, role = excluded.role,
           language = excluded.language, expires_at = excluded.expires_at
         returning id",
        Uuid::now_v7(),
        new.email.as_str(),
        new.email.key(),
        new.role.as_str(),
        new.inviter_id,
        new.language.as_str(),
        now,
        new.expires_at
    )
    .fetch_one(connection)
    .await
}

struct InvitationRow {
    id: Uuid,
    email: String,
    role: Role,
    inviter_id: Uuid,
    inviter_username: String,
    inviter_display_name: Option<String>,
    language: MailLanguage,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl From<InvitationRow> for Invitation {
    fn from(row: InvitationRow) -> Self {
        let inviter =
            UserRef::new(Some(row.inviter_id), Some(row.inviter_username), row.inviter_display_name);
        Self {
            id: row.id,
            email: row.email,
            role: row.role,
            inviter,
            language: row.language,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }
    }
}

macro_rules! select {
    ($tail:tt, $($argument:expr),+) => {
        sqlx::query_as!(
            InvitationRow,
            r#"select s.id, s.email, s.role as "role: Role", u.id as inviter_id, u.username as inviter_username,
                 u.display_name as inviter_display_name, s.language as "language: MailLanguage", s.created_at,
                 s.expires_at
               from sign_ups s join users u on u.id = s.inviter_id "# + $tail,
            $($argument),+
        )
    };
}

pub async fn invitation(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<Invitation>> {
    Ok(select!("where s.id = $1", id).fetch_optional(connection).await?.map(Into::into))
}

/// The live invitations by `inviter_id`, newest first, after the one with id `after`.
pub async fn invitations_by(
    connection: &mut Connection,
    inviter_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Invitation>> {
    let found = select!(
        "where s.inviter_id = $1 and s.expires_at > $2 and s.id < $3 order by s.id desc limit $4",
        inviter_id,
        now,
        after.unwrap_or(Uuid::max()),
        rows
    );
    Ok(found.fetch_all(connection).await?.into_iter().map(Into::into).collect())
}

/// The same of whoever invites.
pub async fn invitations(
    connection: &mut Connection,
    after: Option<Uuid>,
    rows: i64,
    now: DateTime<Utc>,
) -> sqlx::Result<Vec<Invitation>> {
    let found = select!(
        "where s.inviter_id is not null and s.expires_at > $1 and s.id < $2 order by s.id desc limit $3",
        now,
        after.unwrap_or(Uuid::max()),
        rows
    );
    Ok(found.fetch_all(connection).await?.into_iter().map(Into::into).collect())
}

/// Takes back an invitation by `inviter_id`, or by anybody if that is `None`; false if there is none.
pub async fn delete_invitation(
    connection: &mut Connection,
    id: Uuid,
    inviter_id: Option<Uuid>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let deleted = sqlx::query!(
        "delete from sign_ups
         where id = $1 and inviter_id = coalesce($2, inviter_id) and expires_at > $3",
        id,
        inviter_id,
        now
    )
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected() > 0)
}
