//! The background tasks, each watched: the service is not to go on without one of them, unnoticed.

use std::future::pending;

use metrics::{Gauge, gauge};
use tokio::task::{AbortHandle, JoinSet};

/// Tasks that run for as long as the service does. Dropped, it ends them.
#[derive(Debug, Default)]
pub struct BackgroundTasks {
    tasks: JoinSet<()>,
    handles: Vec<(&'static str, AbortHandle)>,
}

impl BackgroundTasks {
    /// Starts a task that is not to end by itself.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.handles.push((name, self.tasks.spawn(task)));
        running(name).set(1);
    }

    #[must_use]
    pub fn handles(&self) -> &[(&'static str, AbortHandle)] {
        &self.handles
    }

    /// Waits until one has ended or panicked, logs that, and returns its name.
    pub async fn ended(&mut self) -> &'static str {
        let Some(result) = self.tasks.join_next_with_id().await else {
            return pending().await;
        };
        let (id, cause) = match result {
            Ok((id, ())) => (id, "it returned".to_owned()),
            Err(error) => (error.id(), error.to_string()),
        };
        let name =
            self.handles.iter().find(|(_, handle)| handle.id() == id).map_or("unknown", |(name, _)| *name);
        running(name).set(0);
        tracing::error!(task = name, cause, "a background task has ended");
        name
    }

    /// Aborts all of them and waits until they have ended.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
    }
}

fn running(name: &'static str) -> Gauge {
    gauge!("background_tasks_running", "task" => name)
}

#[cfg(test)]
mod tests {
    use metrics_exporter_prometheus::PrometheusBuilder;

    use super::*;

    #[test]
    fn a_task_that_ends_or_panics_is_named_and_shows_in_a_metric() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        metrics::with_local_recorder(&recorder, || {
            runtime.block_on(async {
                let mut tasks = BackgroundTasks::default();
                tasks.spawn("lasting", pending());
                tasks.spawn("panicking", async { assert_eq!("this", "that") });
                assert_eq!(tasks.ended().await, "panicking");
                tasks.spawn("returning", async {});
                assert_eq!(tasks.ended().await, "returning");
                tasks.stop().await;
            });
        });
        let rendered = recorder.handle().render();
        for (task, value) in [("lasting", 1), ("panicking", 0), ("returning", 0)] {
            let line = format!("background_tasks_running{{task=\"{task}\"}} {value}\n");
            assert!(rendered.contains(&line), "{line} in {rendered}");
        }
    }
}
