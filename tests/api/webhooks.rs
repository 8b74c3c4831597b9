//! Webhooks: exactly what happens is told, signed, to who wants it, however receivers behave.

mod admins;
mod deliveries;
mod events;
mod failures;
mod receiver;
mod schedule;
