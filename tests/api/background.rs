//! The background tasks: without one of them the service stops, in order.

use std::sync::Arc;
use std::time::Duration;

use axum::routing::get;
use blog_api::app::{self, Stopped};
use blog_api::clock::Clock;
use blog_api::config::Config;
use blog_api::db::connect_source::ConnectSource;
use blog_api::server::{self, HEADER_READ_TIMEOUT, PROGRESS_WINDOW, ServerPolicy, ShutdownSignal};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::TestDatabase;

const TASKS: [&str; 4] = ["metrics to CloudWatch", "metrics", "jobs", "cache invalidation"];

#[tokio::test]
async fn without_one_of_its_background_tasks_the_service_finishes_its_requests_and_stops() {
    let database = TestDatabase::create().await;
    let source = Arc::new(ConnectSource::fixed(database.options.clone()));
    let config = Config::from_variables(|name| match name {
        "METRICS_NAMESPACE" => Some("blog".into()),
        "METRICS_PORT" => Some("0".into()),
        _ => None,
    })
    .unwrap();
    for victim in TASKS {
        let recorder = PrometheusBuilder::new().build_recorder().handle();
        let mut service = app::build(&config, &source, Clock::system(), Some(recorder)).unwrap();
        let handles = service.background.handles().to_vec();
        assert_eq!(handles.iter().map(|(name, _)| *name).collect::<Vec<_>>(), TASKS);
        let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let slow = {
            let (begun, finish) = (begun.clone(), finish.clone());
            async move || {
                begun.notify_one();
                finish.notified().await;
            }
        };
        service.routes = service.routes.route("/slow", get(slow));
        let listener = server::listen(0).unwrap();
        let port = listener.local_addr().unwrap().port();
        let policy = ServerPolicy {
            max_connections: 10,
            max_connections_per_address: None,
            progress_window: PROGRESS_WINDOW,
            header_read_timeout: HEADER_READ_TIMEOUT,
            drain_delay: Duration::ZERO,
            shutdown_timeout: Duration::from_mins(1),
        };
        let (_stop, shutdown) = ShutdownSignal::channel();
        let serving = tokio::spawn(service.serve(listener, policy, shutdown));
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        begun.notified().await;

        handles.iter().find(|(name, _)| *name == victim).unwrap().1.abort();
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            tokio::task::yield_now().await;
        }
        finish.notify_one();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
        assert_eq!(serving.await.unwrap().unwrap(), Stopped::TaskEnded(victim));
        assert!(handles.iter().all(|(_, handle)| handle.is_finished()), "{victim}");
    }
}
