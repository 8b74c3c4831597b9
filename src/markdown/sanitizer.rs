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
        .attribute_filter(language_alone);
    for element in ["blockquote", "del", "ins", "q"] {
        // A URL whose scheme is not checked.
        sanitizer.rm_tag_attributes(element, ["cite"]);
    }
    sanitizer
});

/// The class of code is its language, for those who highlight it.
fn language_alone<'a>(element: &str, attribute: &str, value: &'a str) -> Option<Cow<'a, str>> {
    let is_language = |class: &str| {
        class.strip_prefix("language-").is_some_and(|language| {
            language.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_.#".contains(&byte))
        })
    };
    (!(element == "code" && attribute == "class") || is_language(value)).then_some(Cow::Borrowed(value))
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
