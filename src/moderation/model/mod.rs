//! What moderation knows: bans, reports, and lines of the audit log.

mod audit;
mod ban;
mod report;

pub use audit::*;
pub use ban::*;
pub use report::*;
