//! All SQL about bans, reports and the audit log.

mod audit;
mod bans;
mod reports;

pub use audit::*;
pub use bans::*;
pub use reports::*;
