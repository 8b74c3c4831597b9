//! All SQL about bans and reports.

mod bans;
mod reports;

pub use bans::*;
pub use reports::*;
