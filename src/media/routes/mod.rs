//! `/v1/media`: upload, list, read, describe and delete pictures.

mod body;
mod create;
mod read;
mod write;

pub use body::Uploads;
pub use create::*;
pub use read::*;
pub use write::*;
