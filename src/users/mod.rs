//! Users: accounts and public profiles.

pub mod jobs;
pub mod model;
pub mod routes;
pub mod store;
