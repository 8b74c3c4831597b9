//! Names of environment variables agree wherever they stand.

use std::collections::BTreeSet;

use regex::Regex;

use crate::{files, read};

/// What the service reads: each is named once, in `config`.
fn read_by_the_service() -> BTreeSet<String> {
    let source: String = files("src/config", "rs")
        .into_iter()
        .filter(|(path, _)| !path.ends_with("tests.rs"))
        .map(|(_, text)| text)
        .collect();
    let quoted = source.split('"').skip(1).step_by(2);
    let is_of_name = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let is_name = |text: &&str| {
        text.len() > 3 && text.starts_with(|c: char| c.is_ascii_uppercase()) && text.bytes().all(is_of_name)
    };
    quoted.filter(is_name).map(str::to_owned).collect()
}

/// The first column of the table in `docs/configuration.md`.
fn documented() -> BTreeSet<String> {
    let page = read("docs/configuration.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.map(str::to_owned).collect()
}

#[test]
fn every_variable_is_documented_and_nothing_else() {
    assert_eq!(read_by_the_service(), documented());
    assert!(documented().len() > 10);
}

/// Who sets a variable sets one that the service reads. What begins with `AWS_` is read by the AWS SDK, and
/// `POSTGRES_` by PostgreSQL's image.
#[test]
fn who_configures_the_service_names_what_it_reads() {
    let read_by_the_service = read_by_the_service();
    let infra: String = files("infra", "tf").into_iter().map(|(_, text)| text).collect();
    let places = [
        ("task-definition.json", read("task-definition.json"), r#""name": "([A-Z_]{2,})""#, 4),
        ("docker-compose.yml", read("docker-compose.yml"), r"(?m)^ {4,6}([A-Z_]{2,}): ", 8),
        ("infra", infra, r"(?m)\b(DB_[A-Z_]+|ENVIRONMENT|[A-Z]+_PROXY_HOPS)\b +=", 4),
    ];
    for (place, text, pattern, at_least) in places {
        let pattern = Regex::new(pattern).unwrap();
        let names: BTreeSet<_> = pattern.captures_iter(&text).map(|found| found[1].to_owned()).collect();
        assert!(names.len() >= at_least, "{place}: {names:?}");
        let elsewhere = ["AWS_", "POSTGRES_"];
        let unknown: Vec<_> = names
            .iter()
            .filter(|name| !elsewhere.iter().any(|prefix| name.starts_with(prefix)))
            .filter(|name| !read_by_the_service.contains(*name))
            .collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{place}");
    }
}

/// Every series that is recorded is described to Prometheus and to operators, and nothing else is.
#[test]
fn every_metric_is_documented_and_nothing_else() {
    let source: String = files("src", "rs").into_iter().map(|(_, text)| text).collect();
    let named = |pattern: &str| -> BTreeSet<String> {
        let pattern = Regex::new(pattern).unwrap();
        pattern.captures_iter(&source).map(|found| found[1].to_owned()).collect()
    };
    let recorded = named(r#"[^_](?:counter|gauge|histogram)!\(\s*"([a-z_]+)""#);
    assert!(recorded.len() > 10, "{recorded:?}");
    assert_eq!(recorded, named(r#"describe_(?:counter|gauge|histogram)!\(\s*"([a-z_]+)""#));
    let page = read("docs/operations.md");
    let (_, section) = page.split_once("## Metrics").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(recorded, rows.map(str::to_owned).collect());
}

/// The target group, in Terraform and by hand, and what stands for it in the compose stack judge a task alike.
#[test]
fn the_load_balancers_judge_alike() {
    let edge = read("infra/modules/service/edge.tf");
    let value = |name: &str| {
        let line = Regex::new(&format!(r#"(?m)^ +{name} += "?([^"\n]+)"?$"#)).unwrap();
        line.captures(&edge).unwrap_or_else(|| panic!("no {name}"))[1].to_owned()
    };
    let [path, status, timeout, rise, fall] =
        ["path", "matcher", "timeout", "healthy_threshold", "unhealthy_threshold"].map(value);
    let (delay, idle) = (value("deregistration_delay"), value("idle_timeout"));
    let compose = read("compose/haproxy.cfg");
    for line in [
        format!("uri {path} "),
        format!("expect status {status}\n"),
        format!("timeout check {timeout}s\n"),
        format!(" rise {rise} fall {fall} "),
        format!("timeout client {idle}s\n"),
        format!("timeout server {idle}s\n"),
    ] {
        assert!(compose.contains(&line), "haproxy.cfg has no {line:?}");
    }
    let by_hand = read("docs/deploy.md");
    for option in [
        format!("--health-check-path {path} "),
        format!("--health-check-interval-seconds {} ", value("interval")),
        format!("--health-check-timeout-seconds {timeout} "),
        format!("--healthy-threshold-count {rise} "),
        format!("--unhealthy-threshold-count {fall} "),
        format!("Key=deregistration_delay.timeout_seconds,Value={delay}"),
    ] {
        assert!(by_hand.contains(&option), "deploy.md has no {option:?}");
    }
}

#[test]
fn the_environment_is_read_in_one_place() {
    for (path, text) in files("src", "rs") {
        let reads = text.contains("env::var");
        assert!(!reads || path.ends_with("config/mod.rs"), "{} reads the environment", path.display());
    }
}
