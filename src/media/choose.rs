//! Pictures that users choose for something of theirs.

use uuid::Uuid;

use super::model::Image;
use super::storage::MaybeStorage;
use super::store;
use crate::auth::User;
use crate::db::Connection;
use crate::error::ApiError;
use crate::identity::Role;

/// Whose pictures `user` gets to see: `None` is everybody's.
#[must_use]
pub fn owner_for(user: &User) -> Option<Uuid> {
    (!user.is(Role::Editor)).then_some(user.id)
}

/// The picture with that id, as it is shown: `user`'s own, or for an editor anyone's. Nobody deletes it until the transaction
/// ends. Fails about `field` if there is none.
pub async fn choose(
    connection: &mut Connection,
    storage: &MaybeStorage,
    user: &User,
    id: Uuid,
    field: &str,
) -> Result<Image, ApiError> {
    let storage = storage.0.as_ref().ok_or(ApiError::MediaOff)?;
    let row = store::lock(connection, id, owner_for(user)).await?;
    let image = row.and_then(|row| row.shown(storage).into_image());
    image.ok_or_else(|| ApiError::invalid(field, "not_found", "is no picture of yours"))
}
