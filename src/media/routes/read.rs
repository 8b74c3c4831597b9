//! Listing and reading media.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::auth::SignedIn;
use crate::auth::scope::MEDIA_READ;
use crate::cache::CachePolicy;
use crate::db::Db;
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::Path;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::http::validation::{Validate, Violations};
use crate::identity::Role;
use crate::media::choose::owner_for;
use crate::media::model::{Media, MediaPath};
use crate::media::storage::Storage;
use crate::media::store;

const ORDER: &str = "media";

/// Which pictures and files to list. Filters combine.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListMedia {
    /// Those of the user with this id; if absent the caller's own, or as an editor everybody's.
    owner: Option<Uuid>,
    /// Those that nothing refers to: they are deleted after 30 days.
    #[serde(default)]
    #[param(default = false)]
    unused: bool,
}

impl Validate for ListMedia {
    fn validate(&self, _violations: &mut Violations) {}
}

/// Pictures and files
///
/// The caller's own, or as an editor everybody's, newest first.
#[utoipa::path(get, path = "/v1/media", tag = "media", params(ListMedia, PageQuery), security(("token" = ["media:read"])), responses(
    (status = 200, description = "A page of pictures and files", body = Page<Media>),
    (status = 403, description = "Pictures of others, without being an editor"),
    (status = 501, description = "No place for files is set up"),
))]
pub async fn list(
    SignedIn(user): SignedIn<MEDIA_READ>,
    storage: Storage,
    State(db): State<Db>,
    request: PageRequest<ListMedia>,
) -> Result<(CachePolicy, Page<Media>), ApiError> {
    let ListMedia { owner, unused } = request.filter;
    if owner.is_some_and(|owner| owner != user.id) && !user.is(Role::Editor) {
        return Err(ApiError::Forbidden("Only editors list what others have uploaded."));
    }
    let filter = store::Filter {
        owner: owner.or(owner_for(&user)),
        unused,
        before: request.after(ORDER)?,
        rows: request.rows(),
    };
    let rows = store::list(&mut db.acquire().await?, filter).await?;
    let media: Vec<_> = rows.into_iter().map(|row| row.shown(&storage)).collect();
    Ok((CachePolicy::Private, request.page(media, ORDER, |media: &Media| media.id)?))
}

/// A picture or a file
///
/// One's own, or as an editor anyone's.
#[utoipa::path(get, path = "/v1/media/{id}", tag = "media", params(MediaPath), security(("token" = ["media:read"])), responses(
    (status = 200, description = "The picture or the file", body = Media),
    (status = 404, description = "No such picture or file, or another user's"),
    (status = 501, description = "No place for files is set up"),
))]
pub async fn read(
    SignedIn(user): SignedIn<MEDIA_READ>,
    storage: Storage,
    State(db): State<Db>,
    Path(MediaPath { id }): Path<MediaPath>,
) -> Result<(CachePolicy, Tagged<Media>), ApiError> {
    let row = store::find(&mut db.acquire().await?, id, owner_for(&user)).await?.ok_or(ApiError::NotFound)?;
    Ok((CachePolicy::Private, Tagged(row.shown(&storage))))
}
