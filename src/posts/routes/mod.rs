//! `/v1/posts`: write, publish, list, read, change, delete and restore posts.

mod read;
mod write;

pub use read::*;
pub use write::*;
