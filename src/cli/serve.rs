//! `blog-api serve`: the database, the schema, the server, and all of them in reverse.

use blog_api::app::{self, AppState};
use blog_api::clock::Clock;
use blog_api::config::Config;
use blog_api::db::{Db, migrations};
use blog_api::lifecycle::Lifecycle;
use blog_api::server::{self, ShutdownPolicy};
use blog_api::telemetry;

use super::database::Database;
use super::failure::{Failure, cannot};
use crate::ServeArgs;

pub(crate) async fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let config = Config::from_env().map_err(Failure::config)?;
    telemetry::init(&config.log_level, config.log_format);
    // Before anything is started, so that a signal at any time stops it in order.
    let stop = server::stop_signal().map_err(Failure::unavailable)?;
    let listener = server::listen(config.port)
        .map_err(|error| Failure::config(format!("PORT {}: cannot listen: {error}", config.port)))?;
    let database = Database::open(&config.database, true).await?;
    let lifecycle = Lifecycle::default();
    let served = serve_on(listener, &config, args, &database, lifecycle, stop).await;
    database.close().await;
    served
}

async fn serve_on(
    listener: std::net::TcpListener,
    config: &Config,
    args: &ServeArgs,
    database: &Database,
    lifecycle: Lifecycle,
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), Failure> {
    if config.migrate_on_start {
        migrations::run(&database.options).await.map_err(|error| cannot("migrate the database", error))?;
    }
    let db = Db::connect_lazy(database.options.clone(), &config.database);
    let state =
        AppState::new(config, db.clone(), Clock::system(), lifecycle.clone()).map_err(Failure::config)?;
    offer_demo(config, args, &state).await?;
    let address = listener.local_addr().map_err(Failure::unavailable)?;
    let url = format!("http://localhost:{}", address.port());
    tracing::info!(version = env!("CARGO_PKG_VERSION"), environment = ?config.environment, "serving on {url}");
    let policy = ShutdownPolicy { drain_delay: config.drain_delay, timeout: config.shutdown_timeout };
    let finished = server::serve(listener, app::build(config, state), lifecycle, policy, stop)
        .await
        .map_err(|error| cannot("serve", error))?;
    db.close().await;
    if finished {
        tracing::info!("stopped");
        Ok(())
    } else {
        Err(Failure { code: 1, message: "requests were cut off after SHUTDOWN_TIMEOUT".into() })
    }
}

#[cfg(feature = "embedded-db")]
async fn offer_demo(config: &Config, args: &ServeArgs, state: &AppState) -> Result<(), Failure> {
    use blog_api::config::Environment;
    use blog_api::demo;

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

#[cfg(not(feature = "embedded-db"))]
#[expect(clippy::unused_async, reason = "has a body only with the development database")]
async fn offer_demo(_: &Config, _: &ServeArgs, _: &AppState) -> Result<(), Failure> {
    Ok(())
}
