//! What posts said, version by version. Revisions are written with the posts, in `write.rs`.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Connection;
use crate::identity::UserRef;
use crate::posts::model::{RevisionContent, RevisionSummary};

/// A row of the list of revisions.
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
}

impl RevisionRow {
    /// Where the row is in the list.
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

/// A page of a post's revisions, newest first: those before `before`.
pub async fn list_revisions(
    connection: &mut Connection,
    post_id: Uuid,
    before: Option<i64>,
    rows: i64,
) -> sqlx::Result<Vec<RevisionRow>> {
    sqlx::query_as!(
        RevisionRow,
        r#"select r.number, r.title, r.summary, r.tags, r.editor_id, u.username as "editor_username?",
             u.display_name as editor_display_name, r.created_at
           from post_revisions r left join users u on u.id = r.editor_id
           where r.post_id = $1 and r.number < $2
           order by r.number desc limit $3"#,
        post_id,
        before.unwrap_or(i64::MAX),
        rows
    )
    .fetch_all(connection)
    .await
}

/// A revision and its text.
pub async fn find_revision(
    connection: &mut Connection,
    post_id: Uuid,
    number: i64,
) -> sqlx::Result<Option<RevisionContent>> {
    let row = sqlx::query!(
        r#"select r.number, r.title, r.summary, r.tags, r.editor_id, u.username as "editor_username?",
             u.display_name as editor_display_name, r.created_at, r.body
           from post_revisions r left join users u on u.id = r.editor_id
           where r.post_id = $1 and r.number = $2"#,
        post_id,
        number
    )
    .fetch_optional(connection)
    .await?;
    Ok(row.map(|row| RevisionContent {
        summary: RevisionSummary {
            number: row.number,
            title: row.title,
            summary: row.summary,
            tags: row.tags,
            editor: UserRef::new(row.editor_id, row.editor_username, row.editor_display_name),
            created_at: row.created_at,
        },
        body: row.body,
    }))
}

/// The number and the text of the revision before `number`, if there is one.
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
