//! `/v1/posts`: write, publish, list, read, change, delete and restore posts, and their revisions.

mod read;
mod revisions;
mod write;

pub use read::*;
pub use revisions::*;
pub use write::*;
