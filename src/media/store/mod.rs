//! All SQL about media: what is uploaded and listed here, what refers to it and what is deleted in their files.

mod deletion;
pub mod export;
mod objects;
mod references;
mod uploads;

pub use deletion::*;
pub use objects::*;
pub use references::*;
pub use uploads::*;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::types::Json;
use uuid::Uuid;

use super::model::{Media, Variant};
use super::storage::Storage;
use crate::config::media::QuotaConfig;
use crate::db::{Connection, Outcome};

/// A picture that was stored.
#[derive(Debug)]
pub struct NewMedia {
    pub id: Uuid,
    pub owner_id: Uuid,
    pub content_type: &'static str,
    pub original: StoredCopy,
    pub variants: Vec<StoredCopy>,
    pub color: String,
    pub alt: Option<String>,
}

/// One of the copies of a picture: an object, and what it shows.
#[derive(Clone, Debug, Deserialize)]
pub struct StoredCopy {
    pub object: String,
    pub width: i32,
    pub height: i32,
    pub bytes: i64,
}

impl StoredCopy {
    fn shown(self, storage: &Storage) -> Variant {
        Variant { url: storage.url(&self.object), width: self.width, height: self.height, bytes: self.bytes }
    }
}

impl NewMedia {
    #[must_use]
    pub fn shown(self, storage: &Storage, now: DateTime<Utc>) -> Media {
        let Self { id, owner_id, content_type, original, variants, color, alt } = self;
        MediaRow {
            id,
            owner_id: Some(owner_id),
            object: original.object,
            content_type: content_type.to_owned(),
            bytes: original.bytes,
            width: Some(original.width),
            height: Some(original.height),
            color: Some(color),
            alt,
            filename: None,
            variants: Json(variants),
            unused_since: Some(now),
            version: 1,
            created_at: now,
            updated_at: now,
        }
        .shown(storage)
    }
}

/// Stores that there is a picture, whose objects are there; false if the owner would have more than the quota.
pub async fn insert(
    connection: &mut Connection,
    new: &NewMedia,
    quota: QuotaConfig,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let NewMedia { id, owner_id, content_type, original, variants, color, alt } = new;
    let stored_bytes = original.bytes + variants.iter().map(|variant| variant.bytes).sum::<i64>();
    let widths: Vec<_> = variants.iter().map(|variant| variant.width).collect();
    let heights: Vec<_> = variants.iter().map(|variant| variant.height).collect();
    let bytes: Vec<_> = variants.iter().map(|variant| variant.bytes).collect();
    let objects: Vec<_> = variants.iter().map(|variant| variant.object.clone()).collect();
    sqlx::query_scalar!(
        r#"with usage as (
             insert into media_usage as u (user_id, files, bytes)
             select $2, 1, $10 where $10 <= $16::bigint and 1 <= $15::bigint
             on conflict (user_id) do update set files = u.files + 1, bytes = u.bytes + $10
               where u.files + 1 <= $15 and u.bytes + $10 <= $16
             returning 1),
           new as (
             insert into media (id, owner_id, object, content_type, bytes, width, height, color, alt, stored_bytes,
               created_at, updated_at, unused_since)
             select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $17, $17, $17 from usage
             returning id),
           copies as (
             insert into media_variants (media_id, width, height, bytes, object)
             select new.id, v.width, v.height, v.bytes, v.object
             from new, unnest($11::int[], $12::int[], $13::bigint[], $14::text[]) v (width, height, bytes, object)),
           used as (
             update media_objects set unused = false from new where name = $3 or name = any($14))
           select exists (select from new) as "stored!""#,
        id,
        owner_id,
        original.object,
        content_type,
        original.bytes,
        original.width,
        original.height,
        color,
        alt.as_deref(),
        stored_bytes,
        &widths,
        &heights,
        &bytes,
        &objects,
        quota.files,
        quota.bytes,
        now
    )
    .fetch_one(connection)
    .await
}

#[derive(Debug)]
pub struct MediaRow {
    pub id: Uuid,
    owner_id: Option<Uuid>,
    object: String,
    content_type: String,
    bytes: i64,
    width: Option<i32>,
    height: Option<i32>,
    color: Option<String>,
    alt: Option<String>,
    filename: Option<String>,
    variants: Json<Vec<StoredCopy>>,
    unused_since: Option<DateTime<Utc>>,
    version: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl MediaRow {
    #[must_use]
    pub fn shown(self, storage: &Storage) -> Media {
        Media {
            id: self.id,
            url: storage.url(&self.object),
            content_type: self.content_type,
            bytes: self.bytes,
            width: self.width,
            height: self.height,
            color: self.color,
            alt: self.alt,
            variants: self.variants.0.into_iter().map(|variant| variant.shown(storage)).collect(),
            filename: self.filename,
            owner_id: self.owner_id,
            unused_since: self.unused_since,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        }
    }
}

/// The [`MediaRow`]s of the media `m` that the rest of the query selects.
macro_rules! media {
    ([$($sql:tt)+], $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            MediaRow,
            r#"select m.id, m.owner_id, m.object, m.content_type, m.bytes, m.width, m.height, m.color, m.alt, m.filename,
                 (select coalesce(jsonb_agg(jsonb_build_object('object', v.object, 'width', v.width, 'height', v.height,
                    'bytes', v.bytes) order by v.width), '[]') from media_variants v where v.media_id = m.id) as "variants!: _",
                 -- Looked up for each row: PostgreSQL would read whole tables for an `exists`.
                 case when (select true from post_media p where p.media_id = m.id limit 1) is null
                   and (select true from users u where u.avatar_id = m.id limit 1) is null then m.unused_since end as unused_since,
                 m.version, m.created_at, m.updated_at "# + $($sql)+,
            $($argument),+
        )
    };
}
pub(super) use media;

/// Which media to list.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// Those of this user; of everybody if `None`.
    pub owner: Option<Uuid>,
    /// Those that nothing refers to.
    pub unused: bool,
    /// Those before this one.
    pub before: Option<Uuid>,
    pub rows: i64,
}

/// Pictures and files, newest first. Each combination of filters has an index of its own.
pub async fn list(connection: &mut Connection, filter: Filter) -> sqlx::Result<Vec<MediaRow>> {
    let Filter { owner, unused, before, rows } = filter;
    let before = before.unwrap_or(Uuid::max());
    match (owner, unused) {
        (Some(owner), false) => {
            media!(
                ["from media m where m.owner_id = $1 and m.id < $2 order by m.id desc limit $3"],
                owner,
                before,
                rows
            )
            .fetch_all(connection)
            .await
        }
        (None, false) => {
            media!(["from media m where m.id < $1 order by m.id desc limit $2"], before, rows)
                .fetch_all(connection)
                .await
        }
        (Some(owner), true) => {
            media!(
                ["from media m where m.owner_id = $1 and m.id < $2 and m.unused_since is not null
                    and not exists (select from post_media p where p.media_id = m.id)
                    and not exists (select from users u where u.avatar_id = m.id)
                  order by m.id desc limit $3"],
                owner,
                before,
                rows
            )
            .fetch_all(connection)
            .await
        }
        (None, true) => {
            media!(
                ["from media m where m.id < $1 and m.unused_since is not null
                    and not exists (select from post_media p where p.media_id = m.id)
                    and not exists (select from users u where u.avatar_id = m.id)
                  order by m.id desc limit $2"],
                before,
                rows
            )
            .fetch_all(connection)
            .await
        }
    }
}

/// The picture or the file with that id; of `owner`, or of anybody.
pub async fn find(
    connection: &mut Connection,
    id: Uuid,
    owner: Option<Uuid>,
) -> sqlx::Result<Option<MediaRow>> {
    media!(["from media m where m.id = $1 and ($2::uuid is null or m.owner_id = $2)"], id, owner)
        .fetch_optional(connection)
        .await
}

/// Gives a picture, of `owner` or of anybody, another alternative text; `None` leaves it as it is. Refused if it is not there, or in none of the
/// versions `if_match`.
pub async fn set_alt(
    connection: &mut Connection,
    id: Uuid,
    owner: Option<Uuid>,
    alt: Option<Option<&str>>,
    if_match: Option<&[i64]>,
    now: DateTime<Utc>,
) -> sqlx::Result<Outcome> {
    let result = sqlx::query!(
        r#"with old as (
             select id, alt from media
             where id = $1 and ($2::uuid is null or owner_id = $2) and ($4::bigint[] is null or version = any($4))
             -- Waits for those who are copying its text.
             for update),
           changed as (
             update media m set alt = $3, version = m.version + 1, updated_at = $5
             from old where m.id = old.id and $6 and old.alt is distinct from $3
             returning 1)
           select exists (select from old) as "found!", exists (select from changed) as "changed!""#,
        id,
        owner,
        alt.flatten(),
        if_match,
        now,
        alt.is_some()
    )
    .fetch_one(connection)
    .await?;
    Ok(Outcome::of(result.found, result.changed))
}
