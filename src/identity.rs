//! Who somebody is: the role of an account, each of which may do what those before it may, and how a
//! user is named in what others read.

use clap::ValueEnum;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::text_enum::text_enum;

text_enum! {
    /// What an account may do, from least to most.
    #[derive(PartialOrd, Ord, ValueEnum)]
    pub enum Role {
        /// Comments.
        Reader = "reader",
        /// Writes posts.
        Author = "author",
        /// Edits every post and comment.
        Editor = "editor",
        /// Manages users.
        Admin = "admin",
    }
}

/// A user as they are named in what others read.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Byline, description = "Who wrote a post or a comment.")]
pub struct UserRef {
    /// The user's id; null for a deleted user.
    #[schema(required)]
    pub id: Option<Uuid>,
    /// The unique name; `deleted user`, which nobody can be called, for a deleted user.
    #[schema(example = "ada")]
    pub username: String,
    /// The name shown to readers.
    #[schema(required, example = "Ada Lovelace")]
    pub display_name: Option<String>,
}

/// The name of a deleted user, which nobody can be called.
pub const DELETED_USER: &str = "deleted user";

impl UserRef {
    /// The reference to a user who may since have been deleted.
    #[must_use]
    pub fn new(id: Option<Uuid>, username: Option<String>, display_name: Option<String>) -> Self {
        Self { id, username: username.unwrap_or_else(|| DELETED_USER.into()), display_name }
    }

    /// What readers see as the name.
    #[must_use]
    pub fn shown_name(self) -> String {
        self.display_name.unwrap_or(self.username)
    }
}
