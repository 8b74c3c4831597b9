//! The only place where things are wired together: the routes, their state, and what runs in the background.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::background::BackgroundTasks;
use crate::clock::Clock;
use crate::config::{Config, Environment};
use crate::db::Db;
use crate::db::connect_source::{ConnectSource, REFRESH_INTERVAL};
use crate::http::caching::Caching;
use crate::http::concurrency::AddressLimits;
use crate::http::cors::cors;
use crate::http::middleware::{Limits, Stack};
use crate::http::rate_limit::RateLimits;
use crate::jobs::runner;
use crate::lifecycle::Lifecycle;
use crate::server::{self, ServerPolicy, ShutdownSignal};
use crate::state::{AppState, StateError};
use crate::telemetry::{emf, metrics};
use crate::{router, work, workers};

/// Why the service cannot be built. Each case is a mistake in the configuration.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Pool(#[from] deadpool::managed::BuildError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("METRICS_PORT {0}: cannot listen: {1}")]
    MetricsPort(u16, io::Error),
}

/// How long what is worked on may take at the end; the rest is done by another task.
const JOBS_GRACE: Duration = Duration::from_secs(5);

pub struct Service {
    pub state: AppState,
    /// Every route, inside the middleware stack.
    pub routes: Router,
    pub background: BackgroundTasks,
    /// Ends the work on jobs.
    pub jobs: runner::Stop,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It was told to, and every request was finished.
    InOrder,
    /// It was told to, and requests were cut off.
    CutOff,
    /// This background task had ended. What could be finished was.
    TaskEnded(&'static str),
}

/// The service that `config` asks for, with its background tasks running. With `recorder` its metrics are
/// offered on `METRICS_PORT`, and sent to CloudWatch if that is asked for.
pub fn build(
    config: &Config,
    source: &Arc<ConnectSource>,
    clock: Clock,
    recorder: Option<PrometheusHandle>,
) -> Result<Service, BuildError> {
    let db = Db::new(source, &config.database)?;
    let state = AppState::new(config, db, clock, Lifecycle::default())?;
    let mut background = BackgroundTasks::default();
    if let Some(recorder) = recorder {
        serve_metrics(&mut background, config, &state, recorder)?;
    }
    let (jobs, stopped) = runner::stop();
    background.spawn("jobs", work::runner(state.clone()).run(stopped));
    let (cache, wake, bus) = (state.cache.clone(), state.wake.clone(), source.clone());
    background.spawn("cache invalidation", async move { cache.run_bus(&bus, &wake).await });
    if source.can_rotate() {
        let source = source.clone();
        background.spawn("credentials refresh", async move { source.keep_fresh(REFRESH_INTERVAL).await });
    }
    Ok(Service { routes: routes(config, state.clone()), state, background, jobs })
}

fn routes(config: &Config, state: AppState) -> Router {
    let rates = RateLimits::new(
        config.rate_limit_address,
        config.rate_limit_account,
        config.rate_limit_account_kib,
        state.trusted_proxy_hops,
        &state.clock,
    );
    let addresses = AddressLimits::new(
        config.address_concurrency.map(|max| max.get() as usize),
        state.trusted_proxy_hops,
    );
    let limits = Limits { rates, addresses, ..Limits::default() };
    let caching = Caching { cache: state.cache.clone(), clock: state.clock.clone() };
    let (router, unconditional) = router::router();
    let mut stack = Stack::new(limits, state.lifecycle.clone(), caching);
    stack.cors = cors(&config.cors_allowed_origins);
    stack.unconditional = unconditional;
    stack.rewrite = router::ignore_unknown_parameters;
    stack.is_upload = router::is_upload;
    stack.wrap(router).with_state(state)
}

fn serve_metrics(
    background: &mut BackgroundTasks,
    config: &Config,
    state: &AppState,
    recorder: PrometheusHandle,
) -> Result<(), BuildError> {
    let AppState { db, cache, passwords, lifecycle, .. } = state.clone();
    let observe = move || {
        lifecycle.observe();
        db.observe();
        cache.observe();
        passwords.observe();
        workers::observe();
    };
    if let Some(namespace) = config.metrics_namespace.clone() {
        let report = emf::report(namespace, recorder.clone(), observe.clone(), state.clock.clone());
        background.spawn("metrics to CloudWatch", report);
    }
    match listen(config.metrics_port) {
        Ok((listener, port)) => {
            tracing::info!("metrics on http://localhost:{port}/metrics");
            background.spawn("metrics", metrics::serve(listener, recorder, observe));
            Ok(())
        }
        // No reason for a second copy on a developer's machine not to start.
        Err(error) if config.environment == Environment::Development => {
            tracing::warn!(port = config.metrics_port, cause = %error, "no metrics");
            Ok(())
        }
        Err(error) => Err(BuildError::MetricsPort(config.metrics_port, error)),
    }
}

fn listen(port: u16) -> io::Result<(tokio::net::TcpListener, u16)> {
    let listener = tokio::net::TcpListener::from_std(server::listen(port)?)?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

impl Service {
    /// Serves on `listener` until `shutdown` or until a background task ends, and then stops in order: drains,
    /// ends the work on jobs and the background tasks, and closes the pool.
    pub async fn serve(
        self,
        listener: TcpListener,
        policy: ServerPolicy,
        shutdown: ShutdownSignal,
    ) -> io::Result<Stopped> {
        let Self { state: AppState { db, lifecycle, .. }, routes, mut background, jobs } = self;
        let mut ended = None;
        let failure = async { ended = Some(background.ended().await) };
        let finished = server::serve(listener, routes, lifecycle, policy, shutdown, failure).await?;
        jobs.stop(JOBS_GRACE).await;
        background.stop().await;
        db.close();
        Ok(match ended {
            Some(task) => Stopped::TaskEnded(task),
            None if finished => Stopped::InOrder,
            None => Stopped::CutOff,
        })
    }
}
