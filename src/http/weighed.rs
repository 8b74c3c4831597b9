//! The lists of `Accept` and its like, whose items say how much they are wanted.

/// An item, and how much it is wanted: from 0, not at all, to 1.
#[must_use]
pub fn weighed(item: &str) -> (&str, f32) {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default();
    let weight = parts.find_map(|parameter| parameter.strip_prefix("q="));
    (name, weight.map_or(1.0, |weight| weight.parse().unwrap_or_default()))
}
