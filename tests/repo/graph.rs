//! Which module of the source uses which, as its `use` declarations and paths say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::code;

/// For each module, those it uses.
#[derive(Debug, Default)]
pub(crate) struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    /// The graph of files, by their paths (`src/http/extract.rs` is `http::extract`) and their texts. Unit tests
    /// are left out.
    pub(crate) fn of_files(files: &[(PathBuf, String)]) -> Self {
        let known: BTreeSet<String> = files.iter().map(|(path, _)| name(path)).collect();
        let mut graph = Self::default();
        for (path, text) in files {
            let from = name(path);
            let used = used_paths(text).into_iter().filter_map(|path| resolve(&from, &path, &known));
            let others = used.filter(|to| *to != from).collect();
            graph.0.insert(from, others);
        }
        graph
    }

    /// The graph of the modules that the crate consists of.
    pub(crate) fn of_modules(&self) -> Self {
        let root = |name: &str| name.split("::").next().unwrap().to_owned();
        let mut graph = Self::default();
        for (from, to) in self.edges().map(|(from, to)| (root(from), root(to))) {
            if from != to {
                graph.0.entry(from).or_default().insert(to);
            }
        }
        graph
    }

    /// Who uses whom.
    pub(crate) fn edges(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(from, others)| others.iter().map(|to| (from.as_str(), to.as_str())))
    }

    /// The modules of a cycle, if there is one.
    pub(crate) fn cycle(&self) -> Option<Vec<&str>> {
        let mut done = BTreeSet::new();
        self.0.keys().find_map(|start| self.cycle_from(start, &mut Vec::new(), &mut done))
    }

    fn cycle_from<'a>(
        &'a self,
        module: &'a str,
        path: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<&'a str>> {
        if let Some(start) = path.iter().position(|earlier| *earlier == module) {
            return Some(path[start..].to_vec());
        }
        if done.contains(module) {
            return None;
        }
        path.push(module);
        let cycle = self.0.get(module).into_iter().flatten().find_map(|to| self.cycle_from(to, path, done));
        path.pop();
        done.insert(module);
        cycle
    }
}

/// The module that a file is.
fn name(path: &Path) -> String {
    let path = path.strip_prefix("src").unwrap().with_extension("");
    let mut parts: Vec<_> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.len() > 1 && parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts.join("::")
}

/// All paths that begin at the crate or at the module: `crate::db::Db`, `super::store`.
fn used_paths(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let code = code(text).collect::<Vec<_>>().join("\n");
    let declaration = Regex::new(r"\buse\s+([^;]+);").unwrap();
    let trees = declaration.captures_iter(&code).flat_map(|tree| leaves(&tree[1]));
    let in_place = Regex::new(r"\b(?:crate|blog_api|super)::[\w:]+").unwrap();
    let rest = declaration.replace_all(&code, "");
    trees.chain(in_place.find_iter(&rest).map(|path| path.as_str().to_owned())).collect()
}

/// The paths in the tree of a `use` declaration.
fn leaves(tree: &str) -> Vec<String> {
    let Some((prefix, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let inner = &rest[..rest.rfind('}').unwrap_or(rest.len())];
    let mut depth = 0;
    let branches = inner.split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    });
    let branches = branches.filter(|branch| !branch.trim().is_empty());
    branches.flat_map(leaves).map(|leaf| prefix.trim().to_owned() + &leaf).collect()
}

/// The innermost file among `known` that a path used in `from` names.
fn resolve(from: &str, path: &str, known: &BTreeSet<String>) -> Option<String> {
    let mut base: Vec<&str> = from.split("::").collect();
    let mut parts = path.split_whitespace().next()?.split("::").peekable();
    match *parts.peek()? {
        "crate" | "blog_api" => {
            parts.next();
            base.clear();
        }
        "self" => drop(parts.next()),
        "super" => {
            while parts.next_if_eq(&"super").is_some() {
                base.pop();
            }
        }
        // Another crate, or a module of this file.
        _ => return None,
    }
    base.extend(parts);
    while !base.is_empty() {
        let name = base.join("::");
        if known.contains(&name) {
            return Some(name);
        }
        base.pop();
    }
    None
}

#[test]
fn a_cycle_is_found_however_it_is_written() {
    let file = |path: &str, text: &str| (PathBuf::from(path), text.to_owned());
    let a = file("src/a/mod.rs", "use std::fmt;\nuse crate::{c, b::{self, inner::Thing}};\n");
    let c = file("src/c.rs", "fn c() {}\n");
    let sources = [a.clone(), file("src/b/inner.rs", "// crate::a\nuse crate::c;\n"), c.clone()];
    let graph = Graph::of_files(&sources);
    assert_eq!(graph.edges().collect::<Vec<_>>(), [("a", "b::inner"), ("a", "c"), ("b::inner", "c")]);
    assert_eq!(graph.cycle(), None);

    for back in ["use super::super::a;", "use crate::{c, a::X};", "fn f() -> crate::a::X {}"] {
        let graph = Graph::of_files(&[a.clone(), file("src/b/inner.rs", back), c.clone()]);
        assert_eq!(graph.cycle(), Some(vec!["a", "b::inner"]), "{back}");
        assert_eq!(graph.of_modules().cycle(), Some(vec!["a", "b"]), "{back}");
    }
    // No cycle of files, and one of the modules they are in.
    let graph = Graph::of_files(&[
        file("src/a/one.rs", "use crate::b;"),
        file("src/a/two.rs", ""),
        file("src/b.rs", "use crate::a::two;"),
    ]);
    assert_eq!(graph.cycle(), None);
    assert_eq!(graph.of_modules().cycle(), Some(vec!["a", "b"]));
}
