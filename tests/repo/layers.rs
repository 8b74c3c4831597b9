//! `main`, `cli` → `app`, `router`, `state`, `server`, `openapi`, `maintenance`, `work` → features → kit: what
//! is above uses what is below, and nothing uses, by whatever way round, what uses it.

use std::collections::BTreeSet;
use std::path::Path;

use crate::graph::Graph;
use crate::{code, files};

const PROGRAM: [&str; 3] = ["main", "cli", "lib"];
const TOP: [&str; 9] =
    ["app", "background", "export", "router", "state", "server", "openapi", "maintenance", "work"];
const FEATURES: [&str; 12] = [
    "audit",
    "jobs",
    "notifications",
    "media",
    "users",
    "posts",
    "comments",
    "moderation",
    "site",
    "feeds",
    "webhooks",
    "tokens",
];
const KIT: [&str; 18] = [
    "http",
    "identity",
    "auth",
    "cache",
    "causes",
    "db",
    "egress",
    "config",
    "error",
    "telemetry",
    "clock",
    "lifecycle",
    "mail",
    "markdown",
    "language",
    "workers",
    "text",
    "text_enum",
];

/// What every feature consists of.
const ROOMS: [&str; 3] = ["model", "routes", "store"];
/// What a feature does by itself, if it does, and what works on that; and how media get from a request to where they are.
const BESIDE: [&str; 6] = ["jobs", "runner", "choose", "picture", "storage", "upload"];

/// The module of `src` that a file belongs to, and the room in it.
fn module(path: &Path) -> (String, String) {
    let mut parts =
        path.strip_prefix("src").unwrap().components().map(|part| part.as_os_str().to_string_lossy());
    let module = parts.next().unwrap().trim_end_matches(".rs").to_owned();
    let inner: Vec<_> = parts.map(|part| part.trim_end_matches(".rs").to_owned()).collect();
    // A room that has outgrown its file is a folder.
    let room = inner.iter().find(|part| ROOMS.contains(&part.as_str())).or(inner.last());
    (module, room.cloned().unwrap_or_default())
}

fn breaches(of: impl Fn(&str, &str) -> Vec<String>) -> Vec<String> {
    let mut breaches = Vec::new();
    for (path, text) in files("src", "rs") {
        let (module, room) = module(&path);
        for forbidden in of(&module, &room) {
            if code(&text).any(|line| line.contains(&forbidden)) {
                breaches.push(format!("{} has {forbidden}", path.display()));
            }
        }
    }
    breaches
}

/// The floor of a module; the kit is the lowest.
fn floor(module: &str) -> Option<usize> {
    let floors: [&[&str]; 4] = [&KIT, &FEATURES, &TOP, &PROGRAM];
    floors.iter().position(|floor| floor.contains(&module))
}

/// What uses something of a higher floor.
fn upward(graph: &Graph) -> Vec<(&str, &str)> {
    graph.edges().filter(|(from, to)| floor(from) < floor(to)).collect()
}

#[test]
fn every_module_has_a_floor() {
    for (path, _) in files("src", "rs") {
        assert!(floor(&module(&path).0).is_some(), "{} is on no floor", path.display());
    }
}

#[test]
fn nothing_uses_what_uses_it() {
    let graph = Graph::of_files(&files("src", "rs"));
    assert_eq!(graph.cycle(), None);
    assert_eq!(graph.of_modules().cycle(), None);
}

#[test]
fn nothing_uses_what_is_above_it() {
    assert_eq!(upward(&Graph::of_files(&files("src", "rs")).of_modules()), []);
    let planted = [("src/clock.rs", "use crate::users::model::Account;"), ("src/users/model/mod.rs", "")];
    let planted = planted.map(|(path, text)| (path.into(), text.into()));
    assert_eq!(upward(&Graph::of_files(&planted).of_modules()), [("clock", "users")]);
}

#[test]
fn features_use_no_other_features_routes() {
    let graph = Graph::of_files(&files("src", "rs"));
    let of_others = |(from, to): &(&str, &str)| {
        let (feature, mut path) = (from.split("::").next().unwrap(), to.split("::"));
        FEATURES.contains(&feature) && path.next() != Some(feature) && path.next() == Some("routes")
    };
    assert_eq!(graph.edges().filter(of_others).collect::<Vec<_>>(), []);
}

/// So that all others are the same in every build.
#[test]
fn the_development_database_is_known_to_one_module() {
    for (path, text) in files("src", "rs") {
        let uses = text.contains("blog_api_dev_database");
        assert!(!uses || path.starts_with("src/cli/development"), "{} uses it", path.display());
        let has_variants = text.contains("feature = ");
        assert!(!has_variants || path.ends_with("cli/mod.rs"), "{} depends on a feature", path.display());
    }
}

#[test]
fn sql_is_in_stores_and_in_db_alone() {
    let found = breaches(|module, room| {
        if module == "db" || room == "store" {
            Vec::new()
        } else {
            vec!["sqlx::query".into(), "query_as!".into()]
        }
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn sql_is_checked_at_compile_time() {
    let found = breaches(|module, room| {
        // An operator's own statement.
        if (module, room) == ("cli", "query") {
            return Vec::new();
        }
        ["sqlx::query(", "query_as(", "query_scalar(", "raw_sql(", "AssertSqlSafe"].map(String::from).to_vec()
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn models_are_pure_and_stores_take_a_connection() {
    let found = breaches(|_, room| match room {
        "model" => ["axum::", "sqlx::query", "PgConnection", "crate::db::"].map(String::from).to_vec(),
        "store" => ["axum::", "PgPool", "crate::db::Db"].map(String::from).to_vec(),
        _ => Vec::new(),
    });
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn the_features_have_the_same_rooms() {
    for feature in FEATURES {
        let entries = std::fs::read_dir(format!("src/{feature}")).unwrap();
        let names =
            entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned());
        let rooms: BTreeSet<String> = names.filter(|name| !BESIDE.contains(&name.as_str())).collect();
        let expected = ROOMS.into_iter().chain(["mod"]).map(str::to_owned).collect();
        assert_eq!(rooms, expected, "{feature}");
    }
}
