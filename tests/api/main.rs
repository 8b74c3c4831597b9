//! Black-box tests of the API: real HTTP through the production router and server, on a real PostgreSQL.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod access;
mod audit;
mod background;
mod bans;
mod bounds;
mod cache;
mod cli;
mod comments;
mod common_errors;
mod concurrency;
mod conditional;
mod development;
mod export;
mod failover;
mod feeds;
mod follows;
mod health;
mod idempotency;
mod likes;
mod metrics;
mod middleware;
mod migrations;
mod moderation;
mod nonsense;
mod openapi;
mod pagination;
mod plans;
mod posts;
mod rate_limits;
mod rendering;
mod reports;
mod revisions;
mod rights;
mod rotation;
mod search;
mod search_bounds;
mod sessions;
mod shutdown;
mod site;
mod support;
mod tags;
mod users;
mod xss;
