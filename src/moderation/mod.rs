//! Moderation: bans, reports by readers, and the audit log, in which every feature notes what was done to
//! what is another's. Decisions about comments are made in [`comments`](crate::comments).

pub mod model;
pub mod routes;
pub mod store;
