//! Steady traffic through the load balancer: reads and writes, on connections that are kept.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::http::Client;

/// How many requests are in flight at most.
pub(crate) const WORKERS: usize = 8;
/// Between a worker's requests: it is steadiness that is wanted here, not speed.
const PAUSE: Duration = Duration::from_millis(5);

pub(crate) struct Load {
    author: Client,
    comments: String,
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<Worked>>,
}

/// What one worker did.
#[derive(Default)]
struct Worked {
    sent: usize,
    failures: Vec<Failure>,
    acknowledged: Vec<String>,
    slowest: Duration,
}

#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) at: Instant,
    pub(crate) what: String,
}

/// What all of them did.
pub(crate) struct Report {
    pub(crate) sent: usize,
    pub(crate) failures: Vec<Failure>,
    writes: usize,
    slowest: Duration,
}

impl Load {
    /// Starts on a new post of `author`'s, and returns once the traffic flows.
    pub(crate) async fn start(author: &Client) -> Self {
        let load = Self::of(WORKERS, author).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        load
    }

    /// So many workers, on a new post of `author`'s.
    pub(crate) async fn of(workers: usize, author: &Client) -> Self {
        let post = json!({"title": "Under load", "body": "Comments, please.", "status": "published"});
        let post = author.post("/v1/posts", &post).await.unwrap();
        assert_eq!(post.status, StatusCode::CREATED, "{post:?}");
        let comments = format!("/v1/posts/{}/comments", post.json["slug"].as_str().unwrap());
        let stop = Arc::<AtomicBool>::default();
        let workers = (0..workers)
            .map(|_| tokio::spawn(work(author.another(), comments.clone(), stop.clone())))
            .collect();
        Self { author: author.another(), comments, workers, stop }
    }

    /// Stops, and looks for every acknowledged write: one that is missing fails the scenario.
    pub(crate) async fn finish(self) -> Report {
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Worked::default();
        for worker in self.workers {
            let worked = worker.await.unwrap();
            all.sent += worked.sent;
            all.failures.extend(worked.failures);
            all.acknowledged.extend(worked.acknowledged);
            all.slowest = all.slowest.max(worked.slowest);
        }
        let stored = stored(&self.author, &self.comments).await;
        let lost: Vec<_> = all.acknowledged.iter().filter(|id| !stored.contains(*id)).collect();
        assert!(lost.is_empty(), "{} acknowledged comments are not there: {lost:?}", lost.len());
        assert!(all.acknowledged.len() > 50, "only {} writes: the load is none", all.acknowledged.len());
        Report {
            sent: all.sent,
            failures: all.failures,
            writes: all.acknowledged.len(),
            slowest: all.slowest,
        }
    }
}

impl Report {
    /// Fails the scenario if a request failed.
    pub(crate) fn lost_nothing(&self) {
        let shown: Vec<_> = self.failures.iter().take(5).map(|failure| &failure.what).collect();
        assert!(self.failures.is_empty(), "{} of {} requests failed: {shown:#?}", shown.len(), self.sent);
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sent, failures, writes, slowest } = self;
        let failed = failures.len();
        write!(
            f,
            "requests sent {sent}, failed {failed}; {writes} writes, all stored; slowest {} ms",
            slowest.as_millis()
        )
    }
}

async fn work(client: Client, comments: String, stop: Arc<AtomicBool>) -> Worked {
    let mut worked = Worked::default();
    while !stop.load(Ordering::Relaxed) {
        let is_write = worked.sent % 3 == 0;
        let start = Instant::now();
        let answer = if is_write {
            client.post(&comments, &json!({"body": "Still there."})).await
        } else {
            client.get("/v1/posts?limit=5").await
        };
        worked.sent += 1;
        worked.slowest = worked.slowest.max(start.elapsed());
        match answer {
            Ok(answer) if is_write && answer.status == StatusCode::CREATED => {
                worked.acknowledged.push(answer.json["id"].as_str().unwrap().to_owned());
            }
            Ok(answer) if !is_write && answer.status == StatusCode::OK => {}
            Ok(answer) => worked.fail(format!("{} {}", answer.status, answer.json)),
            Err(error) => worked.fail(error),
        }
        tokio::time::sleep(PAUSE).await;
    }
    worked
}

impl Worked {
    fn fail(&mut self, what: String) {
        self.failures.push(Failure { at: Instant::now(), what });
    }
}

/// The ids of all comments of the list, page by page.
async fn stored(author: &Client, comments: &str) -> HashSet<String> {
    let mut ids = HashSet::new();
    let mut cursor = String::new();
    loop {
        let page = author.get(&format!("{comments}?limit=100{cursor}")).await.unwrap();
        let items = page.json["items"].as_array().unwrap_or_else(|| panic!("no page: {page:?}"));
        ids.extend(items.iter().map(|comment| comment["id"].as_str().unwrap().to_owned()));
        let Value::String(next) = &page.json["next_cursor"] else { return ids };
        cursor = format!("&cursor={next}");
    }
}
