//! `blog-api healthcheck`: for the container's health check, since the image has no shell and no curl.

use std::fmt::Display;
use std::time::Duration;

use blog_api::config::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::failure::Failure;

pub(crate) async fn healthcheck() -> Result<(), Failure> {
    let config = Config::from_env().map_err(Failure::config)?;
    let ask = async {
        let mut connection = tokio::net::TcpStream::connect(("localhost", config.port)).await?;
        connection.write_all(b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut response = String::new();
        connection.read_to_string(&mut response).await?;
        std::io::Result::Ok(response)
    };
    match tokio::time::timeout(Duration::from_secs(2), ask).await {
        Ok(Ok(response)) if response.starts_with("HTTP/1.1 200 ") => Ok(()),
        Ok(Ok(response)) => Err(unhealthy(response.lines().next().unwrap_or("an empty response"))),
        Ok(Err(error)) => Err(unhealthy(error)),
        Err(_elapsed) => Err(unhealthy("no response within 2 s")),
    }
}

/// Docker and ECS reserve every code but 0 and 1.
fn unhealthy(cause: impl Display) -> Failure {
    Failure { code: 1, message: format!("unhealthy: {cause}") }
}
