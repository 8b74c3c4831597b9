//! What other programs follow: the newest posts as an Atom and a JSON feed, and the sitemap. Nobody signs in
//! for them, so they show what everybody sees.

pub mod model;
pub mod routes;
pub mod store;
