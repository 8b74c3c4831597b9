//! The handlers of `/v1/webhooks`.

mod deliveries;
mod read;
mod secret;
mod write;

pub use deliveries::*;
pub use read::*;
pub use secret::*;
pub use write::*;
