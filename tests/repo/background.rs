//! What runs beside the requests runs in the supervised set.

use crate::{code, files};

/// Whoever else spawns, and who waits for what is spawned there.
const AWAITED: [(&str, &str); 8] = [
    ("src/background.rs", "the set itself"),
    ("src/server.rs", "`Starting::finish`"),
    ("src/cli/serve.rs", "`serve_on`, while it serves"),
    ("src/jobs/runner.rs", "`Runner::run`, which works on no more than it has places for"),
    ("src/workers.rs", "the request whose work it is"),
    ("src/export/routes.rs", "the body of the response that it writes"),
    (
        "src/db/connection.rs",
        "nobody: a connection that is given up is closed or rolled back, in bounded time",
    ),
    ("src/egress/tests", "nobody: receivers of a test, which end with its runtime"),
];

/// Lines that start a task, other than `BackgroundTasks::spawn`, whose first argument is a name.
fn unsupervised(text: &str) -> Vec<&str> {
    let before_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
    let spawns = |line: &&str| {
        let mut calls = ["spawn(", "spawn_blocking(", "spawn_local(", "JoinSet"].iter();
        calls.any(|call| line.contains(call)) && !line.contains("spawn(\"")
    };
    code(before_tests).map(str::trim).filter(spawns).collect()
}

#[test]
fn every_task_is_supervised_or_awaited() {
    let files = files("src", "rs");
    for (path, text) in &files {
        let is_awaited = AWAITED.iter().any(|(file, _)| path.starts_with(file));
        if !is_awaited {
            assert_eq!(unsupervised(text), Vec::<&str>::new(), "{} spawns", path.display());
        }
    }
    for (file, _) in AWAITED {
        let mut spawning = files.iter().filter(|(_, text)| !unsupervised(text).is_empty());
        assert!(spawning.any(|(path, _)| path.starts_with(file)), "{file} spawns nothing");
    }
}

#[test]
fn a_task_outside_of_the_set_is_found() {
    for planted in [
        "fn start() { tokio::spawn(forever()); }",
        "use tokio::task::spawn;\nfn start() { spawn(forever()); }",
        "fn start() { tokio::task::spawn_blocking(forever); }",
        "fn start() { std::thread::spawn(forever); }",
        "struct Tasks { own: JoinSet<()> }",
    ] {
        assert_eq!(unsupervised(planted).len(), 1, "{planted}");
    }
    assert_eq!(unsupervised("background.spawn(\"name\", forever());"), Vec::<&str>::new());
}
