//! What makes the Markdown parser slow or its tree large, counted in one pass before it begins.

/// How many bytes may be read in search of the ends of comments, declarations, instructions and addresses: for each
/// beginning the parser reads on, to the end of the paragraph if there is no end.
const MAX_SEARCHED: usize = 20_000_000;
/// How many cells a table's rows may lack: the parser fills them in.
const MAX_MISSING_CELLS: usize = 10_000;

/// Whether parsing `markdown` takes little.
pub(super) fn is_low(markdown: &str) -> bool {
    searched(markdown) + linked(markdown) <= MAX_SEARCHED && missing_cells(markdown) <= MAX_MISSING_CELLS
}

/// How many bytes are read in search of `>` after `<!` and `<?` in vain, or to where one ends.
fn searched(markdown: &str) -> usize {
    let mut searched = 0_usize;
    let (mut instruction, mut comment, mut section, mut declaration) =
        (markdown.len(), markdown.len(), markdown.len(), markdown.len());
    let bytes = markdown.as_bytes();
    for at in (0..bytes.len()).rev() {
        let rest = &bytes[at..];
        match rest {
            [b'\n', b'\n' | b'\r', ..] => {
                (instruction, comment, section, declaration) = (at, at, at, at);
            }
            [b'?', b'>', ..] => instruction = at,
            [b'-', b'-', b'>', ..] => comment = at,
            [b']', b']', b'>', ..] => section = at,
            [b'>', ..] => declaration = at,
            [b'<', b'?', ..] => searched += instruction - at,
            [b'<', b'!', b'-', ..] => searched += comment.saturating_sub(at),
            [b'<', b'!', b'[', ..] => searched += section - at,
            [b'<', b'!', ..] => searched += declaration - at,
            _ => {}
        }
    }
    searched
}

/// How many bytes are read in search of the ends of addresses, which are where a space is.
fn linked(markdown: &str) -> usize {
    let words = markdown.split_ascii_whitespace().filter(|word| word.contains("://"));
    words.map(|word| word.len() * (word.matches("://").count() - 1)).sum()
}

/// How many cells short the rows of tables are, at most: a row counts to the next blank line.
fn missing_cells(markdown: &str) -> usize {
    let (mut missing, mut columns) = (0_usize, 0_usize);
    for line in markdown.split(['\n', '\r']) {
        let cells = line.bytes().filter(|byte| *byte == b'|').count() + 1;
        let is_delimiter = line.bytes().all(|byte| b" \t>|:-*+.)0123456789".contains(&byte));
        if line.trim_matches([' ', '\t', '>']).is_empty() {
            columns = 0;
        } else if is_delimiter && cells > columns {
            columns = cells;
        } else {
            missing += columns.saturating_sub(cells);
        }
    }
    missing
}
