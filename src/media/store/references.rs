//! What refers to media: the texts and the covers of posts, and avatars.

use std::collections::HashMap;

use sqlx::types::Json;
use uuid::Uuid;

use super::{MediaRow, StoredCopy, media};
use crate::db::Connection;
use crate::markdown::Picture;

/// Where in a post something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Text,
    Cover,
}

/// What is known of the files with these `names`, by name: the id, and of a picture what it is. Of several uploads of the same file that
/// of `owner_id`, or the oldest. Nobody deletes or describes them until the transaction ends.
pub async fn of_objects(
    connection: &mut Connection,
    names: &[String],
    owner_id: Option<Uuid>,
) -> sqlx::Result<HashMap<String, (Uuid, Option<Picture>)>> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = sqlx::query!(
        r#"select chosen.name as "name!", m.id, chosen.width, chosen.height, m.alt,
             (select coalesce(jsonb_agg(jsonb_build_object('object', v.object, 'width', v.width, 'height', v.height,
                'bytes', v.bytes) order by v.width), '[]')
              from media_variants v where v.media_id = m.id and v.width < chosen.width) as "variants!: Json<Vec<StoredCopy>>"
           from (
             select distinct on (name) name, id, width, height
             from (
               select object as name, id, owner_id, width, height from media where object = any($1)
               union all
               select v.object, m.id, m.owner_id, v.width, v.height
               from media_variants v join media m on m.id = v.media_id
               where v.object = any($1)) found
             order by name, owner_id is not distinct from $2 desc, id) chosen
           join media m on m.id = chosen.id
           order by m.id for key share of m"#,
        names,
        owner_id
    )
    .fetch_all(connection)
    .await?;
    let known = rows.into_iter().map(|row| {
        let variants = row.variants.0.into_iter().map(|copy| (copy.object, copy.width)).collect();
        let size = row.width.zip(row.height);
        let picture = size.map(|(width, height)| Picture { width, height, alt: row.alt, variants });
        (row.name, (row.id, picture))
    });
    Ok(known.collect())
}

/// The picture with that id, of `owner` or of anybody, which nobody deletes or describes until the transaction ends.
pub async fn lock(
    connection: &mut Connection,
    id: Uuid,
    owner: Option<Uuid>,
) -> sqlx::Result<Option<MediaRow>> {
    media!(
        ["from media m where m.id = $1 and ($2::uuid is null or m.owner_id = $2) for key share of m"],
        id,
        owner
    )
    .fetch_optional(connection)
    .await
}

/// Notes what a post has in this place, and nothing else. Wants the transaction that writes the post. What is gone meanwhile
/// is left out.
pub async fn set_references(
    connection: &mut Connection,
    post_id: Uuid,
    place: Place,
    media_ids: &[Uuid],
) -> sqlx::Result<()> {
    sqlx::query!(
        "with gone as (delete from post_media where post_id = $1 and is_cover = $3 and media_id <> all($2)),
         there as (select id from media where id = any($2) order by id for key share),
         new as (
           insert into post_media (post_id, media_id, is_cover) select $1, id, $3 from there
           on conflict do nothing returning media_id)
         update media set unused_since = null from new where id = new.media_id and unused_since is not null",
        post_id,
        media_ids,
        place == Place::Cover
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Some of the posts with a picture in this place, by id: those after `after`.
pub async fn posts_with(
    connection: &mut Connection,
    media_id: Uuid,
    place: Place,
    after: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select post_id from post_media where media_id = $1 and is_cover = $2 and post_id > $3 order by post_id limit $4",
        media_id,
        place == Place::Cover,
        after,
        limit
    )
    .fetch_all(connection)
    .await
}

/// The alternative text of a picture, which stays until the transaction ends; `None` if that is gone.
pub async fn alt(connection: &mut Connection, id: Uuid) -> sqlx::Result<Option<Option<String>>> {
    sqlx::query_scalar!("select alt from media where id = $1 for key share", id)
        .fetch_optional(connection)
        .await
}
