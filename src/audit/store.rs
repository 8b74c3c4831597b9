//! The audit log.

pub mod export;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::audit::model::{Action, AuditEntry, Entry};
use crate::db::Connection;
use crate::identity::UserRef;

/// Writes a line. Wants the transaction of what it tells: either both are there or neither.
pub async fn record(connection: &mut Connection, entry: &Entry, now: DateTime<Utc>) -> sqlx::Result<()> {
    record_all(connection, std::slice::from_ref(entry), now).await
}

pub async fn record_all(
    connection: &mut Connection,
    entries: &[Entry],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = entries.iter().map(|_| Uuid::now_v7()).collect();
    let actors: Vec<Option<Uuid>> = entries.iter().map(|entry| entry.actor).collect();
    let tokens: Vec<Option<Uuid>> = entries.iter().map(|entry| entry.token).collect();
    let actions: Vec<String> = entries.iter().map(|entry| entry.action.as_str().to_owned()).collect();
    let types: Vec<String> = entries.iter().map(|entry| entry.action.target_type().to_owned()).collect();
    let targets: Vec<Option<Uuid>> = entries.iter().map(|entry| entry.target).collect();
    let details: Vec<Value> = entries.iter().map(|entry| entry.details.clone()).collect();
    sqlx::query!(
        "insert into audit_log (id, actor_id, action, target_type, target_id, details, token_id, created_at)
         select entry.*, $8
         from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::jsonb[], $7::uuid[]) as entry",
        &ids,
        &actors as _,
        &actions,
        &types,
        &targets as _,
        &details,
        &tokens as _,
        now
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[derive(Debug)]
pub struct AuditFilter {
    pub actor: Option<Uuid>,
    pub action: Option<Action>,
    pub target: Option<Uuid>,
    pub after: Option<Uuid>,
    pub rows: i64,
}

/// Lines of the audit log, newest first.
pub async fn list_audit(connection: &mut Connection, filter: &AuditFilter) -> sqlx::Result<Vec<AuditEntry>> {
    let rows = sqlx::query!(
        r#"select a.id, a.actor_id, u.username as "username?", u.display_name, a.action, a.target_type,
             a.target_id, a.token_id, a.details, a.created_at
           from audit_log a left join users u on u.id = a.actor_id
           where ($1::uuid is null or a.actor_id = $1)
             and ($2::text is null or a.action = $2)
             and ($3::uuid is null or a.target_id = $3)
             and a.id < $4
           order by a.id desc limit $5"#,
        filter.actor,
        filter.action.map(Action::as_str),
        filter.target,
        filter.after.unwrap_or(Uuid::max()),
        filter.rows
    )
    .fetch_all(connection)
    .await?;
    let entries = rows.into_iter().map(|row| AuditEntry {
        id: row.id,
        actor: UserRef::new(row.actor_id, row.username, row.display_name),
        action: row.action,
        target_type: row.target_type,
        target_id: row.target_id,
        token_id: row.token_id,
        details: row.details,
        created_at: row.created_at,
    });
    Ok(entries.collect())
}
