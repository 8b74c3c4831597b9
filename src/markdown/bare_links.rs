//! Where bare links end: the parser knows the spaces and the punctuation of ASCII, and takes everything else up
//! to a space for a part of the address.

use comrak::nodes::{Node, NodeValue};

/// How often links are looked for in what was taken for a part of another.
pub(super) const ROUNDS: usize = 8;

/// Nothing in HTML, and the end of an address in Markdown.
const END: &str = "<!---->";

/// `source` with a mark where each bare link ends that goes on for the parser; `None` if there is none.
pub(super) fn ended(root: Node<'_>, source: &str) -> Option<String> {
    let lines = line_starts(source);
    let mut ends: Vec<usize> =
        root.descendants().filter_map(|node| ends(node, source, &lines)).flatten().collect();
    if ends.is_empty() {
        return None;
    }
    ends.sort_unstable();
    ends.dedup();
    let mut marked = String::with_capacity(source.len() + ends.len() * END.len());
    let mut done = 0;
    for end in ends {
        marked.extend([&source[done..end], END]);
        done = end;
    }
    marked.push_str(&source[done..]);
    Some(marked)
}

/// As the parser counts lines.
fn line_starts(source: &str) -> Vec<usize> {
    let bytes = source.as_bytes();
    let is_end = |at: &usize| bytes[*at] == b'\n' || bytes[*at] == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    std::iter::once(0).chain((0..bytes.len()).filter(is_end).map(|at| at + 1)).collect()
}

/// Where in `source` the link ends, if it is bare, and so do those in the rest of what it was taken for.
fn ends(node: Node<'_>, source: &str, lines: &[usize]) -> Option<Vec<usize>> {
    let data = node.data();
    let NodeValue::Link(link) = &data.value else { return None };
    let text = node.first_child()?;
    let text = text.data();
    let NodeValue::Text(address) = &text.value else { return None };
    let mut end = address.find(is_end)?;
    if link.url != **address && link.url.strip_prefix("http://") != Some(address) {
        return None;
    }
    let from = lines.get(data.sourcepos.start.line.checked_sub(1)?)?;
    let start = from + data.sourcepos.start.column.checked_sub(1)?;
    // One in angle brackets begins with them, and ends where its author says.
    if !source.get(start..)?.starts_with(&**address) {
        return None;
    }
    let mut ends = vec![start + end];
    // What may be code or a link of another form is read in the next round.
    while !address[end..].contains(['`', '<', '[', '\\'])
        && let Some(next) = address[end..].find("://")
        && let Some(length) = address[end + next..].find(is_end)
    {
        end += next + length;
        ends.push(start + end);
    }
    Some(ends)
}

/// Whether people see the end of an address here: white space, quotation marks and what ends sentences or
/// their parts, of the scripts that do not put a space there and of those that do.
fn is_end(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}'
            | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff64}'
            | '«' | '»' | '\u{2014}' | '\u{2018}'..='\u{201f}' | '\u{2026}' | '\u{2039}' | '\u{203a}'
            | '\u{60c}' | '\u{61b}' | '\u{61f}' | '\u{6d4}' | '\u{964}' | '\u{965}' | '\u{104a}' | '\u{104b}'
            | '\u{17d4}' | '\u{17d5}')
}
