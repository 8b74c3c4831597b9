//! Names of environment variables agree wherever they stand.

use std::collections::BTreeSet;

use crate::{files, read};

/// What the service reads: each is named once, in `config`.
fn read_by_the_service() -> BTreeSet<String> {
    let source: String = files("src/config", "rs")
        .into_iter()
        .filter(|(path, _)| !path.ends_with("tests.rs"))
        .map(|(_, text)| text)
        .collect();
    let quoted = source.split('"').skip(1).step_by(2);
    let is_name =
        |text: &&str| text.len() > 3 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
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

#[test]
fn the_environment_is_read_in_one_place() {
    for (path, text) in files("src", "rs") {
        let reads = text.lines().any(|line| line.contains("env::var") && !line.contains("\"PATH\""));
        assert!(!reads || path.ends_with("config/mod.rs"), "{} reads the environment", path.display());
    }
}
