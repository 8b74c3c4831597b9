//! A small HTTP client that holds every answer against the OpenAPI document, and shows the body when a
//! test is surprised.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::app::TestUser;
use super::{PICTURE, contract, picture};

pub(crate) struct Client {
    http: legacy::Client<HttpConnector, Full<Bytes>>,
    address: SocketAddr,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { http: legacy::Client::builder(TokioExecutor::new()).build_http(), address }
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'_> {
        Call {
            client: self,
            request: Request::builder().method(method).uri(format!("http://{}{path}", self.address)),
            body: Bytes::new(),
            operation: format!("{method} {path}"),
        }
    }
}

/// A request being made.
#[must_use]
pub(crate) struct Call<'a> {
    client: &'a Client,
    request: axum::http::request::Builder,
    body: Bytes,
    operation: String,
}

impl Call<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn by(self, user: &TestUser) -> Self {
        self.token(&user.token)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// A body as tables of requests have it: none for null, a picture for [`PICTURE`], else JSON.
    pub(crate) fn content(self, body: &Value) -> Self {
        match body {
            Value::Null => self,
            body if body == PICTURE => self.body("image/png", picture()),
            body => self.json(body),
        }
    }

    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    pub(crate) async fn send(self) -> Reply {
        let request = self.request.body(Full::new(self.body)).unwrap();
        let response = self.client.http.request(request).await.expect("the service answers");
        let (parts, body) = response.into_parts();
        let reply = Reply {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.expect("the answer is whole").to_bytes(),
            operation: self.operation,
        };
        contract::check(&reply);
        reply
    }

    /// Sends, and fails unless the status is `status`.
    pub(crate) async fn expect(self, status: u16) -> Reply {
        let reply = self.send().await;
        assert_eq!(reply.status.as_u16(), status, "{reply}");
        reply
    }

    /// Sends, and fails unless it is a problem with this status and code.
    pub(crate) async fn expect_problem(self, status: u16, code: &str) -> Reply {
        let reply = self.expect(status).await;
        assert_eq!(reply.json()["code"], code, "{reply}");
        reply
    }

    /// Sends, and fails unless it is a problem with this status about exactly these fields.
    pub(crate) async fn expect_fields(self, status: u16, fields: &[(&str, &str)]) -> Reply {
        let reply = self.expect(status).await;
        assert_eq!(reply.fields(), fields, "{reply}");
        reply
    }
}

/// An answer.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// What was asked, method and path.
    pub(crate) operation: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("not JSON: {error}: {self}"))
    }

    pub(crate) fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("no id: {self}")).to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn content_type(&self) -> &str {
        self.header(header::CONTENT_TYPE.as_str())
    }

    /// The fields at fault and their codes.
    pub(crate) fn fields(&self) -> Vec<(&'static str, &'static str)> {
        let json = self.json();
        let errors = json["errors"].as_array().unwrap_or_else(|| panic!("no errors: {self}"));
        let text = |error: &Value, key: &str| -> &'static str {
            error[key].as_str().unwrap_or_default().to_owned().leak()
        };
        errors.iter().map(|error| (text(error, "field"), text(error, "code"))).collect()
    }

    /// The values of `key` of each item of a page.
    pub(crate) fn items(&self, key: &str) -> Vec<String> {
        let json = self.json();
        let items = json["items"].as_array().unwrap_or_else(|| panic!("no items: {self}"));
        items.iter().map(|item| item[key].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl std::fmt::Display for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} answered {}: {}", self.operation, self.status, String::from_utf8_lossy(&self.body))
    }
}
