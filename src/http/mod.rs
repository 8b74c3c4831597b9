//! HTTP as this service speaks it: the middleware stack, typed extractors, validation, lists, health.

pub mod access_log;
pub mod context;
pub mod extract;
pub mod health;
pub mod middleware;
pub mod pagination;
pub mod validation;
