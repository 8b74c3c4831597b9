//! What may be in HTML that users wrote: an allow-list of elements, attributes and URL schemes. There is no
//! script, style, form or frame in it, and no name that scripts of the page would find.

use std::borrow::Cow;
use std::sync::LazyLock;

use super::budget;

static SANITIZER: LazyLock<ammonia::Builder<'static>> = LazyLock::new(|| {
    let mut sanitizer = ammonia::Builder::default();
    sanitizer
        .url_schemes(["http", "https", "mailto"].into())
        // Task lists are disabled check boxes.
        .add_tags(["input", "section"])
        .add_tag_attributes("input", ["checked", "disabled"])
        .add_tag_attribute_values("input", "type", ["checkbox"])
        .set_tag_attribute_value("input", "disabled", "")
        // Of these ids, `anchors` leaves those of footnotes.
        .add_tag_attributes("a", ["aria-label", "id"])
        .add_tag_attributes("li", ["id"])
        .add_allowed_classes("section", ["footnotes"])
        .add_allowed_classes("sup", ["footnote-ref"])
        .add_allowed_classes("a", ["footnote-backref"])
        .add_tag_attributes("code", ["class"])
        // What a text says in another direction, order, number or time.
        .add_generic_attributes(["dir"])
        .add_tag_attributes("data", ["value"])
        .add_tag_attributes("details", ["open"])
        .add_tag_attributes("li", ["value"])
        .add_tag_attributes("ol", ["reversed"])
        .add_tag_attribute_values("ol", "type", ["1", "A", "I", "a", "i"])
        .add_tag_attributes("time", ["datetime"])
        .attribute_filter(checked)
        // `links` gives it.
        .link_rel(None);
    for element in ["blockquote", "del", "ins", "q"] {
        // A URL whose scheme is not checked.
        sanitizer.rm_tag_attributes(element, ["cite"]);
    }
    sanitizer
});

fn checked<'a>(element: &str, attribute: &str, value: &'a str) -> Option<Cow<'a, str>> {
    match (element, attribute) {
        ("code", "class") => language(value).map(Cow::Owned),
        (_, "dir") => ["ltr", "rtl", "auto"]
            .into_iter()
            .find(|direction| value.eq_ignore_ascii_case(direction))
            .map(Cow::Borrowed),
        _ => Some(Cow::Borrowed(value)),
    }
}

/// The class of code is its language, for those who highlight it: without what only some of them understand.
fn language(classes: &str) -> Option<String> {
    let name = classes.split_ascii_whitespace().find_map(|class| class.strip_prefix("language-"))?;
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || "+-_.#".contains(c);
    let end = name.find(|c| !is_of_name(c)).unwrap_or(name.len());
    (end > 0).then(|| format!("language-{}", &name[..end]))
}

/// How often HTML is read again until that changes nothing.
const ROUNDS: usize = 5;

/// The safe part of `html`. Reading it gives what was checked, and cleaning it again gives it again: HTML
/// that is understood differently each time it is read (elements that may not be nested) is how sanitizers
/// are deceived. `None` if it does not come to rest, or is more than the budget allows.
pub(super) fn clean(html: &str, max_bytes: usize) -> Option<String> {
    let mut html = within_budget(html, max_bytes)?;
    for _ in 0..ROUNDS {
        let again = within_budget(&html, max_bytes)?;
        if again == html {
            return Some(html);
        }
        html = again;
    }
    None
}

fn within_budget(html: &str, max_bytes: usize) -> Option<String> {
    budget::is_within(html, max_bytes).then(|| SANITIZER.clean(html).to_string())
}
