//! What an HTML parser would make of a text, counted while it parses and without making it. A few kilobytes
//! can become megabytes (elements of formatting that are not closed are opened anew in each paragraph) or
//! take minutes, so that counting afterwards is too late.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{Attribute, ExpandedName, ParseOpts, QualName, local_name, ns, parse_fragment};

use super::links::MAX_REL;

pub(super) const MAX_ELEMENTS: usize = 10_000;
/// How many elements may be open at once, in one another or to be opened anew.
pub(super) const MAX_DEPTH: usize = 150;
/// How many attributes one element may have: each is compared with those before it.
const MAX_ATTRIBUTES: usize = 100;
/// How many questions the parser may ask about its tree: looking for an open element asks about each.
const MAX_CALLS: usize = 4_000_000;
/// How many nodes may be moved out of a table or between parents: each is looked for among its siblings.
const MAX_MOVES: usize = 500;
/// How many characters that are escaped, times how many bytes of text: for each of them the serializer looks
/// for the next of its kind and the others, which may be at the end of the text.
const MAX_ESCAPING: usize = 12_000_000_000;

/// Whether sanitizing `html` takes little: its tree is small, and written out it has at most `max_bytes`.
pub(super) fn is_within(html: &str, max_bytes: usize) -> bool {
    if has_crowded_tag(html) {
        return false;
    }
    let spent = Rc::new(Spent::default());
    let sink = Counter { spent: spent.clone(), root: Node::new("", &spent) };
    let context = QualName::new(None, ns!(html), local_name!("div"));
    // As the sanitizer parses.
    let mut parser = parse_fragment(sink, ParseOpts::default(), context, Vec::new(), false);
    let mut rest = html;
    while !rest.is_empty() {
        // Up to the next tag or reference, so that no more is done than one tag after the budget is spent.
        let end =
            rest.char_indices().skip(1).find(|(_, c)| "<&".contains(*c)).map_or(rest.len(), |(at, _)| at);
        let (piece, after) = rest.split_at(end);
        parser.process(StrTendril::from_slice(piece));
        if spent.is_over(max_bytes) {
            return false;
        }
        rest = after;
    }
    parser.finish();
    !spent.is_over(max_bytes)
}

/// Whether a tag has more attributes than any has reason to, which the tokenizer compares with each other
/// before anyone is told of them. Each has a space or a slash before it, or the quote of the one before.
fn has_crowded_tag(html: &str) -> bool {
    let is_border = |byte: u8| byte.is_ascii_whitespace() || b"/\"'".contains(&byte);
    let mut tags =
        html.split('<').skip(1).filter(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/'));
    tags.any(|tag| {
        let attributes = tag.bytes().take_while(|byte| *byte != b'>').filter(|byte| *byte == b'=').count();
        let words = tag.as_bytes().windows(2).take_while(|pair| pair[0] != b'>');
        // In a value, such as an alternative text, there are words too, but no comparisons.
        let words = words.filter(|pair| is_border(pair[0]) && !is_border(pair[1])).count();
        attributes > MAX_ATTRIBUTES || words > 20 * MAX_ATTRIBUTES
    })
}

#[derive(Default)]
struct Spent {
    elements: Cell<usize>,
    live: Cell<usize>,
    attributes: Cell<usize>,
    calls: Cell<usize>,
    moves: Cell<usize>,
    bytes: Cell<usize>,
    escaped: Cell<usize>,
    text: Cell<usize>,
}

impl Spent {
    fn is_over(&self, max_bytes: usize) -> bool {
        self.elements.get() > MAX_ELEMENTS
            || self.live.get() > MAX_DEPTH
            || self.attributes.get() > MAX_ATTRIBUTES
            || self.calls.get() > MAX_CALLS
            || self.moves.get() > MAX_MOVES
            || self.bytes.get() > max_bytes
            || self.escaped.get().saturating_mul(self.text.get()) > MAX_ESCAPING
    }

    fn child<T>(&self, child: &NodeOrText<T>) {
        if let NodeOrText::AppendText(text) = child {
            self.text(text);
        }
    }

    /// Text and values of attributes take their escaped length.
    fn text(&self, text: &str) {
        add(&self.text, text.len());
        add(&self.escaped, text.chars().filter(|c| escape(*c) > 0).count());
        add(&self.bytes, text.len() + text.chars().map(escape).sum::<usize>());
    }
}

fn add(count: &Cell<usize>, more: usize) {
    count.set(count.get().saturating_add(more));
}

/// How many bytes a character takes in HTML beyond its own.
fn escape(c: char) -> usize {
    match c {
        '&' | '\u{a0}' => 4,
        '<' | '>' => 3,
        '"' => 5,
        _ => 0,
    }
}

/// An element, for as long as the parser remembers it.
struct Node {
    name: QualName,
    spent: Rc<Spent>,
    contents: Option<Handle>,
    is_integration_point: bool,
}

type Handle = Rc<Node>;

impl Node {
    fn new(name: &str, spent: &Rc<Spent>) -> Handle {
        Self::element(QualName::new(None, ns!(), name.into()), spent, false, false)
    }

    fn element(name: QualName, spent: &Rc<Spent>, is_template: bool, is_integration_point: bool) -> Handle {
        add(&spent.live, 1);
        let contents = is_template.then(|| Self::new("", spent));
        Rc::new(Self { name, spent: spent.clone(), contents, is_integration_point })
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.spent.live.set(self.spent.live.get() - 1);
    }
}

struct Counter {
    spent: Rc<Spent>,
    root: Handle,
}

impl TreeSink for Counter {
    type Handle = Handle;
    type Output = ();
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) {}

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        self.root.clone()
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> ExpandedName<'a> {
        add(&self.spent.calls, 1);
        target.name.expanded()
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Handle {
        add(&self.spent.elements, 1);
        let most = self.spent.attributes.get().max(attributes.len());
        self.spent.attributes.set(most);
        // `<></>`, and what links are given.
        let around = 5 + if name.local == local_name!("a") { MAX_REL } else { 0 };
        add(&self.spent.bytes, 2 * name.local.len() + around);
        for attribute in &attributes {
            add(&self.spent.bytes, attribute.name.local.len() + 4);
            self.spent.text(&attribute.value);
        }
        Node::element(name, &self.spent, flags.template, flags.mathml_annotation_xml_integration_point)
    }

    fn create_comment(&self, _text: StrTendril) -> Handle {
        // A node, although nothing of it is left.
        add(&self.spent.elements, 1);
        Node::new("", &self.spent)
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> Handle {
        self.create_comment(StrTendril::new())
    }

    fn append(&self, _parent: &Handle, child: NodeOrText<Handle>) {
        self.spent.child(&child);
    }

    fn append_based_on_parent_node(&self, _element: &Handle, _before: &Handle, child: NodeOrText<Handle>) {
        add(&self.spent.moves, 1);
        self.spent.child(&child);
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {}

    fn get_template_contents(&self, target: &Handle) -> Handle {
        target.contents.clone().unwrap_or_else(|| self.root.clone())
    }

    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        add(&self.spent.calls, 1);
        Rc::ptr_eq(x, y)
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn append_before_sibling(&self, _sibling: &Handle, child: NodeOrText<Handle>) {
        add(&self.spent.moves, 1);
        self.spent.child(&child);
    }

    fn add_attrs_if_missing(&self, _target: &Handle, attributes: Vec<Attribute>) {
        // Only to `html` and `body`, which are not written.
        add(&self.spent.attributes, attributes.len());
    }

    fn remove_from_parent(&self, _target: &Handle) {
        add(&self.spent.moves, 1);
    }

    fn reparent_children(&self, _node: &Handle, _new_parent: &Handle) {
        add(&self.spent.moves, 1);
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Handle) -> bool {
        target.is_integration_point
    }
}
