//! The audit log, in which every feature notes what was done to what is another's.

pub mod model;
pub mod routes;
pub mod store;
