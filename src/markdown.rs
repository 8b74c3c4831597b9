//! Markdown to safe HTML: `CommonMark` with tables, strikethrough, task lists, footnotes and autolinks,
//! then an allow-list of elements and attributes. Done once, when a text is written.

use std::sync::LazyLock;

use comrak::Options;

use crate::error::ApiError;

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| {
    let mut options = Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.autolink = true;
    // Raw HTML goes through, because the sanitizer comes after.
    options.render.r#unsafe = true;
    options
});

static SANITIZER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut sanitizer = ammonia::Builder::default();
    // Task lists are disabled check boxes.
    sanitizer
        .add_tags(["input"])
        .add_tag_attributes("input", ["checked", "disabled"])
        .add_tag_attribute_values("input", "type", ["checkbox"])
        .set_tag_attribute_value("input", "disabled", "");
    sanitizer
});

/// How many elements a text may have: sanitizing takes time in proportion to their number times the depth
/// of their nesting, and a text of nothing but `>` nests them all.
const MAX_ELEMENTS: usize = 10_000;

/// The safe HTML of `markdown`, made on a thread that may take its time.
///
/// # Errors
/// [`ApiError::Invalid`] about `body` when it has more than 10,000 elements.
pub async fn render(markdown: &str) -> Result<String, ApiError> {
    let markdown = markdown.to_owned();
    let html = tokio::task::spawn_blocking(move || to_html(&markdown))
        .await
        .map_err(|panicked| ApiError::Internal(panicked.into()))?;
    html.ok_or_else(|| {
        let detail = format!("has more than {MAX_ELEMENTS} elements: make it simpler or shorter");
        ApiError::invalid("body", "too_complex", detail)
    })
}

fn to_html(markdown: &str) -> Option<String> {
    let html = comrak::markdown_to_html(markdown, &OPTIONS);
    let elements = html.as_bytes().windows(2).filter(|pair| pair[0] == b'<' && pair[1].is_ascii_alphabetic());
    (elements.count() <= MAX_ELEMENTS).then(|| SANITIZER.clean(&html).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extensions_are_on() {
        let html = to_html("~~no~~ https://example.com\n\n- [x] done\n\n| a |\n|---|\n| b |\n").unwrap();
        assert!(html.contains("<del>no</del>"), "{html}");
        assert!(html.contains(r#"<a href="https://example.com" rel="noopener noreferrer">"#), "{html}");
        assert!(html.contains(r#"<input type="checkbox" checked="" disabled="">"#), "{html}");
        assert!(html.contains("<td>b</td>"), "{html}");
    }

    #[test]
    fn scripts_handlers_and_script_urls_are_taken_out() {
        let html = to_html(
            "<script>alert(1)</script>\n\n<img src=x onerror=alert(1)>\n\n[a](javascript:alert(1)) **b**",
        )
        .unwrap();
        assert!(html.contains("<strong>b</strong>"), "{html}");
        assert!(!html.contains("script") && !html.contains("onerror"), "{html}");
    }

    #[test]
    fn deep_nesting_neither_overflows_the_stack_nor_takes_forever() {
        for (open, is_simple) in [
            (">", false),
            ("<div>", false),
            ("<b>", false),
            ("[", true),
            ("![", true),
            ("*a ", true),
            ("~~a ", true),
            ("- ", true),
            ("> - ", true),
            ("`", true),
            ("<!--", true),
        ] {
            let html = to_html(&open.repeat(200_000 / open.len()));
            assert_eq!(html.is_some(), is_simple, "{open}");
        }
        assert!(to_html(&">".repeat(MAX_ELEMENTS - 1)).is_some());
    }
}
