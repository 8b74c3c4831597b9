//! `/v1/users/{id}/ban`, `/v1/reports` and `/v1/audit`.

mod audit;
mod bans;
mod reports;

pub use audit::*;
pub use bans::*;
pub use reports::*;
