//! What no other tool checks.

use crate::files;

#[test]
fn every_module_says_why_it_exists() {
    for dir in ["src", "tests"] {
        for (path, text) in files(dir, "rs") {
            let is_part = path.ends_with("config/tests.rs");
            assert!(is_part || text.starts_with("//! "), "{} does not begin with //!", path.display());
        }
    }
}

#[test]
fn files_are_small() {
    for (path, text) in files("src", "rs") {
        let lines = text.lines().count();
        assert!(lines <= 400, "{} has {lines} lines: split it", path.display());
    }
}

#[test]
fn lints_are_expected_with_a_reason_and_not_allowed() {
    let allow = concat!("#[", "allow(");
    for dir in ["src", "tests"] {
        for (path, text) in files(dir, "rs") {
            assert!(!text.contains(allow), "{} allows a lint", path.display());
        }
    }
}
