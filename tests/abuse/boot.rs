//! A task that starts while it cannot work yet.

use std::time::{Duration, Instant};

use crate::docker::{compose, container, docker, eventually, inspect, network, sql, try_docker};
use crate::http::Client;
use crate::stage::{Stage, ip_address};

const WAITING: &str = "blog-api-abuse-waiting";
const SILENT: &str = "blog-api-abuse-silent";

/// As on ECS: a task that waits with these settings lives, and ends when it is told to.
async fn lives_and_ends(settings: &[&str]) -> String {
    let _unless_there = try_docker(&["rm", "-f", WAITING]).await;
    let mut run = vec!["run", "-d", "--no-deps", "--name", WAITING];
    for setting in settings {
        run.extend(["-e", setting]);
    }
    run.push("api");
    compose(&run).await;
    let client = Client::new(&format!("{}:8000", ip_address(WAITING).await), "192.0.2.99");
    let alive = async || client.get("/health").await.status == 200;
    let answered = eventually("/health while it waits", Duration::from_secs(2), alive).await;
    let read = client.get("/v1/posts").await;
    assert_eq!(read.status, 503, "{read:?}");
    let stopping = Instant::now();
    docker(&["stop", "-t", "10", WAITING]).await;
    let stopped = stopping.elapsed();
    let code = inspect(WAITING, "{{.State.ExitCode}}").await;
    docker(&["rm", "-f", WAITING]).await;
    assert_eq!(code, "0", "the exit code after SIGTERM, {} ms later", stopped.as_millis());
    assert!(stopped < Duration::from_secs(3), "SIGTERM took {} ms", stopped.as_millis());
    format!("/health {} ms, end {} ms", answered.as_millis(), stopped.as_millis())
}

pub(crate) async fn while_another_migrates(_: Stage) -> String {
    let lock = "select pg_advisory_lock(hashtext('blog-api migrations')), pg_sleep(30)";
    let holder = tokio::spawn(sql(lock));
    let held =
        async || sql("select count(*) from pg_locks where locktype = 'advisory' and granted").await != "0";
    eventually("the lock is held", Duration::from_secs(10), held).await;
    let figures = lives_and_ends(&["MIGRATE_ON_START=true"]).await;
    holder.abort();
    sql("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'").await;
    figures
}

/// The database, then Secrets Manager, accepts connections and says nothing.
pub(crate) async fn while_nobody_answers(_: Stage) -> String {
    let _unless_there = try_docker(&["rm", "-f", SILENT]).await;
    let image = inspect(&container("aws"), "{{.Config.Image}}").await;
    let listen =
        "import socket, time; s = socket.socket(); s.bind(('', 5432)); s.listen(100); time.sleep(600)";
    let run = ["run", "-d", "--name", SILENT, "--network", &network(), "--entrypoint", "python3"];
    docker(&[&run[..], &[&image, "-c", listen]].concat()).await;
    let database = lives_and_ends(&[&format!("DB_HOST={SILENT}"), "DRAIN_DELAY=0s"]).await;
    let secrets = format!("AWS_ENDPOINT_URL_SECRETS_MANAGER=http://{SILENT}:5432");
    let secrets = lives_and_ends(&[&secrets]).await;
    docker(&["rm", "-f", SILENT]).await;
    format!("database: {database}; secrets: {secrets}")
}
