//! `/v1/users`: sign up, read and change accounts and profiles, follow them, export one's own.

mod export;
mod follows;
mod read;
mod write;

pub use export::*;
pub use follows::*;
pub use read::*;
pub use write::*;
