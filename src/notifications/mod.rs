//! What users are told: that somebody answered, that something waits for them, that someone they follow has written.

pub mod jobs;
pub mod model;
pub mod routes;
pub mod store;
