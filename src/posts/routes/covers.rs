//! The pictures that stand for posts.

use super::body::NewCover;
use crate::auth::User;
use crate::db::Connection;
use crate::error::ApiError;
use crate::media::choose as media;
use crate::media::model::Image;
use crate::media::storage::MaybeStorage;
use crate::posts::store::Cover;

/// A cover that `user` has chosen, as it is shown.
pub(super) struct ChosenCover {
    image: Image,
    alt: Option<String>,
}

impl ChosenCover {
    pub(super) fn stored(&self) -> Cover<'_> {
        Cover { image: &self.image, alt: self.alt.as_deref() }
    }
}

/// Nobody deletes it until the transaction ends.
pub(super) async fn choose(
    connection: &mut Connection,
    storage: &MaybeStorage,
    user: &User,
    cover: Option<&NewCover>,
) -> Result<Option<ChosenCover>, ApiError> {
    let Some(NewCover { media: id, alt }) = cover else { return Ok(None) };
    let mut image = media::choose(connection, storage, user, *id, "cover.media").await?;
    let alt = alt.as_ref().map(|alt| alt.as_str().to_owned());
    image.alt = alt.clone().or(image.alt);
    Ok(Some(ChosenCover { image, alt }))
}
