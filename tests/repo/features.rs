//! `docs/features.md` claims nothing that no test shows.

use std::path::Path;

use regex::Regex;

use crate::read;

/// The rows of the tables below `text`'s headings: the heading, and the cells.
fn rows(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut heading = "";
    let mut rows = Vec::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title;
        } else if let Some(row) = line.strip_prefix("| ").and_then(|line| line.strip_suffix(" |")) {
            let cells: Vec<_> = row.split(" | ").map(str::trim).collect();
            // Below the names of the columns and the line under them.
            if !cells.contains(&"blog-api") && cells[0] != "---" {
                rows.push((heading, cells));
            }
        }
    }
    rows
}

#[test]
fn every_feature_links_to_a_test_that_is_there() {
    let page = read("docs/features.md");
    let link = Regex::new(r"^\[yes\]\(\.\./(tests/[\w./-]+)(?:#(\w+))?\)$").unwrap();
    let mut broken = Vec::new();
    let mut features = 0;
    for (heading, cells) in rows(&page) {
        if heading == "What others have and it has not" {
            assert_eq!(cells[1], "no", "{}", cells[0]);
            continue;
        }
        features += 1;
        let Some(link) = link.captures(cells[1]) else {
            broken.push(format!("{}: {} is no link to a test", cells[0], cells[1]));
            continue;
        };
        if !Path::new(&link[1]).exists() {
            broken.push(format!("{}: there is no {}", cells[0], &link[1]));
        } else if let Some(function) = link.get(2).map(|name| name.as_str())
            && !read(&link[1]).contains(&format!("fn {function}("))
        {
            broken.push(format!("{}: {} has no {function}", cells[0], &link[1]));
        }
    }
    assert!(features > 30, "{features} features");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn everybody_is_compared_in_the_same_words() {
    let page = read("docs/features.md");
    let rows = rows(&page);
    let columns = rows[0].1.len();
    assert!(columns > 5, "{columns} columns");
    for (_, cells) in rows {
        assert_eq!(cells.len(), columns, "{}", cells[0]);
        for cell in &cells[2..] {
            assert!(["yes", "partly", "plugin", "no", "?"].contains(cell), "{}: {cell}", cells[0]);
        }
    }
}
