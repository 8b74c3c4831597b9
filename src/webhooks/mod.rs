//! Telling other programs what happens here, by the Standard Webhooks specification (<https://www.standardwebhooks.com>).
//!
//! Events are written by the statements that do what they tell of, in their transactions: `migrations/…_webhooks.sql` has
//! the triggers. Whom an event is for, and each attempt to deliver it, is a job.

pub mod jobs;
pub mod model;
pub mod routes;
pub mod store;
