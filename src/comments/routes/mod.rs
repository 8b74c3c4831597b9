//! `/v1/posts/{post}/comments` and `/v1/comments`: write, read, change, delete and moderate comments.

mod moderate;
mod read;
mod write;

pub use moderate::*;
pub use read::*;
pub use write::*;
