//! All SQL of the export: a batch of each kind of row that belongs to a user, after the one whose key is
//! `after`, in the order of an index.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::identity::Role;
use crate::users::model::export::{
    ExportedAccount, ExportedAction, ExportedComment, ExportedDecision, ExportedFollow,
    ExportedIdempotencyKey, ExportedLike, ExportedPost, ExportedReport, ExportedRevision, ExportedSession,
};

type Rows<T> = sqlx::Result<Vec<T>>;

/// The account.
pub async fn account(connection: &mut Connection, user_id: Uuid) -> sqlx::Result<Option<ExportedAccount>> {
    sqlx::query_as!(
        ExportedAccount,
        r#"select id, username, email, role as "role: Role", display_name, bio, banned_until, ban_reason,
             created_at, updated_at
           from users where id = $1"#,
        user_id
    )
    .fetch_optional(connection)
    .await
}

/// Sessions, newest first.
pub async fn sessions(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> Rows<ExportedSession> {
    sqlx::query_as!(
        ExportedSession,
        "select id, user_agent, ip_address, created_at, last_used_at, expires_at from sessions
         where user_id = $1 and id < $2
         order by id desc limit $3",
        user_id,
        after.unwrap_or(Uuid::max()),
        rows
    )
    .fetch_all(connection)
    .await
}

/// Posts, newest first by their publication, drafts by their creation.
pub async fn posts(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<(DateTime<Utc>, Uuid)>,
    rows: i64,
) -> Rows<ExportedPost> {
    let (time, id) = after.unwrap_or((DateTime::<Utc>::MAX_UTC, Uuid::max()));
    sqlx::query_as!(
        ExportedPost,
        "select id, slug, title, summary, body, body_html, language, tags, comments_open, comments_policy,
           published_at, deleted_at, created_at, updated_at
         from posts
         where author_id = $1 and (post_time(published_at, created_at), id)
           < ($2, $3)
         order by post_time(published_at, created_at) desc, id desc limit $4",
        user_id,
        time,
        id,
        rows
    )
    .fetch_all(connection)
    .await
}

/// Saved versions, by post.
pub async fn revisions(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<(Uuid, i64)>,
    rows: i64,
) -> Rows<ExportedRevision> {
    let (post_id, number) = after.unwrap_or((Uuid::nil(), 0));
    sqlx::query_as!(
        ExportedRevision,
        "select post_id, number, title, summary, body, tags, created_at from post_revisions
         where editor_id = $1 and (post_id, number)
           > ($2, $3)
         order by post_id, number limit $4",
        user_id,
        post_id,
        number,
        rows
    )
    .fetch_all(connection)
    .await
}

/// Comments, oldest first.
pub async fn comments(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> Rows<ExportedComment> {
    sqlx::query_as!(
        ExportedComment,
        "select id, post_id, parent_id, body, body_html, status, deleted_at, created_at, updated_at
         from comments
         where author_id = $1 and id > $2
         order by id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}

/// Likes, by post.
pub async fn likes(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> Rows<ExportedLike> {
    sqlx::query_as!(
        ExportedLike,
        "select post_id, created_at from post_likes
         where user_id = $1 and post_id > $2
         order by post_id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}

/// Those whom the user follows.
pub async fn following(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> Rows<ExportedFollow> {
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

/// Those who follow the user.
pub async fn followers(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> Rows<ExportedFollow> {
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

/// Reports that the user filed, oldest first.
pub async fn reports(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> Rows<ExportedReport> {
    sqlx::query_as!(
        ExportedReport,
        "select id, post_id, comment_id, reason, note, status, resolved_at, created_at from reports
         where reporter_id = $1 and id > $2
         order by id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}

/// Reports that the user decided, oldest first.
pub async fn decided_reports(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> Rows<ExportedDecision> {
    sqlx::query_as!(
        ExportedDecision,
        "select id, post_id, comment_id, status, resolved_at from reports
         where resolver_id = $1 and id > $2
         order by id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}

/// Answers that are kept, in no particular order.
pub async fn idempotency_keys(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Vec<u8>>,
    rows: i64,
) -> Rows<ExportedIdempotencyKey> {
    sqlx::query_as!(
        ExportedIdempotencyKey,
        "select status, created_at, key_hash from idempotency_keys
         where user_id = $1 and key_hash > coalesce($2, ''::bytea) order by key_hash limit $3",
        user_id,
        after,
        rows
    )
    .fetch_all(connection)
    .await
}

/// Lines of the audit log about what the user did, newest first.
pub async fn actions(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> Rows<ExportedAction> {
    sqlx::query_as!(
        ExportedAction,
        "select id, action, target_type, target_id, details, created_at from audit_log
         where actor_id = $1 and id < $2
         order by id desc limit $3",
        user_id,
        after.unwrap_or(Uuid::max()),
        rows
    )
    .fetch_all(connection)
    .await
}

/// Lines of the audit log about what others did to the user's account, newest first.
pub async fn actions_on_account(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> Rows<ExportedAction> {
    sqlx::query_as!(
        ExportedAction,
        "select id, action, target_type, target_id, details, created_at from audit_log
         where target_id = $1 and target_type = 'user' and actor_id is distinct from $1
           and id < $2
         order by id desc limit $3",
        user_id,
        after.unwrap_or(Uuid::max()),
        rows
    )
    .fetch_all(connection)
    .await
}
