//! `/v1/users`: sign up, read and change accounts and profiles.

mod export;
mod read;
mod write;

pub use export::*;
pub use read::*;
pub use write::*;
