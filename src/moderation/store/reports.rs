//! Reports by readers.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::identity::UserRef;
use crate::moderation::model::{Report, ReportReason, ReportStatus, ReportTarget};

struct ReportRow {
    id: Uuid,
    post_id: Option<Uuid>,
    comment_id: Option<Uuid>,
    reporter_id: Option<Uuid>,
    reporter_username: Option<String>,
    reporter_display_name: Option<String>,
    reason: ReportReason,
    note: Option<String>,
    status: ReportStatus,
    resolver_id: Option<Uuid>,
    resolver_username: Option<String>,
    resolver_display_name: Option<String>,
    resolved_at: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
}

impl From<ReportRow> for Report {
    fn from(row: ReportRow) -> Self {
        let resolver = UserRef::new(row.resolver_id, row.resolver_username, row.resolver_display_name);
        Self {
            id: row.id,
            post_id: row.post_id,
            comment_id: row.comment_id,
            reporter: UserRef::new(row.reporter_id, row.reporter_username, row.reporter_display_name),
            reason: row.reason,
            note: row.note,
            status: row.status,
            // Who has decided may since have been deleted.
            resolver: row.resolved_at.map(|_| resolver),
            resolved_at: row.resolved_at,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

/// The reports that `$tail` selects.
macro_rules! select {
    ($tail:tt, $($argument:expr),*) => {
        sqlx::query_as!(
            ReportRow,
            r#"select r.id, r.post_id, r.comment_id,
                 r.reporter_id, reporter.username as "reporter_username?",
                 reporter.display_name as reporter_display_name,
                 r.reason as "reason: ReportReason", r.note, r.status as "status: ReportStatus",
                 r.resolver_id, resolver.username as "resolver_username?",
                 resolver.display_name as resolver_display_name,
                 r.resolved_at, r.version, r.created_at
               from reports r
               left join users reporter on reporter.id = r.reporter_id
               left join users resolver on resolver.id = r.resolver_id "# + $tail,
            $($argument),*
        )
    };
}

#[derive(Debug)]
pub struct NewReport<'a> {
    pub reporter_id: Uuid,
    pub target: ReportTarget,
    pub reason: ReportReason,
    pub note: Option<&'a str>,
}

/// Gives the id; `None` if the user has reported the same before. A deleted target violates its foreign key.
pub async fn insert_report(
    connection: &mut Connection,
    new: &NewReport<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<Option<Uuid>> {
    sqlx::query_scalar!(
        "insert into reports (id, reporter_id, post_id, comment_id, reason, note, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict do nothing
         returning id",
        Uuid::now_v7(),
        new.reporter_id,
        new.target.post_id(),
        new.target.comment_id(),
        new.reason.as_str(),
        new.note,
        now
    )
    .fetch_optional(connection)
    .await
}

pub async fn find_report(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<Report>> {
    let row = select!("where r.id = $1", id).fetch_optional(connection).await?;
    Ok(row.map(Report::from))
}

/// The reports with `status`, oldest first, after the one with id `after`.
pub async fn list_reports(
    connection: &mut Connection,
    status: ReportStatus,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<Report>> {
    let rows = select!(
        "where r.status = $1 and r.id > $2
         order by r.id limit $3",
        status.as_str(),
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Report::from).collect())
}

/// False if it is not there, is in none of the versions `if_match`, or has that status already.
pub async fn resolve_report(
    connection: &mut Connection,
    id: Uuid,
    status: ReportStatus,
    resolver_id: Uuid,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let resolved = sqlx::query!(
        "update reports set
           status = $2,
           resolver_id = case when $2 <> 'open' then $3::uuid end,
           resolved_at = case when $2 <> 'open' then $4::timestamptz end,
           version = version + 1
         where id = $1 and status <> $2 and ($5::bigint[] is null or version = any($5))",
        id,
        status.as_str(),
        resolver_id,
        now,
        if_match
    )
    .execute(connection)
    .await?;
    Ok(resolved.rows_affected() > 0)
}
