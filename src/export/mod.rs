//! The export of a user's data: above the features, since it asks the store of each for its part.

pub mod model;
pub mod routes;
