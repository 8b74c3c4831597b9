//! Which notes a text has, in which order: the parser's own are those of the last definition of a label, and it
//! also counts references that nobody sees.

use std::collections::HashMap;

use comrak::nodes::{Node, NodeValue};

/// Numbers the notes by their first references, of the text and then of the notes themselves, and puts them at
/// the end. A label is that of its first definition; notes that nothing refers to are left out.
pub(super) fn number(root: Node<'_>, scope: &str) {
    let definitions = definitions(root);
    let mut notes: Vec<(Node<'_>, u32)> = Vec::new();
    let mut numbers: HashMap<Label, usize> = HashMap::new();
    let mut found = references(root);
    for read in 0.. {
        for reference in found {
            let label = label(reference);
            let Some(definition) = definitions.get(&label) else { continue };
            let number = *numbers.entry(label).or_insert_with(|| {
                notes.push((definition, 0));
                notes.len()
            });
            let (_, count) = &mut notes[number - 1];
            *count += 1;
            refer(reference, scope, number, *count);
        }
        let Some((note, _)) = notes.get(read) else { break };
        found = references(note);
    }
    for (number, (note, count)) in (1..).zip(notes) {
        if let NodeValue::FootnoteDefinition(definition) = &mut note.data_mut().value {
            definition.name = name(scope, number);
            definition.total_references = count;
        }
        root.append(note);
    }
}

/// As labels are compared: without their case, which both of these together fold.
type Label = String;

fn label(node: Node<'_>) -> Label {
    let data = node.data();
    let name = match &data.value {
        NodeValue::FootnoteReference(reference) => &reference.name,
        NodeValue::FootnoteDefinition(definition) => &definition.name,
        _ => return Label::new(),
    };
    name.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase().to_lowercase()
}

/// Takes all definitions out of the text, and gives the first of each label. One inside another, which the
/// parser knows no references to, is a part of that.
fn definitions<'a>(root: Node<'a>) -> HashMap<Label, Node<'a>> {
    let is_definition = |node: &Node<'a>| matches!(node.data().value, NodeValue::FootnoteDefinition(_));
    let all: Vec<Node<'a>> = root.descendants().filter(is_definition).collect();
    let (inner, outer): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|node| node.ancestors().skip(1).any(|node| is_definition(&node)));
    for node in inner {
        while let Some(child) = node.first_child() {
            node.insert_before(child);
        }
        node.detach();
    }
    let mut first = HashMap::new();
    for node in outer {
        node.detach();
        first.entry(label(node)).or_insert(node);
    }
    first
}

/// The references in `node`, in the order of the text: not those in alternative texts, which are not shown.
fn references(node: Node<'_>) -> Vec<Node<'_>> {
    let mut found = Vec::new();
    let mut nodes = vec![node];
    while let Some(node) = nodes.pop() {
        match node.data().value {
            NodeValue::FootnoteReference(_) => found.push(node),
            NodeValue::Image(_) => {}
            _ => nodes.extend(node.reverse_children()),
        }
    }
    found
}

fn refer(reference: Node<'_>, scope: &str, number: usize, count: u32) {
    if let NodeValue::FootnoteReference(reference) = &mut reference.data_mut().value {
        reference.name = name(scope, number);
        reference.ix = u32::try_from(number).unwrap_or(u32::MAX);
        reference.ref_num = count;
    }
}

fn name(scope: &str, number: usize) -> String {
    format!("{scope}-{number}")
}
