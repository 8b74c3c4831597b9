//! Metrics in Prometheus's format, on a port of their own that the load balancer does not reach.

use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use metrics::{Gauge, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;

use crate::{REVISION, VERSION};

/// Seconds: from what the cache answers to what times out.
const BUCKETS: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0];

/// Starts recording, for the whole process. Fails when something records already.
pub fn init() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &BUCKETS)?
        .install_recorder()?;
    describe();
    gauge!("blog_api_build_info", "version" => VERSION, "revision" => REVISION).set(1.0);
    // There from the start, so that the first one shows in a rate.
    for refusals in
        ["http_requests_shed_total", "http_connections_refused_total", "http_connections_stalled_total"]
    {
        counter!(refusals).increment(0);
    }
    for result in ["delivered", "failed"] {
        counter!("webhook_attempts_total", "result" => result).increment(0);
    }
    for operation in ["put", "delete"] {
        counter!("media_storage_errors_total", "operation" => operation).increment(0);
    }
    for workers in ["texts", "bodies", "pictures"] {
        counter!("workers_overruns_total", "workers" => workers).increment(0);
    }
    Ok(handle)
}

fn describe() {
    describe_gauge!("blog_api_build_info", "The version that runs; always 1.");
    describe_gauge!(
        "background_tasks_running",
        "1 while this task of the process runs, 0 once it has ended."
    );
    describe_counter!(
        "http_requests_total",
        "Requests by method, route and status; 499 is a client that hung up."
    );
    describe_histogram!(
        "http_request_duration_seconds",
        Unit::Seconds,
        "From the request's head to the response's last byte."
    );
    describe_gauge!("http_requests_in_flight", "Requests being served.");
    describe_counter!("http_requests_shed_total", "Requests refused because too many were being served.");
    describe_counter!("http_requests_rate_limited_total", "Requests refused because of their client's rate.");
    describe_counter!("http_requests_retried_total", "Requests tried again after a deadlock.");
    describe_counter!("http_connections_refused_total", "Connections refused because too many were open.");
    describe_counter!("http_connections_stalled_total", "Connections cut since their client took nothing.");
    describe_gauge!("db_pool_connections", "Connections by pool and state.");
    describe_gauge!("db_pool_connections_max", "How many connections a pool may have.");
    describe_gauge!("db_pool_waiting", "Requests waiting for a connection.");
    describe_histogram!("db_pool_wait_seconds", Unit::Seconds, "How long a request waited for a connection.");
    describe_counter!("db_pool_timeouts_total", "Requests that got no connection in time.");
    describe_gauge!("db_costly_running", "Searches and their like that have a connection.");
    describe_gauge!("db_costly_max", "How many of them may have one.");
    describe_counter!("db_costly_refused_total", "Those refused because too many had one.");
    describe_counter!("db_connections_opened_total", "Connections made.");
    describe_counter!("db_connections_closed_total", "Connections not used again, by reason.");
    describe_counter!(
        "db_secret_refreshes_total",
        "Readings of the database's secret after boot, by result."
    );
    describe_counter!(
        "cache_requests_total",
        "Anonymous reads by whether the cache had the response; bypass is without a cache."
    );
    describe_counter!(
        "cache_changes_total",
        "Changes that invalidated cached responses, by this task or by others."
    );
    describe_gauge!("cache_entries", "Responses in the cache, also invalid ones.");
    describe_gauge!("cache_bytes", Unit::Bytes, "What the responses in the cache take.");
    describe_gauge!("cache_max_bytes", Unit::Bytes, "What they may take.");
    describe_gauge!("cache_shared", "1 while the invalidation bus is connected; else nothing is cached.");
    describe_gauge!("jobs_unfinished", "Jobs that are not done, of all tasks, up to 10,000.");
    describe_gauge!("jobs_failed", "Jobs that were given up, up to 10,000.");
    describe_gauge!(
        "jobs_oldest_seconds",
        Unit::Seconds,
        "How long the job has waited that was to be done first."
    );
    describe_counter!("jobs_attempts_total", "Jobs that this task has worked on, by what came of it.");
    describe_counter!("webhook_attempts_total", "Messages sent to webhooks, by what came of it.");
    describe_gauge!(
        "webhook_oldest_pending_seconds",
        Unit::Seconds,
        "How long the oldest message to a webhook waits that is not delivered."
    );
    describe_counter!(
        "media_storage_errors_total",
        "Objects of media that could not be stored or deleted, by operation."
    );
    describe_gauge!("password_hashes_running", "Passwords being hashed.");
    describe_gauge!("password_hashes_waiting", "Passwords waiting to be hashed.");
    describe_gauge!("workers_running", "Texts, large bodies or pictures being worked on.");
    describe_gauge!("workers_waiting", "Texts, large bodies or pictures waiting for that.");
    describe_counter!(
        "workers_overruns_total",
        "Those that took more than 2 seconds, pictures more than 20."
    );
}

#[expect(clippy::cast_precision_loss, reason = "nothing that is counted here comes near 2^52")]
pub fn set(gauge: &Gauge, count: usize) {
    gauge.set(count as f64);
}

/// Serves `/metrics`, for ever. `observe` first writes what is read rather than counted.
pub async fn serve(
    listener: TcpListener,
    handle: PrometheusHandle,
    observe: impl Fn() + Send + Sync + 'static,
) {
    let observe = Arc::new(observe);
    let render = async move || {
        observe();
        handle.run_upkeep();
        ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render())
    };
    let routes = Router::new().route("/metrics", get(render));
    if let Err(error) = axum::serve(listener, routes).await {
        tracing::error!(cause = %error, "cannot serve metrics");
    }
}
