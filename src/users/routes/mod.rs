//! `/v1/users`: sign up, read and change accounts and profiles, follow them.

mod follows;
mod read;
mod write;

pub use follows::*;
pub use read::*;
pub use write::*;
