//! Posts: drafts, publication, scheduling, tags, slugs, deletion and restoration, revisions.

pub mod jobs;
pub mod model;
pub mod routes;
pub mod store;
