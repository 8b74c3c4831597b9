//! Links in a post's text, for readers who are somewhere else than at the post.

use std::borrow::Cow;

/// Sanitized `html` with relative links and images made absolute, as seen from the page at `base`.
pub(super) fn with_absolute_links(html: &str, base: &str) -> String {
    let mut out = String::with_capacity(html.len() + 256);
    let mut rest = html;
    // The sanitizer escapes what is `<` in text and `"` in attributes.
    while let Some(at) = rest.find('<') {
        let tag = tag_length(&rest[at..]);
        out.push_str(&rest[..at]);
        push_tag(&mut out, &rest[at..at + tag], base);
        rest = &rest[at + tag..];
    }
    out + rest
}

/// The length of the tag that `text` begins with: `>` may also stand in a quoted value.
fn tag_length(text: &str) -> usize {
    let mut quoted = false;
    let end = text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b'>' && !quoted
    });
    end.map_or(text.len(), |end| end + 1)
}

fn push_tag(out: &mut String, tag: &str, base: &str) {
    let mut is_link = false;
    for (i, part) in tag.split('"').enumerate() {
        let is_value = i % 2 == 1;
        if i > 0 {
            out.push('"');
        }
        if is_value && is_link {
            out.push_str(&absolute(part, base));
        } else {
            out.push_str(part);
        }
        is_link = !is_value && [" href=", " src="].iter().any(|name| part.ends_with(name));
    }
}

fn absolute<'a>(link: &'a str, base: &str) -> Cow<'a, str> {
    let link = link.trim();
    if has_scheme(link) {
        return link.into();
    }
    let path = base.find("://").map_or(0, |at| at + 3);
    let origin = base[path..].find('/').map_or(base, |at| &base[..path + at]);
    let prefix = match link.as_bytes() {
        [b'/', b'/', ..] => &base[..path - 2],
        [b'/', ..] => origin,
        [] | [b'#' | b'?', ..] => base,
        _ => base.rfind('/').map_or(base, |at| &base[..=at]),
    };
    format!("{prefix}{link}").into()
}

fn has_scheme(link: &str) -> bool {
    link.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://example.com/blog/posts/hello";

    #[test]
    fn relative_links_are_seen_from_the_page() {
        for (link, expected) in [
            ("/about", "https://example.com/about"),
            ("other", "https://example.com/blog/posts/other"),
            ("../x.png?a=1&amp;b=2", "https://example.com/blog/posts/../x.png?a=1&amp;b=2"),
            ("#note", "https://example.com/blog/posts/hello#note"),
            ("?page=2", "https://example.com/blog/posts/hello?page=2"),
            ("", "https://example.com/blog/posts/hello"),
            ("//cdn.example/a", "https://cdn.example/a"),
            ("a/b:c", "https://example.com/blog/posts/a/b:c"),
            ("https://elsewhere.example/", "https://elsewhere.example/"),
            ("mailto:ada@example.com", "mailto:ada@example.com"),
        ] {
            let html = format!(r#"<p><a title="x" href="{link}">t</a><img alt="" src="{link}"></p>"#);
            let absolute =
                format!(r#"<p><a title="x" href="{expected}">t</a><img alt="" src="{expected}"></p>"#);
            assert_eq!(with_absolute_links(&html, BASE), absolute);
        }
    }

    #[test]
    fn what_only_looks_like_a_link_stays() {
        for html in [
            r#"<p>a href="/x" &lt;a href="/x"&gt;</p>"#,
            r#"<a title="> href=" href="https://a.example">x</a>"#,
            r#"<code>src="y"</code> 1 "2" 3"#,
            r#"<img alt="<a src=" title="/x">"#,
            "",
            "<",
            "<a href=",
        ] {
            assert_eq!(with_absolute_links(html, BASE), html);
        }
    }
}
