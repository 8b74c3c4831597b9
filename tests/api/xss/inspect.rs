//! What is wrong with HTML that pretends to be safe: parsed as a browser does, then every element, attribute
//! and URL against lists of their own, so that a mistake in the sanitizer's lists is found.

use std::collections::HashSet;

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, QualName, local_name, ns, parse_fragment};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

const ELEMENTS: [&str; 76] = [
    "a",
    "abbr",
    "acronym",
    "area",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "data",
    "dd",
    "del",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "i",
    "img",
    "input",
    "ins",
    "kbd",
    "li",
    "map",
    "mark",
    "nav",
    "ol",
    "p",
    "pre",
    "q",
    "rp",
    "rt",
    "rtc",
    "ruby",
    "s",
    "samp",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tt",
    "u",
    "ul",
];
const ATTRIBUTES: [&str; 31] = [
    "align",
    "alt",
    "aria-label",
    "char",
    "charoff",
    "checked",
    "class",
    "colspan",
    "datetime",
    "dir",
    "disabled",
    "headers",
    "height",
    "href",
    "hreflang",
    "id",
    "lang",
    "open",
    "rel",
    "reversed",
    "rowspan",
    "scope",
    "size",
    "span",
    "src",
    "start",
    "summary",
    "title",
    "type",
    "value",
    "width",
];
/// Those that hold a URL, wherever they may stand.
const URLS: [&str; 9] =
    ["action", "background", "cite", "data", "formaction", "href", "ping", "poster", "src"];

/// Everything that is wrong with `html`.
pub(super) fn objections(html: &str) -> Vec<String> {
    let context = QualName::new(None, ns!(html), local_name!("div"));
    let dom = parse_fragment(RcDom::default(), ParseOpts::default(), context, vec![], false).one(html);
    let mut objections = Vec::new();
    let mut ids = HashSet::new();
    // The fragment's own root is no part of it.
    let root = dom.document.children.borrow()[0].clone();
    let mut nodes: Vec<Handle> = root.children.borrow().clone();
    nodes.reverse();
    while let Some(node) = nodes.pop() {
        match &node.data {
            NodeData::Element { name, attrs, template_contents, .. } => {
                let element = name.local.to_string();
                if name.ns != ns!(html)
                    || !(ELEMENTS.contains(&&*element) || element == "var" || element == "wbr")
                {
                    objections.push(format!("the element {element}"));
                }
                for attribute in attrs.borrow().iter() {
                    let name = attribute.name.local.to_string();
                    if is_wrong(&element, &name, &attribute.value, &mut ids) {
                        objections.push(format!("{name} of {element}: {}", attribute.value));
                    }
                }
                nodes.extend(template_contents.borrow().clone());
            }
            NodeData::Text { .. } => {}
            NodeData::Comment { .. } => objections.push("a comment".to_owned()),
            _ => objections.push("neither element nor text".to_owned()),
        }
        nodes.extend(node.children.borrow().iter().rev().cloned());
    }
    objections
}

fn is_wrong(element: &str, name: &str, value: &str, ids: &mut HashSet<String>) -> bool {
    !ATTRIBUTES.contains(&name)
        || name.starts_with("on")
        || URLS.contains(&name) && !is_safe_url(value)
        || name == "id" && !(is_safe_id(value) && ids.insert(value.to_owned()))
        || element == "input" && name == "type" && value != "checkbox"
}

/// As browsers find the scheme: without the control characters and spaces around the URL, and without its
/// tabs and line breaks.
fn is_safe_url(value: &str) -> bool {
    let url = value.trim_matches(|c: char| c <= ' ').replace(['\t', '\n', '\r'], "").to_lowercase();
    let Some((scheme, _)) = url.split_once(':') else { return true };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    !is_scheme || ["http", "https", "mailto"].contains(&scheme)
}

fn is_safe_id(id: &str) -> bool {
    ["h-", "fn-", "fnref-"].iter().any(|prefix| id.starts_with(prefix))
}
