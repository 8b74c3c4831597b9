//! `/v1/users`: sign up, read and change accounts and profiles, follow them.

mod create;
mod credentials;
mod email_verifications;
mod follows;
mod mail_events;
mod password_resets;
mod read;
mod write;

pub use create::*;
pub use email_verifications::*;
pub use follows::*;
pub use mail_events::*;
pub use password_resets::*;
pub use read::*;
pub use write::*;
