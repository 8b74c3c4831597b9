//! `cargo run` with nothing configured: the private PostgreSQL, through crashes and second copies.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use nix::sys::signal::Signal;

use crate::support::{Dir, Process};

/// Starts the service in a directory with nothing configured but a free port.
fn start(dir: &Path, arguments: &[&str]) -> Process {
    Process::start(&mut command(dir, arguments))
}

fn titles_of(service: &Process) -> Vec<String> {
    let (status, body) = service.get("/v1/posts");
    assert_eq!(status, 200, "{body}");
    let page: serde_json::Value = serde_json::from_str(&body).unwrap();
    page["items"].as_array().unwrap().iter().map(|post| post["title"].as_str().unwrap().to_owned()).collect()
}

fn command(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blog-api"));
    command.args(arguments).current_dir(dir).env_clear().env("PORT", "0").env("METRICS_PORT", "0");
    command.env("PATH", std::env::var_os("PATH").unwrap()).stderr(Stdio::piped());
    command
}

#[test]
fn the_data_survives_kills_and_restarts() {
    let dir = Dir::new();
    let first = start(&dir.0, &["--demo"]);
    let titles = titles_of(&first);
    assert_eq!(titles.len(), 3, "{titles:?}");
    // The authors are told of what is there.
    while !first.get("/outbox").1.contains("hat Ihren Beitrag") {}
    assert_eq!(first.stop(Signal::SIGKILL), None);

    let second = start(&dir.0, &["serve", "--demo"]);
    assert_eq!(titles_of(&second), titles);
    assert_eq!(second.stop(Signal::SIGTERM), Some(0));
    assert!(!dir.0.join(".blog-api/data/postmaster.pid").exists(), "PostgreSQL still runs");

    let third = start(&dir.0, &[]);
    assert_eq!(titles_of(&third), titles);
    while !third.metrics().contains(&("cache_shared".into(), "1".into())) {}
    let (code, log) = third.stop_and_read(Signal::SIGINT);
    assert_eq!((code, log.contains("stopping")), (Some(0), true), "{log}");
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
}

#[test]
fn a_second_copy_says_who_the_first_is_and_other_commands_join_it() {
    let dir = Dir::new();
    let first = start(&dir.0, &[]);
    let second = command(&dir.0, &[]).output().unwrap();
    let message = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(69), "{message}");
    assert!(message.contains(&format!("in use by another blog-api (process {})", first.id())), "{message}");

    let mut create =
        command(&dir.0, &["users", "create", "--username", "root", "--email", "root@example.com"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
    std::io::Write::write_all(&mut create.stdin.take().unwrap(), b"a password for tests\n").unwrap();
    assert!(create.wait().unwrap().success());
    assert_eq!(first.stop(Signal::SIGTERM), Some(0));
}

/// The URL that is printed is one that `psql` takes.
#[test]
fn the_printed_url_works() {
    let dir = Dir::new();
    let mut service = start(&dir.0, &["--demo"]);
    let mut line = String::new();
    BufReader::new(service.stderr()).read_line(&mut line).unwrap();
    let url = line.split('\'').nth(1).unwrap_or_else(|| panic!("{line}"));
    let psql = Command::new("psql").args([url, "-Atc", "select count(*) from posts"]).output();
    if let Ok(output) = psql {
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "3\n",
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    assert_eq!(service.stop(Signal::SIGTERM), Some(0));
}

/// Root's home is closed to the user that PostgreSQL runs as; everyone else's is their own.
#[test]
fn a_folder_that_is_closed_to_others_will_do() {
    let dir = Dir::new();
    std::fs::set_permissions(&dir.0, std::fs::Permissions::from_mode(0o700)).unwrap();
    let inner = dir.0.join("inner");
    std::fs::create_dir(&inner).unwrap();
    let service = start(&inner, &["--demo"]);
    assert_eq!(titles_of(&service).len(), 3);
    assert_eq!(service.stop(Signal::SIGTERM), Some(0));
    let elsewhere = inner.join(".blog-api").to_string_lossy().trim_start_matches('/').replace('/', "-");
    std::fs::remove_dir_all(Path::new("/var/lib/blog-api-dev").join(elsewhere)).ok();
}
