//! In place of `mod.rs` in a build without the feature `embedded-db`: there is no private PostgreSQL and no demo.

#![expect(clippy::unused_async, reason = "waits only with the private PostgreSQL")]

use blog_api::config::Config;
use blog_api::state::AppState;
use clap::Args;
use sqlx::postgres::PgConnectOptions;

use super::failure::Failure;

/// There is none.
pub(crate) enum Server {}

impl Server {
    pub(crate) async fn stop(self) {
        match self {}
    }
}

#[derive(Args)]
pub(crate) struct DemoArgs {}

pub(crate) async fn open(_exclusive: bool) -> Result<(PgConnectOptions, Option<Server>), Failure> {
    Err(Failure::config("DB_SECRET_ID or DATABASE_URL is required"))
}

pub(crate) async fn offer_demo(_: &DemoArgs, _: &Config, _: &AppState) -> Result<(), Failure> {
    Ok(())
}
