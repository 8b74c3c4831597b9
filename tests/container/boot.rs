//! From nothing but a secret's name to serving, or to an error that says what to mend.

use std::process::Output;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use chrono::{DateTime, FixedOffset};
use serde_json::{Value, json};

use crate::aws::{current, secrets_manager};
use crate::docker::{
    IMAGE, TASKS, address, compose, container, docker, eventually, inspect, logs, network, run_task, sql,
    stderr,
};
use crate::http::Client;
use crate::{Stack, ms};

pub(crate) async fn takes_its_credentials_from_secrets_manager(_: Stack) -> String {
    let credentials = current().await;
    let password = credentials["password"].as_str().unwrap();
    let role = credentials["username"].as_str().unwrap();
    for task in TASKS {
        let ready = Client::new(&address(task, 8000).await).get("/ready").await.unwrap();
        assert_eq!(ready.status, StatusCode::OK, "{ready:?}");
        let environment = inspect(&container(task), "{{json .Config.Env}}").await;
        assert!(!environment.contains("DATABASE_URL") && !environment.contains(password), "{environment}");
    }
    for service in [&TASKS[..], &["migrate"]].concat() {
        let logs = logs(&container(service)).await;
        assert!(!logs.contains(password), "{service} logs the password");
        if TASKS.contains(&service) {
            let lines: Vec<_> = logs.lines().filter(|line| !line.is_empty()).collect();
            assert!(!lines.is_empty());
            for line in lines {
                assert!(
                    serde_json::from_str::<Value>(line).is_ok_and(|line| line.is_object()),
                    "not JSON: {line}"
                );
            }
        }
    }
    let connections = format!(
        "select count(*) filter (where ssl), count(*) filter (where not ssl) \
         from pg_stat_activity join pg_stat_ssl using (pid) where usename = '{role}'"
    );
    let connections = sql(&connections).await;
    let (encrypted, plain) = connections.split_once('|').unwrap();
    assert_ne!(encrypted, "0", "no connection of {role}");
    assert_eq!(plain, "0", "connections without TLS");
    let may = format!(
        "select rolsuper or rolcreaterole or has_schema_privilege(rolname, 'public', 'create') \
         from pg_roles where rolname = '{role}'"
    );
    assert_eq!(sql(&may).await, "f", "{role} may do more than read and write rows");
    format!("role {role}, {encrypted} connections, all with TLS; logs are JSON without the password")
}

pub(crate) async fn says_what_is_wrong(_: Stack) -> String {
    let mut credentials = current().await;
    credentials["password"] = "not this one".into();
    let wrong = json!({"Name": "wrong-password", "SecretString": credentials.to_string()});
    secrets_manager("CreateSecret", wrong).await;

    let another_name = format!("DB_HOST={}", container("postgres"));
    let no_keys = ["AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY="];
    // What is changed, the exit code, and what the message must say.
    let cases: [(&[&str], i32, &[&str]); 10] = [
        (
            &["DB_SECRET_ID=no-such-secret"],
            78,
            &["DB_SECRET_ID", "no-such-secret", "ResourceNotFoundException"],
        ),
        (&no_keys, 78, &["DB_SECRET_ID", "taskRoleArn"]),
        (&["DB_SECRET_ID=wrong-password"], 78, &["password authentication failed"]),
        (&["AWS_ENDPOINT_URL_SECRETS_MANAGER=http://aws:5001"], 69, &["DB_SECRET_ID", "cannot be reached"]),
        (&["DB_SECRET_ID="], 78, &["DB_SECRET_ID", "DATABASE_URL"]),
        (&["DB_SSL_MODE=prefer"], 78, &["DB_SSL_MODE", "verify-full"]),
        (&["DB_SSL_ROOT_CERT=/roots/missing.pem"], 78, &["DB_SSL_ROOT_CERT"]),
        // The roots of Amazon RDS, of which none has signed this certificate.
        (&["DB_SSL_ROOT_CERT="], 78, &["UnknownIssuer", "DB_SSL_ROOT_CERT"]),
        (&[&another_name], 78, &["certificate not valid for name", "the host"]),
        (&["PORT=eight"], 78, &["PORT"]),
    ];
    let mut slowest = Duration::ZERO;
    for (changes, code, words) in cases {
        let start = Instant::now();
        let output = run_task(changes).await;
        slowest = slowest.max(start.elapsed());
        fails_with(&output, code, words, changes);
    }
    format!("{} mistakes, each with its code and cause; slowest {}", cases.len(), ms(slowest))
}

fn fails_with(output: &Output, code: i32, words: &[&str], changes: &[&str]) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(code), "{changes:?}: {said}");
    let line = said.lines().find(|line| line.starts_with("blog-api: "));
    let line = line.unwrap_or_else(|| panic!("{changes:?}: no line begins with blog-api: {said}"));
    for word in words {
        assert!(line.contains(word), "{changes:?}: {line:?} does not say {word:?}");
    }
    assert!(!said.contains("not this one"), "a password in {said}");
}

/// How often the time to boot is taken.
const BOOTS: usize = 5;

pub(crate) async fn is_quick(_: Stack) -> String {
    let mut answered = Vec::new();
    let mut process = Vec::new();
    for _ in 0..BOOTS {
        let (until_answer, of_the_process) = boot().await;
        answered.push(until_answer);
        process.push(of_the_process);
    }
    answered.sort();
    process.sort();
    let (answered, process) = (ms(answered[BOOTS / 2]), ms(process[BOOTS / 2]));
    format!(
        "`docker run` to /health 200 {answered}, of which the process itself {process} (median of {BOOTS})"
    )
}

/// From `docker run` to the first 200, and from the start of the process to its line that it serves.
async fn boot() -> (Duration, Duration) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let publish = format!("127.0.0.1:{port}:8000");
    let (network, roots) = (network(), format!("{}_roots:/roots:ro", network().trim_end_matches("_default")));
    let environment = compose(&["config", "--format", "json", "api"]).await;
    let environment: Value = serde_json::from_str(&environment).unwrap();
    let environment = environment["services"]["api"]["environment"].as_object().unwrap();
    let variables: Vec<_> =
        environment.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect();
    let mut args = vec!["run", "-d", "--read-only", "--network", &network, "-v", &roots, "-p", &publish];
    for variable in &variables {
        args.extend(["-e", variable]);
    }
    args.push(IMAGE);

    let start = Instant::now();
    let run = docker(&args);
    let health = async {
        let client = Client::new(&format!("127.0.0.1:{port}"));
        while !client.get("/health").await.is_ok_and(|answer| answer.status == StatusCode::OK) {
            assert!(start.elapsed() < Duration::from_secs(20), "no /health within 20 s");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        start.elapsed()
    };
    let (id, until_answer) = tokio::join!(run, health);
    let serving = async || docker(&["logs", "-t", &id]).await.contains("serving on");
    eventually("the log says that it serves", Duration::from_secs(5), serving).await;
    let logs = docker(&["logs", "-t", &id]).await;
    let serving = logs.lines().find(|line| line.contains("serving on")).unwrap();
    let time = |text: &str| -> DateTime<FixedOffset> { text.parse().unwrap() };
    let started = time(&inspect(&id, "{{.State.StartedAt}}").await);
    let of_the_process = time(serving.split(' ').next().unwrap()) - started;
    docker(&["rm", "-f", &id]).await;
    (until_answer, of_the_process.to_std().unwrap_or_default())
}
