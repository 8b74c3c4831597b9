//! Who bans whom.

use serde::Serialize;
use uuid::Uuid;

use crate::auth::User;
use crate::auth::model::Ban;
use crate::http::conditional::Versioned;
use crate::http::validation::text_type;
use crate::identity::Role;

text_type!(
    /// Why a user is banned, in words that the user reads.
    BanReason, line, LINE, 1..=500, "Advertising under every post.");

/// The ban of a user, with the user's version.
#[derive(Clone, Debug, Serialize)]
pub struct UserBan {
    #[serde(flatten)]
    pub ban: Ban,
    #[serde(skip)]
    pub version: i64,
}

impl Versioned for UserBan {
    fn version(&self) -> i64 {
        self.version
    }
}

/// Whether `user` may ban the user with `id`: an admin anyone else, an editor those with a lower role.
#[must_use]
pub fn may_ban(user: &User, id: Uuid, role: Role) -> bool {
    match user.role {
        Role::Admin => user.id != id,
        Role::Editor => role < Role::Editor,
        Role::Author | Role::Reader => false,
    }
}
