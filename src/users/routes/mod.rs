//! `/v1/users`: sign up, read and change accounts and profiles.

mod read;
mod write;

pub use read::*;
pub use write::*;
