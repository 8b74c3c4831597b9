//! What posts said, version by version. Revisions are written with the posts, in `write.rs`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::identity::UserRef;
use crate::posts::model::{RevisionContent, RevisionSummary};

#[derive(Debug)]
pub struct RevisionRow {
    number: i64,
    title: String,
    summary: Option<String>,
    tags: Vec<String>,
    editor_id: Option<Uuid>,
    editor_username: Option<String>,
    editor_display_name: Option<String>,
    created_at: DateTime<Utc>,
    /// Not in a list.
    body: Option<String>,
}

impl RevisionRow {
    #[must_use]
    pub fn key(&self) -> i64 {
        self.number
    }
}

impl From<RevisionRow> for RevisionSummary {
    fn from(row: RevisionRow) -> Self {
        Self {
            number: row.number,
            title: row.title,
            summary: row.summary,
            tags: row.tags,
            editor: UserRef::new(row.editor_id, row.editor_username, row.editor_display_name),
            created_at: row.created_at,
        }
    }
}

impl From<RevisionRow> for RevisionContent {
    fn from(mut row: RevisionRow) -> Self {
        Self { body: row.body.take().unwrap_or_default(), summary: row.into() }
    }
}

/// The [`RevisionRow`]s of the revisions `r` that the rest of the query selects, with `$body`.
macro_rules! revisions {
    ($body:tt, $sql:tt, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            RevisionRow,
            r#"select r.number, r.title, r.summary, r.tags, r.editor_id, u.username as "editor_username?",
                 u.display_name as editor_display_name, r.created_at, "# + $body + r#" as "body?"
               from post_revisions r left join users u on u.id = r.editor_id "# + $sql,
            $($argument),+
        )
    };
}

/// A page of a post's revisions, newest first: those before `before`.
pub async fn list_revisions(
    connection: &mut Connection,
    post_id: Uuid,
    before: Option<i64>,
    rows: i64,
) -> sqlx::Result<Vec<RevisionRow>> {
    revisions!(
        "null::text",
        "where r.post_id = $1 and r.number < $2 order by r.number desc limit $3",
        post_id,
        before.unwrap_or(i64::MAX),
        rows
    )
    .fetch_all(connection)
    .await
}

pub async fn find_revision(
    connection: &mut Connection,
    post_id: Uuid,
    number: i64,
) -> sqlx::Result<Option<RevisionContent>> {
    let row = revisions!("r.body", "where r.post_id = $1 and r.number = $2", post_id, number)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(RevisionContent::from))
}

pub async fn revision_before(
    connection: &mut Connection,
    post_id: Uuid,
    number: i64,
) -> sqlx::Result<Option<(i64, String)>> {
    let row = sqlx::query!(
        "select number, body from post_revisions where post_id = $1 and number < $2 order by number desc limit 1",
        post_id,
        number
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| (row.number, row.body)))
}
