//! `/v1/media`: upload, list, read, describe and delete pictures and other files.

mod body;
mod create;
mod files;
mod queue;
mod read;
mod write;

pub use create::*;
pub use files::*;
pub use queue::Uploads;
pub use read::*;
pub use write::*;
