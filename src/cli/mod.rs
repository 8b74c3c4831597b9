//! The commands, each in a file of its own.

pub(crate) mod database;
#[cfg(feature = "embedded-db")]
pub(crate) mod development;
#[cfg(not(feature = "embedded-db"))]
#[path = "development/stub.rs"]
pub(crate) mod development;
pub(crate) mod failure;
pub(crate) mod healthcheck;
pub(crate) mod migrate;
pub(crate) mod query;
pub(crate) mod serve;
pub(crate) mod state;
pub(crate) mod users;
