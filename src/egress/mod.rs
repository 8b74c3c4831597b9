//! Calls to addresses that users name, without a way into the network that the service is in.
//!
//! [`Client`] is the only way out to such an address. It resolves the name once, refuses if any of its addresses is
//! not a global one, and connects to those that it has checked. It follows no redirect, knows no proxy, and reads
//! little of the answer. Nothing here is logged: paths and queries may have secrets in them.

mod address;
mod answer;
mod client;
mod connection;
mod destination;
mod failure;

pub use answer::Answer;
pub use client::Client;
pub use destination::{Destination, Refusal};
pub use failure::Failure;

#[cfg(test)]
mod tests;
