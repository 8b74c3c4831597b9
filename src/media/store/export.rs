//! The part of media in the export of a user's data.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Connection;

/// Something that the user has uploaded.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedMedia {
    /// Its id in `/v1/media`.
    pub id: Uuid,
    /// Where its file is; null if this service has no media any more.
    #[schema(
        required,
        example = "https://media.blog.example/fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13.jpg"
    )]
    pub url: Option<String>,
    /// Its type.
    #[schema(example = "image/jpeg")]
    pub content_type: String,
    /// How many bytes it has.
    pub bytes: i64,
    /// How many pixels wide it is.
    #[schema(required)]
    pub width: Option<i32>,
    /// How many pixels high it is.
    #[schema(required)]
    pub height: Option<i32>,
    /// What it shows, in the user's words.
    #[schema(required)]
    pub alt: Option<String>,
    /// What the file is called.
    #[schema(required)]
    pub filename: Option<String>,
    /// When it was uploaded.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

/// The same as it is stored.
#[derive(Debug)]
pub struct Row {
    pub id: Uuid,
    object: String,
    content_type: String,
    bytes: i64,
    width: Option<i32>,
    height: Option<i32>,
    alt: Option<String>,
    filename: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl Row {
    #[must_use]
    pub fn shown(self, url: impl Fn(&str) -> Option<String>) -> ExportedMedia {
        ExportedMedia {
            id: self.id,
            url: url(&self.object),
            content_type: self.content_type,
            bytes: self.bytes,
            width: self.width,
            height: self.height,
            alt: self.alt,
            filename: self.filename,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// A file that the user has announced and not completed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedUpload {
    /// Its id in `/v1/media/uploads`.
    pub id: Uuid,
    /// Its type.
    #[schema(example = "application/pdf")]
    pub content_type: String,
    /// How many bytes it has.
    pub bytes: i64,
    /// What it is called.
    pub filename: String,
    /// When it was announced.
    pub created_at: DateTime<Utc>,
}

pub async fn media_uploads(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<ExportedUpload>> {
    sqlx::query_as!(
        ExportedUpload,
        "select id, content_type, bytes, filename, created_at from media_uploads
         where owner_id = $1 and id > $2 order by id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}

pub async fn media(
    connection: &mut Connection,
    user_id: Uuid,
    after: Option<Uuid>,
    rows: i64,
) -> sqlx::Result<Vec<Row>> {
    sqlx::query_as!(
        Row,
        "select id, object, content_type, bytes, width, height, alt, filename, created_at, updated_at
         from media where owner_id = $1 and id > $2 order by id limit $3",
        user_id,
        after.unwrap_or(Uuid::nil()),
        rows
    )
    .fetch_all(connection)
    .await
}
