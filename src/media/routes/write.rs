//! Describing and deleting media.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::Member;
use crate::auth::scope::MEDIA_WRITE;
use crate::cache::{Invalidates, Scope};
use crate::db::channel::Wake;
use crate::db::{Db, Outcome, ViolationKind, violation};
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::{Json, Path};
use crate::http::now::Now;
use crate::http::preconditions::IfMatch;
use crate::http::validation::{Validate, Violations, nullable};
use crate::media::choose::owner_for;
use crate::media::jobs::describe_again;
use crate::media::model::{AltText, Media, MediaPath};
use crate::media::storage::Storage;
use crate::media::store;

/// What changes in a picture. What is absent stays; null takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateMedia {
    /// What it shows, for those who do not see it.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<AltText>)]
    alt: Option<Option<AltText>>,
}

impl Validate for UpdateMedia {
    fn validate(&self, violations: &mut Violations) {
        violations.check("alt", &self.alt.clone().flatten());
    }
}

/// Describe a picture
///
/// One's own, or as an editor anyone's. Posts that show it without words of their own have the new ones a little later.
#[utoipa::path(patch, path = "/v1/media/{id}", tag = "media", params(MediaPath, IfMatch), request_body = UpdateMedia,
    security(("token" = ["media:write"])), responses(
    (status = 200, description = "The picture as it is now", body = Media),
    (status = 404, description = "No such picture or file, or another user's"),
    (status = 501, description = "No place for files is set up"),
))]
pub async fn update(
    Member(user): Member<MEDIA_WRITE>,
    storage: Storage,
    State(db): State<Db>,
    State(wake): State<Wake>,
    Now(now): Now,
    Path(MediaPath { id }): Path<MediaPath>,
    if_match: IfMatch,
    Json(body): Json<UpdateMedia>,
) -> Result<(Invalidates, Tagged<Media>), ApiError> {
    let owner = owner_for(&user);
    let mut transaction = db.begin().await?;
    let alt = body.alt.as_ref().map(|alt| alt.as_ref().map(AltText::as_str));
    let outcome = store::set_alt(&mut transaction, id, owner, alt, if_match.versions(), now).await?;
    let media = store::find(&mut transaction, id, owner).await?.map(|row| row.shown(&storage));
    if outcome == Outcome::Refused {
        return Err(if_match.refusal(media));
    }
    let media = media.ok_or(ApiError::NotFound)?;
    if media.filename.is_some() && media.alt.is_some() {
        return Err(ApiError::invalid("alt", "no_picture", "is for pictures alone: this is a file"));
    }
    if outcome == Outcome::Changed {
        if media.owner_id != Some(user.id) {
            audit::record(
                &mut transaction,
                &Entry::by(&user, Action::MediaUpdated, id, json!({"fields": ["alt"]})),
                now,
            )
            .await?;
        }
        describe_again(&mut transaction, id, now).await?;
    }
    transaction.commit().await?;
    wake.here();
    Ok((Invalidates(Scope::Nothing), Tagged(media)))
}

/// Delete a picture or a file
///
/// One's own, or as an editor anyone's. What is stored of it is deleted within two hours; those who have it already may show it
/// for longer.
#[utoipa::path(delete, path = "/v1/media/{id}", tag = "media", params(MediaPath, IfMatch), security(("token" = ["media:write"])), responses(
    (status = 204, description = "It is deleted"),
    (status = 404, description = "No such picture or file, or another user's"),
    (status = 409, description = "A post shows it, or it is an avatar"),
    (status = 501, description = "No place for files is set up"),
))]
pub async fn delete(
    Member(user): Member<MEDIA_WRITE>,
    storage: Storage,
    State(db): State<Db>,
    Now(now): Now,
    Path(MediaPath { id }): Path<MediaPath>,
    if_match: IfMatch,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let owner = owner_for(&user);
    let mut transaction = db.begin().await?;
    let media = store::find(&mut transaction, id, owner).await?.ok_or(ApiError::NotFound)?.shown(&storage);
    let deleted = store::delete(&mut transaction, id, owner, if_match.versions()).await.map_err(|error| {
        let is_used = violation(&error).is_some_and(|violation| violation.kind == ViolationKind::NotFound);
        if is_used { in_use() } else { error.into() }
    })?;
    if !deleted {
        return Err(if_match.refusal(Some(media)));
    }
    if media.owner_id != Some(user.id) {
        audit::record(&mut transaction, &Entry::by(&user, Action::MediaDeleted, id, json!({})), now).await?;
    }
    transaction.commit().await?;
    Ok((StatusCode::NO_CONTENT, Invalidates(Scope::Nothing)))
}

fn in_use() -> ApiError {
    ApiError::conflict(
        "id",
        "in_use",
        "is shown by a post, maybe a deleted one, or is an avatar: take it from there first",
    )
}
