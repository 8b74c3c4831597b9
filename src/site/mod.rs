//! The site: its title and description, and what holds for all comments.

pub mod model;
pub mod routes;
pub mod store;
