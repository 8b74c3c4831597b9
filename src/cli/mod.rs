//! The commands, each in a file of its own.

pub(crate) mod database;
pub(crate) mod failure;
pub(crate) mod healthcheck;
pub(crate) mod migrate;
pub(crate) mod serve;
pub(crate) mod users;
