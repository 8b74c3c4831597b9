//! Moderation: bans, and reports by readers. Decisions about comments are made in
//! [`comments`](crate::comments).

pub mod model;
pub mod routes;
pub mod store;
