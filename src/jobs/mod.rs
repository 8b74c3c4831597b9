//! The queue of what is done after a response or from time to time. A job is written in the transaction of the act
//! that asks for it, and is done at least once: by whichever task claims it, or by another if that one dies.

pub mod model;
pub mod routes;
pub mod runner;
pub mod store;
