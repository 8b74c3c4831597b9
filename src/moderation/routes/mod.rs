//! `/v1/users/{id}/ban` and `/v1/reports`.

mod bans;
mod reports;

pub use bans::*;
pub use reports::*;
