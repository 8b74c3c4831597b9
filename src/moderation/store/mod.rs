//! All SQL about bans and reports.

mod bans;
pub mod export;
mod reports;

pub use bans::*;
pub use reports::*;
