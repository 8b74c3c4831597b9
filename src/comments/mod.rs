//! Comments: threads, tombstones, moderation.

pub mod jobs;
pub mod model;
pub mod routes;
pub mod store;
