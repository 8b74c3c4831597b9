//! What is in the image, and what its process may do.

use serde_json::Value;

use crate::Stack;
use crate::docker::{IMAGE, TASKS, container, docker, inspect, network, stderr, try_docker};

/// Of the unpacked image, in bytes.
const MAX_SIZE: u64 = 30_000_000;

/// What an intruder would like to find, and what is of the source.
const FOREIGN: [&str; 9] =
    ["sh", "bash", "dash", "busybox", "curl", "apt-get", ".git", "Cargo.toml", "task-definition.json"];

pub(crate) async fn holds_the_binary_and_nothing_else(_: Stack) -> String {
    let image: Value = serde_json::from_str(&inspect(IMAGE, "{{json .}}").await).unwrap();
    let config = &image["Config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["StopSignal"], "SIGTERM");
    assert_eq!(config["Entrypoint"].to_string(), r#"["/app/blog-api"]"#);
    let task: Value =
        serde_json::from_str(&std::fs::read_to_string("task-definition.json").unwrap()).unwrap();
    let (check, expected) = (&config["Healthcheck"], &task["containerDefinitions"][0]["healthCheck"]);
    let seconds = |key: &str| check[key].as_u64().unwrap() / 1_000_000_000;
    assert_eq!(check["Test"], expected["command"]);
    assert_eq!(seconds("Interval"), expected["interval"]);
    assert_eq!(seconds("Timeout"), expected["timeout"]);
    assert_eq!(seconds("StartPeriod"), expected["startPeriod"]);
    assert_eq!(check["Retries"], expected["retries"]);
    for label in ["version", "revision"] {
        let value =
            config["Labels"][format!("org.opencontainers.image.{label}")].as_str().unwrap_or_default();
        assert!(!value.is_empty(), "the label {label} is empty: build with `make image`");
    }

    let shell = try_docker(&["run", "--rm", "--entrypoint", "/bin/sh", IMAGE, "-c", "true"]).await;
    assert!(!shell.status.success(), "there is a shell");
    let files = unpacked("-t").await;
    let ours: Vec<_> =
        files.lines().filter(|path| path.starts_with("app/") && !path.ends_with('/')).collect();
    assert_eq!(ours, ["app/blog-api"]);
    for path in files.lines() {
        let name = path.rsplit('/').next().unwrap();
        assert!(!FOREIGN.contains(&name), "{path} is in the image");
        // So the binary that runs here needs none.
        assert!(!name.contains(".so"), "{path}: a shared library is in the image");
    }
    let switch = unpacked("-xO etc/nsswitch.conf").await;
    assert_eq!(switch, std::fs::read_to_string("nsswitch.conf").unwrap());

    let size = image["Size"].as_u64().unwrap();
    let megabytes = format!("{}.{} MB", size / 1_000_000, size / 100_000 % 10);
    assert!(size < MAX_SIZE, "the image has {megabytes}, more than 30");
    format!("image size {megabytes}, health check as in the task definition, no shell, no library")
}

/// What `tar` with these arguments says of the image. Its paths have no leading slash.
async fn unpacked(arguments: &str) -> String {
    let id = docker(&["create", IMAGE]).await;
    let export = format!("docker export {id} | tar {arguments}");
    let output = std::process::Command::new("sh").args(["-c", &export]).output();
    docker(&["rm", &id]).await;
    String::from_utf8(output.unwrap().stdout).unwrap()
}

/// By `/etc/hosts` and by DNS, with the resolver of a static C library, which crashes on other sources.
pub(crate) async fn resolves_names(_: Stack) -> String {
    let network = network();
    let cases = [
        // There is no server at the address that the hosts file has for it.
        ("listed.test", "Connection refused"),
        // The server's name on the network, and its answer to a stranger.
        ("postgres", "nobody"),
        ("unknown.test", "failed to lookup address information: Name or service not known"),
    ];
    for (host, answer) in cases {
        let url = format!("DATABASE_URL=postgres://nobody@{host}/none");
        let listed = ["--add-host", "listed.test:127.0.0.1"];
        let run = ["run", "--rm", "--network", &network, "-e", &url];
        let output = try_docker(&[&run[..], &listed, &[IMAGE, "migrate"]].concat()).await;
        let said = stderr(&output);
        assert!(
            said.starts_with("blog-api: ") && said.contains(answer),
            "{host}: {:?} {said}",
            output.status
        );
    }
    "files and DNS".into()
}

pub(crate) async fn runs_without_privileges(_: Stack) -> String {
    for task in TASKS {
        let task = container(task);
        let users = docker(&["top", &task, "-eo", "pid,uid,args"]).await;
        let processes: Vec<_> = users.lines().filter(|line| line.contains("/app/blog-api")).collect();
        assert!(!processes.is_empty(), "{users}");
        for process in processes {
            assert_eq!(process.split_whitespace().nth(1), Some("65532"), "{users}");
        }
        assert_eq!(
            inspect(&task, "{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}}").await,
            "true [ALL]"
        );
    }
    "user 65532, read-only root, no capabilities".into()
}
