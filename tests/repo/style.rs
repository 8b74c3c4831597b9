//! What no other tool checks.

use std::path::PathBuf;

use crate::files;

const CODE: [&str; 3] = ["crates", "src", "tests"];

#[test]
fn every_module_says_why_it_exists() {
    for dir in CODE {
        for (path, text) in files(dir, "rs") {
            let is_part = path.ends_with("config/tests.rs");
            assert!(is_part || text.starts_with("//! "), "{} does not begin with //!", path.display());
        }
    }
}

/// What is longer has more than one subject.
const MAX_LINES: usize = 300;

fn too_long(files: &[(PathBuf, String)]) -> Vec<String> {
    let lines = files.iter().map(|(path, text)| (path, text.lines().count()));
    let long = lines.filter(|(_, lines)| *lines > MAX_LINES);
    long.map(|(path, lines)| format!("{} has {lines} lines: split it", path.display())).collect()
}

#[test]
fn files_are_small() {
    let files = ["crates", "src"].map(|dir| files(dir, "rs")).concat();
    assert_eq!(too_long(&files), Vec::<String>::new());
    let of_lines = |lines| (PathBuf::from("planted.rs"), "// A line.\n".repeat(lines));
    assert_eq!(too_long(&[of_lines(300), of_lines(301)]).len(), 1);
}

#[test]
fn lints_are_expected_with_a_reason_and_not_allowed() {
    let allow = concat!("#[", "allow(");
    for dir in CODE {
        for (path, text) in files(dir, "rs") {
            assert!(!text.contains(allow), "{} allows a lint", path.display());
        }
    }
}

#[test]
fn a_request_has_its_times_as_timestamps() {
    let request = regex::Regex::new(r"derive\([^)]*Deserialize[^)]*\)\][^}]*\bDateTime<").unwrap();
    for (path, text) in files("src", "rs") {
        assert!(!request.is_match(&text), "{} reads a time that may be out of range", path.display());
    }
    assert!(
        request
            .is_match("#[derive(Debug, Deserialize)]\nstruct Planted {\n    at: Option<DateTime<Utc>>,\n}")
    );
}
