//! Every header that the source names is known to `http::cors`: which scripts may send, read, or neither.

use std::collections::BTreeSet;

use blog_api::http::cors::{NOT_FOR_SCRIPTS, READ, SAFELISTED, SENT};
use regex::Regex;

use crate::{code, files};

/// The headers that `text` names.
fn named(text: &str) -> BTreeSet<String> {
    let constant = Regex::new(r"\bheader::([A-Z][A-Z0-9_]+)\b").unwrap();
    let literal = Regex::new(
        r#"(?:HeaderName::from_static|headers(?:_mut)?\(\)\s*\.(?:get|get_all|insert|append|remove|contains_key))\("([^"]+)""#,
    )
    .unwrap();
    let code = code(text).collect::<Vec<_>>().join("\n");
    let constants = constant.captures_iter(&code).map(|found| found[1].to_lowercase().replace('_', "-"));
    constants.chain(literal.captures_iter(&code).map(|found| found[1].to_owned())).collect()
}

#[test]
fn no_header_is_forgotten_for_scripts_of_other_origins() {
    let lists = [&READ[..], &SENT, &SAFELISTED, &NOT_FOR_SCRIPTS].concat();
    let known: BTreeSet<_> = lists.iter().map(ToString::to_string).collect();
    let mut unknown = Vec::new();
    let mut found = BTreeSet::new();
    for (path, text) in files("src", "rs").into_iter().filter(|(path, _)| !path.ends_with("http/cors.rs")) {
        for name in named(&text) {
            if !known.contains(&name) {
                unknown.push(format!(
                    "{} names {name}: is it for scripts? See src/http/cors.rs",
                    path.display()
                ));
            }
            found.insert(name);
        }
    }
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
    // What is listed beside these is written by the libraries.
    let unnamed: Vec<_> = known.difference(&found).collect();
    assert_eq!(unnamed, ["allow", "date", "transfer-encoding"]);
}

#[test]
fn headers_are_found_however_they_are_named() {
    let text = "headers.get(header::IF_RANGE); HeaderName::from_static(\"x-new\");\n// header::TE\n\
                request.headers().get(\"x-other\")";
    assert_eq!(named(text).into_iter().collect::<Vec<_>>(), ["if-range", "x-new", "x-other"]);
}
