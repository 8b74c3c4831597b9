//! Posts: drafts, publication, scheduling, tags, slugs, deletion and restoration.

pub mod model;
pub mod routes;
pub mod store;
