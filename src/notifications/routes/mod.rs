//! The handlers of `/v1/notifications`, of what users choose about them, and of links that end mails.

mod list;
mod settings;
mod unsubscribe;

pub use list::*;
pub use settings::*;
pub use unsubscribe::*;
