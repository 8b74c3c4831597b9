//! The service's own numbers for CloudWatch, in its [embedded metric format]: a line in the log once a minute,
//! which CloudWatch reads them from. They are those of `/metrics`, which nobody scrapes on an AWS account
//! without a Prometheus.
//!
//! [embedded metric format]: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Map, Value, json};
use tokio::time::interval;

use crate::clock::Clock;

const INTERVAL: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// As it is.
    Gauge,
    /// By how much it has grown since the last line.
    Counter,
}

/// What is exported: its name in CloudWatch, the family and a part of the labels of the series that it sums up.
const EXPORTED: [(&str, &str, &str, Kind); 16] = [
    ("RequestsInFlight", "http_requests_in_flight", "", Kind::Gauge),
    ("RequestsShed", "http_requests_shed_total", "", Kind::Counter),
    ("RequestsRateLimited", "http_requests_rate_limited_total", "", Kind::Counter),
    ("ConnectionsRefused", "http_connections_refused_total", "", Kind::Counter),
    ("PoolInUse", "db_pool_connections", "state=\"in_use\"", Kind::Gauge),
    ("PoolIdle", "db_pool_connections", "state=\"idle\"", Kind::Gauge),
    ("PoolWaiting", "db_pool_waiting", "", Kind::Gauge),
    ("PoolTimeouts", "db_pool_timeouts_total", "", Kind::Counter),
    ("PasswordHashesWaiting", "password_hashes_waiting", "", Kind::Gauge),
    ("CacheHits", "cache_requests_total", "result=\"hit\"", Kind::Counter),
    ("CacheMisses", "cache_requests_total", "result=\"miss\"", Kind::Counter),
    ("JobsUnfinished", "jobs_unfinished", "", Kind::Gauge),
    ("JobsFailed", "jobs_failed", "", Kind::Gauge),
    ("JobsOldestSeconds", "jobs_oldest_seconds", "", Kind::Gauge),
    ("MediaStorageErrors", "media_storage_errors_total", "", Kind::Counter),
    ("SecretRefreshFailures", "db_secret_refreshes_total", "result=\"failed\"", Kind::Counter),
];

/// Exports under `namespace` each minute, for ever. `observe` first writes what is read rather than counted.
pub async fn report(namespace: String, handle: PrometheusHandle, observe: impl Fn(), clock: Clock) {
    let mut counters = Counters::default();
    let mut minutes = interval(INTERVAL);
    loop {
        minutes.tick().await;
        observe();
        let line = counters.line(&namespace, &handle.render(), clock.now().timestamp_millis());
        // Without an output there is no log either.
        writeln!(std::io::stdout(), "{line}").ok();
    }
}

/// What the counters were at the last line.
#[derive(Default)]
struct Counters(HashMap<&'static str, f64>);

impl Counters {
    /// The line for what `metrics`, in Prometheus's format, says at `timestamp`, in milliseconds.
    fn line(&mut self, namespace: &str, metrics: &str, timestamp: i64) -> Value {
        let mut line = Map::new();
        let names = EXPORTED.map(|(name, ..)| json!({"Name": name, "Unit": "Count"}));
        let directive = json!({"Namespace": namespace, "Dimensions": [[]], "Metrics": names});
        line.insert("_aws".into(), json!({"Timestamp": timestamp, "CloudWatchMetrics": [directive]}));
        line.insert("target".into(), module_path!().into());
        for (name, family, label, kind) in EXPORTED {
            let now = sum(metrics, family, label);
            let before = if kind == Kind::Counter { self.0.insert(name, now).unwrap_or(0.0) } else { 0.0 };
            line.insert(name.into(), (now - before).into());
        }
        line.into()
    }
}

/// The sum of the series of a family that have `label`.
fn sum(metrics: &str, family: &str, label: &str) -> f64 {
    let value = |line: &str| {
        let (series, value) = line.rsplit_once(' ')?;
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        (name == family && labels.contains(label)).then(|| value.parse::<f64>().ok()).flatten()
    };
    metrics.lines().filter_map(value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "\
        # TYPE db_pool_connections gauge\n\
        db_pool_connections{pool=\"writer\",state=\"idle\"} 3\n\
        db_pool_connections{pool=\"reader\",state=\"idle\"} 2\n\
        db_pool_connections{pool=\"writer\",state=\"in_use\"} 1\n\
        db_pool_connections_max{pool=\"writer\"} 10\n\
        http_requests_in_flight 4\n\
        cache_requests_total{result=\"hit\"} 50\n\
        cache_requests_total{result=\"miss\"} 7\n";

    #[test]
    fn a_line_is_what_cloudwatch_reads() {
        let line = Counters::default().line("blog", METRICS, 1_700_000_000_000);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(line["_aws"]["Timestamp"], 1_700_000_000_000_i64);
        assert_eq!((&directive["Namespace"], &directive["Dimensions"]), (&json!("blog"), &json!([[]])));
        let declared = directive["Metrics"].as_array().unwrap();
        assert_eq!(declared.len(), EXPORTED.len());
        for metric in declared {
            assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric} in {line}");
        }
        assert!(!line.to_string().contains('\n'));
    }

    #[test]
    fn gauges_are_summed_up_and_counters_exported_by_their_growth() {
        let mut counters = Counters::default();
        let mut exported = |metrics: &str| {
            let line = counters.line("blog", metrics, 0);
            ["PoolIdle", "PoolInUse", "RequestsInFlight", "CacheHits", "CacheMisses"]
                .map(|name| line[name].clone())
        };
        assert_eq!(exported(METRICS), [5.0, 1.0, 4.0, 50.0, 7.0].map(Value::from));
        assert_eq!(exported(METRICS), [5.0, 1.0, 4.0, 0.0, 0.0].map(Value::from));
        assert_eq!(exported(&METRICS.replace("} 50", "} 53")), [5.0, 1.0, 4.0, 3.0, 0.0].map(Value::from));
    }
}
