//! `blog-api serve`: the database, the schema, the server, and all of them in reverse.

use std::future::pending;
use std::net::TcpListener;
use std::sync::Arc;

use blog_api::REVISION;
use blog_api::app::{self, Stopped};
use blog_api::clock::Clock;
use blog_api::config::Config;
use blog_api::db::connect_source::ConnectSource;
use blog_api::db::locale::unfit_locale;
use blog_api::db::{Db, migrations};
use blog_api::http::middleware;
use blog_api::server::{self, HEADER_READ_TIMEOUT, PROGRESS_WINDOW, ServerPolicy, ShutdownSignal, Starting};
use blog_api::telemetry::{self, metrics};
use metrics_exporter_prometheus::PrometheusHandle;

use super::database::Database;
use super::development;
use super::failure::{self, Failure, cannot, migration};
use crate::ServeArgs;

/// Connections open at once: far more than requests served at once, since a load balancer keeps idle ones.
const MAX_CONNECTIONS: usize = 4096;

pub(crate) async fn serve(args: &ServeArgs) -> Result<(), Failure> {
    let config = Config::from_env().map_err(Failure::config)?;
    telemetry::init(&config.log_level, config.log_format);
    let recorder = metrics::init().map_err(|error| cannot("record metrics", error))?;
    // Before anything is started, so that a signal at any time stops it in order.
    let mut shutdown = ShutdownSignal::of_process().map_err(Failure::unavailable)?;
    let listener = server::listen(config.port)
        .map_err(|error| Failure::config(format!("PORT {}: cannot listen: {error}", config.port)))?;
    let port = listener.local_addr().map_err(Failure::unavailable)?.port();
    tracing::info!("starting on http://localhost:{port}");
    let clone = listener.try_clone().map_err(Failure::unavailable)?;
    let starting = Starting::serve(clone, middleware::starting(), policy(&config));
    let Some(database) = open(&config, &mut shutdown).await? else {
        return Ok(());
    };
    let migrated = tokio::select! {
        migrated = migrate(&config, &database) => migrated.map(|()| true),
        () = shutdown.recv() => Ok(false),
    };
    let served = match migrated {
        Ok(true) => {
            starting.finish().await;
            serve_on(listener, &config, args, &database.source, recorder, shutdown).await
        }
        Ok(false) => Ok(()),
        Err(failure) => Err(failure),
    };
    database.close().await;
    served
}

/// The database, unless the process is told to stop before.
async fn open(config: &Config, shutdown: &mut ShutdownSignal) -> Result<Option<Database>, Failure> {
    let opening = Database::open(&config.database, true);
    tokio::pin!(opening);
    tokio::select! {
        opened = &mut opening => return opened.map(Some),
        () = shutdown.recv() => {}
    }
    // The private server is on its way up, and is to come down in order.
    if config.database.location.is_none()
        && let Ok(database) = opening.await
    {
        database.close().await;
    }
    Ok(None)
}

async fn migrate(config: &Config, database: &Database) -> Result<(), Failure> {
    if config.migrate_on_start {
        migrations::run(&database.source.options()).await.map_err(|error| migration(&error))?;
    }
    Ok(())
}

fn policy(config: &Config) -> ServerPolicy {
    ServerPolicy {
        max_connections: MAX_CONNECTIONS,
        max_connections_per_address: connections_per_address(config),
        progress_window: PROGRESS_WINDOW,
        header_read_timeout: HEADER_READ_TIMEOUT,
        drain_delay: config.drain_delay,
        shutdown_timeout: config.shutdown_timeout,
    }
}

async fn serve_on(
    listener: TcpListener,
    config: &Config,
    args: &ServeArgs,
    source: &Arc<ConnectSource>,
    recorder: PrometheusHandle,
    shutdown: ShutdownSignal,
) -> Result<(), Failure> {
    let service = app::build(config, source, Clock::system(), Some(recorder)).map_err(Failure::config)?;
    development::offer_demo(&args.demo, config, &service.state).await?;
    let address = listener.local_addr().map_err(Failure::unavailable)?;
    let url = format!("http://localhost:{}", address.port());
    let (version, environment) = (blog_api::VERSION, config.environment);
    tracing::info!(version, revision = REVISION, ?environment, "serving on {url}");
    // On a thread of its own: to make a connection with TLS is work.
    let refused = tokio::spawn(refusal(service.state.db.clone(), source.clone()));
    let stopped = tokio::select! {
        stopped = service.serve(listener, policy(config), shutdown) => stopped,
        Ok(failure) = refused => return Err(failure),
    };
    match stopped.map_err(|error| cannot("serve", error))? {
        Stopped::InOrder => {
            tracing::info!("stopped");
            Ok(())
        }
        Stopped::CutOff => Err(Failure::cut_off("requests were cut off after SHUTDOWN_TIMEOUT")),
        Stopped::TaskEnded(task) => Err(Failure::software(format!("the background task `{task}` ended"))),
    }
}

/// Behind a proxy, all connections come from its address.
fn connections_per_address(config: &Config) -> Option<usize> {
    let max = config.address_concurrency.filter(|_| config.trusted_proxy_hops == 0)?;
    usize::try_from(max.get()).ok()
}

/// Connects once, while `/health` is answered already. A database that is away may come back, and the
/// service waits for it; one that refuses these credentials or shows a certificate of someone else's needs a
/// person. Never ends otherwise.
async fn refusal(db: Db, source: Arc<ConnectSource>) -> Failure {
    if let Err(error) = db.check().await {
        if let Some(cause) = error.failure() {
            let failure = failure::database("connect to the database", cause);
            if failure.is_about_configuration() {
                return failure;
            }
        }
        tracing::warn!(cause = %error, "serving without a database until it answers");
    } else if let Ok(Some(unfit)) = unfit_locale(&source.options()).await {
        tracing::warn!("{unfit}");
    }
    pending().await
}
