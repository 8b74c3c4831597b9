//! `/v1/users`: sign up, read and change accounts and profiles, follow them; `/v1/invitations`: offer accounts.

mod create;
mod credentials;
mod delete;
mod email_verifications;
mod follows;
mod invitations;
mod mail_events;
mod password_resets;
mod read;
mod sign_ups;
mod write;

pub use create::*;
pub use delete::*;
pub use email_verifications::*;
pub use follows::*;
pub use invitations::*;
pub use mail_events::*;
pub use password_resets::*;
pub use read::*;
pub use sign_ups::*;
pub use write::*;
