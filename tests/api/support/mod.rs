//! What every test starts from: the service on a database of its own, a client, users.

mod app;
mod client;
mod contract;
mod database;
pub(crate) mod logs;

pub(crate) use app::{PASSWORD, TestApp, TestUser};
pub(crate) use client::Reply;
pub(crate) use contract::operations;
pub(crate) use database::TestDatabase;
