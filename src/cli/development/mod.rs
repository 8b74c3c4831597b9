//! What only development has: the private PostgreSQL, and something to look at in it. `stub.rs` takes its place in a
//! build without the feature `embedded-db`, and has the same items.

mod demo;

use std::path::Path;

use blog_api::config::{Config, Environment};
use blog_api::db::locale::unfit_locale;
use blog_api::state::AppState;
pub(crate) use blog_api_dev_database::Server;
use clap::Args;
use sqlx::postgres::PgConnectOptions;

use super::failure::{Failure, cannot};

/// Where the private server keeps its data, in the working directory.
const DIR: &str = ".blog-api";

#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Fill an empty development database with a few users, posts and comments
    #[arg(long)]
    demo: bool,
}

/// How to connect to the private server, and the server if this started it. `exclusive` takes no running one.
pub(crate) async fn open(exclusive: bool) -> Result<(PgConnectOptions, Option<Server>), Failure> {
    let dir = Path::new(DIR);
    if let Some(options) = blog_api_dev_database::running(dir).filter(|_| !exclusive) {
        return Ok((options, None));
    }
    let server = Server::start(dir).await.map_err(Failure::unavailable)?;
    eprintln!("Private PostgreSQL: psql '{}'", server.url());
    if let Ok(Some(unfit)) = unfit_locale(&server.options()).await {
        eprintln!(
            "Its data in {DIR} was made by an earlier version, with the locale {}: searches miss words that are not ASCII. \
             Delete that folder to start anew.",
            unfit.locale
        );
    }
    Ok((server.options(), Some(server)))
}

pub(crate) async fn offer_demo(args: &DemoArgs, config: &Config, state: &AppState) -> Result<(), Failure> {
    if !args.demo {
        return Ok(());
    }
    if config.environment == Environment::Production {
        return Err(Failure::usage("--demo is for development"));
    }
    if demo::fill(state).await.map_err(|error| cannot("fill in the demo", error))? {
        eprintln!(
            "Demo: sign in as ada@example.com (admin), grace@example.com (author) or alan@example.com (reader), \
             password `{}`.",
            demo::PASSWORD
        );
    } else {
        eprintln!("The database has users already: --demo changed nothing.");
    }
    Ok(())
}
