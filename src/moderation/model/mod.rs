//! What moderation knows: bans and reports.

mod ban;
mod report;

pub use ban::*;
pub use report::*;
