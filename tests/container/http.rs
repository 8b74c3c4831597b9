//! A client that sends every request once: what is lost stays lost, and is counted.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Request, StatusCode, request};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Longer than the service takes over anything.
const TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub(crate) struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    base: String,
    token: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// The body, or where it is none its text.
    pub(crate) json: Value,
}

impl Client {
    /// Of the server at `address`, with one connection that it keeps.
    pub(crate) fn new(address: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = legacy::Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(1)
            .retry_canceled_requests(false)
            .build(connector);
        Self { http, base: format!("http://{address}"), token: None }
    }

    /// The same with a connection of its own.
    pub(crate) fn another(&self) -> Self {
        let address = self.base.trim_start_matches("http://");
        Self { token: self.token.clone(), ..Self::new(address) }
    }

    pub(crate) fn signed_out(&self) -> Self {
        Self { token: None, ..self.another() }
    }

    pub(crate) fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer, String> {
        self.send(self.request(Method::GET, path), Bytes::new()).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Answer, String> {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        self.send(request, body.to_string().into()).await
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> request::Builder {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.header("authorization", format!("Bearer {token}")),
            None => request,
        }
    }

    pub(crate) async fn send(&self, request: request::Builder, body: Bytes) -> Result<Answer, String> {
        let request = request.body(Full::new(body)).unwrap();
        let exchange = async {
            let response = self.http.request(request).await.map_err(|error| in_full(&error))?;
            let (status, headers) = (response.status(), response.headers().clone());
            let body = response.into_body().collect().await.map_err(|error| in_full(&error))?.to_bytes();
            let json =
                serde_json::from_slice(&body).unwrap_or_else(|_| String::from_utf8_lossy(&body).into());
            Ok(Answer { status, headers, body, json })
        };
        tokio::time::timeout(TIMEOUT, exchange).await.unwrap_or_else(|_| Err("no answer in 30 s".into()))
    }
}

fn in_full(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {}", in_full(source)))
}
