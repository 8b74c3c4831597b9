//! A client that says who it is, sends every request once, and measures what comes back.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

/// Longer than the service takes over anything.
const TIMEOUT: Duration = Duration::from_secs(30);

/// One address, signed in or not.
#[derive(Clone)]
pub(crate) struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    base: String,
    address: String,
    token: Option<String>,
}

/// A request, apart from who sends it.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
}

#[derive(Debug)]
pub(crate) struct Answer {
    /// 0 if there was none.
    pub(crate) status: u16,
    pub(crate) bytes: usize,
    pub(crate) json: Value,
}

impl Call {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: Method::GET, path: path.into(), headers: Vec::new(), body: Bytes::new() }
    }

    pub(crate) fn of(method: Method, path: impl Into<String>, body: &Value) -> Self {
        Self::raw(method, path, body.to_string())
    }

    pub(crate) fn post(path: impl Into<String>, body: &Value) -> Self {
        Self::of(Method::POST, path, body)
    }

    /// A body that need not be JSON, but says that it is.
    pub(crate) fn raw(method: Method, path: impl Into<String>, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { method, path: path.into(), headers, body: body.into() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Client {
    /// Of the server at `base`, as the load balancer names `address`.
    pub(crate) fn new(base: &str, address: &str) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let http = legacy::Client::builder(TokioExecutor::new()).build(connector);
        Self { http, base: format!("http://{base}"), address: address.to_owned(), token: None }
    }

    pub(crate) fn with_token(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Call::get(path)).await
    }

    async fn begin(&self, call: Call) -> Result<Response<Body>, String> {
        let mut request = Request::builder().method(call.method).uri(format!("{}{}", self.base, call.path));
        request = request.header("x-forwarded-for", &self.address);
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Full::new(call.body)).map_err(|error| error.to_string())?;
        self.http
            .request(request)
            .await
            .map(|response| response.map(Body::new))
            .map_err(|error| format!("{error:?}"))
    }

    /// The status of an answer whose body is taken for 20 seconds, 32 KiB in each.
    pub(crate) async fn send_slowly(&self, call: Call) -> u16 {
        let Ok(mut response) = self.begin(call).await else { return 0 };
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let mut taken = 0;
            while taken < 32 << 10 {
                let Some(Ok(frame)) = response.body_mut().frame().await else {
                    return response.status().as_u16();
                };
                taken += frame.data_ref().map_or(0, Bytes::len);
            }
        }
        response.status().as_u16()
    }

    pub(crate) async fn send(&self, call: Call) -> Answer {
        let exchange = async {
            let response = self.begin(call).await?;
            let status = response.status().as_u16();
            let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
            let json = serde_json::from_slice(&body).unwrap_or_default();
            Ok::<_, String>(Answer { status, bytes: body.len(), json })
        };
        let answer = tokio::time::timeout(TIMEOUT, exchange).await;
        answer.unwrap_or_else(|_| Err("no answer in 30 s".into())).unwrap_or_else(|error| Answer {
            status: 0,
            bytes: 0,
            json: error.into(),
        })
    }
}
