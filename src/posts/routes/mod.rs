//! `/v1/posts`: write, publish, list, read, change, delete, restore and like posts, and their revisions;
//! `/v1/tags`, `/v1/feed`.

mod body;
mod covers;
mod create;
mod likes;
mod mutes;
mod read;
mod revisions;
mod slugs;
mod tags;
mod timeline;
mod write;

pub use body::*;
pub use create::*;
pub use likes::*;
pub use mutes::*;
pub use read::*;
pub use revisions::*;
pub use tags::*;
pub use timeline::*;
pub use write::*;
