//! A reader with nothing to do with an attack, and what the task takes meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, JoinSet};

use crate::docker::{container, docker};
use crate::http::Client;
use crate::stage::Stage;

/// Between two reads.
const PACE: Duration = Duration::from_millis(50);
/// Of the reads but one in a hundred.
const SLOWEST: Duration = Duration::from_millis(250);
/// Of the process, its cache of 16 MB included.
const MEMORY_OF_PROCESS: usize = 272 << 20;
/// Of the container with its sockets.
const MEMORY_OF_CONTAINER: usize = 512 << 20;

pub(crate) struct Bystander {
    stop: Arc<AtomicBool>,
    reader: JoinHandle<Vec<Seen>>,
    container: JoinHandle<usize>,
    stage: Stage,
}

/// One answer.
struct Seen {
    path: String,
    status: u16,
    took: Duration,
}

impl Bystander {
    pub(crate) fn start(stage: &Stage) -> Self {
        let stop = Arc::<AtomicBool>::default();
        // So that VmHWM is the peak of this attack.
        let _unless_permitted = std::fs::write(format!("/proc/{}/clear_refs", stage.pid), "5");
        Self {
            reader: tokio::spawn(read(stage.clone(), stop.clone())),
            container: tokio::spawn(watch(stop.clone())),
            stage: stage.clone(),
            stop,
        }
    }

    /// Figures, and everything that is wrong with them.
    pub(crate) async fn finish(self) -> (String, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let seen = self.reader.await.unwrap();
        let container = self.container.await.unwrap();
        let (process, rest) = (memory(self.stage.pid, "VmHWM:"), memory(self.stage.pid, "VmRSS:"));
        let mut wrong = Vec::new();
        let failed: Vec<_> = seen.iter().filter(|seen| seen.status != 200).collect();
        if let Some(first) = failed.first() {
            let count = (failed.len(), seen.len());
            wrong.push(format!("{} of {} reads failed: {} {}", count.0, count.1, first.path, first.status));
        }
        let mut times: Vec<_> = seen.iter().map(|seen| seen.took).collect();
        times.sort();
        // One of a hundred may be slower, and one of fewer.
        let slower = (times.len() / 100).max(1);
        let (middle, slow) = (times[times.len() / 2], times[times.len() - 1 - slower]);
        if slow > SLOWEST {
            wrong.push(format!("p99 of reads is {} ms", slow.as_millis()));
        }
        for (what, bytes, most) in
            [("process", process, MEMORY_OF_PROCESS), ("container", container, MEMORY_OF_CONTAINER)]
        {
            if bytes == 0 || bytes > most {
                wrong.push(format!("the {what} took {} MB", bytes >> 20));
            }
        }
        if crate::stage::pid().await != Some(self.stage.pid) {
            wrong.push("the task was restarted".into());
        }
        let figures = format!(
            "RSS {} MB, then {} MB, container {} MB; {} reads p50 {} ms p99 {} ms",
            process >> 20,
            rest >> 20,
            container >> 20,
            seen.len(),
            middle.as_millis(),
            slow.as_millis()
        );
        (figures, wrong)
    }
}

/// Reads at a steady pace, however long answers take, from addresses that stay below the limit of rates.
async fn read(stage: Stage, stop: Arc<AtomicBool>) -> Vec<Seen> {
    let clients: Vec<_> = (0..20).map(|n| Client::new(&stage.base, &format!("192.0.2.{n}"))).collect();
    let mut reads = JoinSet::new();
    let mut tick = tokio::time::interval(PACE);
    for number in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        tick.tick().await;
        let path = match number % 20 {
            0 => "/health".to_owned(),
            10 => "/ready".to_owned(),
            _ => format!("/v1/posts/{}", stage.posts[number % stage.posts.len()]),
        };
        let client = clients[number % clients.len()].clone();
        reads.spawn(async move {
            let start = Instant::now();
            let status = client.get(&path).await.status;
            Seen { path, status, took: start.elapsed() }
        });
    }
    reads.join_all().await
}

/// The most memory of the container, as docker sees it.
async fn watch(stop: Arc<AtomicBool>) -> usize {
    let mut most = 0;
    while !stop.load(Ordering::Relaxed) {
        let usage = docker(&["stats", "--no-stream", "--format", "{{.MemUsage}}", &container("api")]).await;
        most = most.max(bytes(usage.split(' ').next().unwrap_or_default()));
    }
    most
}

/// Of `12.3MiB`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a figure for people")]
fn bytes(text: &str) -> usize {
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number: f64 = text.trim_end_matches(unit).parse().unwrap_or_default();
    let factor = match unit {
        "GiB" => 1024.0 * 1024.0 * 1024.0,
        "MiB" => 1024.0 * 1024.0,
        "KiB" => 1024.0,
        _ => 1.0,
    };
    (number * factor) as usize
}

/// How long the process works within `span`.
pub(crate) async fn busy(pid: u32, span: Duration) -> Duration {
    // On this processor, in nanoseconds, of each thread.
    let worked = || -> u64 {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let times = threads.map(|thread| std::fs::read_to_string(thread.path().join("schedstat")));
        times.filter_map(|time| time.ok()?.split(' ').next()?.parse::<u64>().ok()).sum()
    };
    let before = worked();
    tokio::time::sleep(span).await;
    Duration::from_nanos(worked().saturating_sub(before))
}

/// What the kernel says of the memory of a process, in bytes.
fn memory(pid: u32, what: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(what));
    line.and_then(|line| line.trim().split(' ').next()?.parse::<usize>().ok()).unwrap_or_default() * 1024
}
