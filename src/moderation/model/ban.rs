//! Who bans whom.

use uuid::Uuid;

use crate::auth::User;
use crate::http::validation::text_type;
use crate::identity::Role;

text_type!(
    /// Why a user is banned, in words that the user reads.
    BanReason, line, LINE, 1..=500, "Advertising under every post.");

/// Whether `user` may ban the user with `id`: an admin anyone else, an editor those with a lower role.
#[must_use]
pub fn may_ban(user: &User, id: Uuid, role: Role) -> bool {
    match user.role {
        Role::Admin => user.id != id,
        Role::Editor => role < Role::Editor,
        Role::Author | Role::Reader => false,
    }
}
