//! `/v1/media`: upload, list, read, describe and delete pictures and other files.

mod body;
mod create;
mod files;
mod read;
mod write;

pub use body::Uploads;
pub use create::*;
pub use files::*;
pub use read::*;
pub use write::*;
