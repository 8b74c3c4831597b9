//! Comments: threads, tombstones, moderation.

pub mod model;
pub mod routes;
pub mod store;
