//! What Prometheus finds on the metrics port.

use std::process::Command;

use nix::sys::signal::Signal;
use sqlx::ConnectOptions;

use crate::support::{Process, TestDatabase};

#[tokio::test]
async fn requests_connections_and_the_version_are_counted() {
    let database = TestDatabase::create().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_blog-api"));
    command.env_clear().envs([("DATABASE_URL", &*database.url()), ("PORT", "0"), ("METRICS_PORT", "0")]);
    let process = Process::start(&mut command);
    for path in ["/v1/posts", "/v1/posts?limit=5", "/v1/posts/no-such-post", "/nowhere/1", "/nowhere/2"] {
        process.get(path);
    }
    process.request("PURGE", "/v1/posts");
    process.request("FROBNICATE", "/v1/posts");
    process.request("POST", "/metrics");

    let series = process.metrics();
    let value = |name: &str| {
        let found = series.iter().find(|(series, _)| series == name);
        found.unwrap_or_else(|| panic!("no {name} in {series:#?}")).1.parse::<u64>().unwrap()
    };
    let count = |method: &str, route: &str, status: u16| {
        value(&format!("http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}"))
    };
    assert_eq!(count("GET", "/v1/posts", 200), 2);
    assert_eq!(count("GET", "/v1/posts/{post}", 404), 1);
    // What anyone may make up is not a series of its own.
    assert_eq!(count("GET", "unmatched", 404), 2);
    assert_eq!(count("other", "/v1/posts", 405), 2);
    assert_eq!(value("http_request_duration_seconds_count{method=\"GET\",route=\"/v1/posts\"}"), 2);
    assert_eq!(value("http_requests_in_flight"), 0);
    assert_eq!(value("db_pool_connections_max{pool=\"writer\"}"), 10);
    assert!(value("db_pool_connections{pool=\"writer\",state=\"idle\"}") >= 1);
    assert!(value("db_connections_opened_total{pool=\"writer\"}") >= 1);
    assert!(value("db_pool_wait_seconds_count{pool=\"writer\"}") >= 3);
    // Whether the cache is in use yet is a matter of time.
    let reads = series.iter().filter(|(series, _)| series.starts_with("cache_requests_total{"));
    assert_eq!(reads.map(|(_, count)| count.parse::<u64>().unwrap()).sum::<u64>(), 2);
    assert_eq!(value("cache_max_bytes"), 64 * 1024 * 1024);
    for gauge in ["cache_bytes", "cache_entries", "cache_shared"] {
        value(gauge);
    }
    // Before the first of them, so that it shows in a rate.
    for none in [
        "http_requests_shed_total",
        "http_connections_refused_total",
        "http_connections_stalled_total",
        "db_pool_timeouts_total{pool=\"writer\"}",
    ] {
        assert_eq!(value(none), 0);
    }
    for task in ["cache invalidation", "jobs", "metrics"] {
        assert_eq!(value(&format!("background_tasks_running{{task=\"{task}\"}}")), 1);
    }
    assert_eq!(value("password_hashes_running"), 0);
    assert_eq!(value("password_hashes_waiting"), 0);
    let build = series.iter().find(|(series, _)| series.starts_with("blog_api_build_info{")).unwrap();
    assert!(build.0.contains(&format!("version=\"{}\"", env!("CARGO_PKG_VERSION"))), "{build:?}");

    assert_eq!(process.get("/metrics").0, 404, "the load balancer does not get to them");
    assert_eq!(process.stop(Signal::SIGTERM), Some(0));
}

#[tokio::test]
async fn jobs_that_wait_and_that_were_given_up_are_counted() {
    let database = TestDatabase::create().await;
    let late = "insert into jobs (id, kind, payload, due_at, run_at, created_at, failed_at, error) values
      (gen_random_uuid(), 'mail', '{}', now() - interval '1 hour', now() + interval '1 hour', now(), null, 'x'),
      (gen_random_uuid(), 'mail', '{}', now() - interval '9 hours', now(), now(), now(), 'x')";
    sqlx::raw_sql(late).execute(&mut database.options.connect().await.unwrap()).await.unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_blog-api"));
    let variables = [("PORT", "0"), ("METRICS_PORT", "0")];
    command.env_clear().env("DATABASE_URL", database.url()).envs(variables);
    let process = Process::start(&mut command);
    let value = |series: &[(String, String)], name: &str| -> Option<i64> {
        series.iter().find(|(found, _)| found == name).map(|(_, value)| value.parse().unwrap())
    };
    let counted = loop {
        let series = process.metrics();
        if value(&series, "jobs_failed{kind=\"mail\"}").is_some() {
            break series;
        }
    };
    for (name, expected) in [
        ("jobs_failed{kind=\"mail\"}", 1),
        ("jobs_unfinished{kind=\"mail\"}", 1),
        ("jobs_failed{kind=\"sign_up\"}", 0),
    ] {
        assert_eq!(value(&counted, name), Some(expected), "{name}");
    }
    // Set last.
    while value(&process.metrics(), "jobs_oldest_seconds").is_none_or(|seconds| seconds < 3600) {}
    assert_eq!(process.stop(Signal::SIGTERM), Some(0));
}

#[tokio::test]
async fn refusals_are_counted_by_their_limit() {
    let database = TestDatabase::create().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_blog-api"));
    let variables = [("PORT", "0"), ("METRICS_PORT", "0"), ("RATE_LIMIT_ADDRESS", "1")];
    command.env_clear().env("DATABASE_URL", database.url()).envs(variables);
    let process = Process::start(&mut command);
    for status in [200, 429, 429] {
        assert_eq!(process.get("/openapi.json").0, status);
    }
    let refused = ("http_requests_rate_limited_total{policy=\"address\"}".to_owned(), "2".to_owned());
    assert!(process.metrics().contains(&refused));
}

#[tokio::test]
async fn cloudwatch_is_told_in_the_log() {
    let database = TestDatabase::create().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_blog-api"));
    let variables = [("DATABASE_URL", &*database.url()), ("PORT", "0"), ("METRICS_PORT", "0")];
    command.env_clear().envs(variables).env("METRICS_NAMESPACE", "blog-api").env("LOG_FORMAT", "json");
    let process = Process::start(&mut command);
    while !process.log().contains("_aws") {
        std::thread::yield_now();
    }
    let log = process.log();
    let told = log.lines().find(|line| line.contains("_aws")).unwrap_or_else(|| panic!("{log}"));
    let told: serde_json::Value = serde_json::from_str(told).unwrap();
    assert_eq!(told["_aws"]["CloudWatchMetrics"][0]["Namespace"], "blog-api");
    assert_eq!(told["PoolTimeouts"], 0.0);
    assert!(told["PoolIdle"].as_f64().is_some_and(|idle| idle <= 10.0), "{told}");
}
