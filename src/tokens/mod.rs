//! API tokens: what a user gives to a machine, so that it may do a part of what the user may.

pub mod model;
pub mod routes;
pub mod store;
