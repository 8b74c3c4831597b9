//! Pictures that users upload: decoded and encoded anew, kept in a folder or in S3, and shown by posts and users. Other files
//! beside them, as they are, for readers to save.

pub mod choose;
pub mod jobs;
pub mod model;
pub mod picture;
pub mod routes;
pub mod storage;
pub mod store;
pub mod upload;
