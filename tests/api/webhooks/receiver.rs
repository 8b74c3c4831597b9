//! A receiver on a socket of its own, which verifies every signature, and a webhook that posts there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use blog_api::webhooks::model::WebhookEventType;
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::support::{TestApp, TestUser};

/// What a receiver does with a message.
#[derive(Clone, Copy)]
pub(super) enum Manner {
    Answer(u16, &'static [(&'static str, &'static str)]),
    /// It takes it and never answers.
    Hang,
}

/// What a receiver got.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Message {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Type and data.
    pub(super) fn event(&self) -> (String, Value) {
        let json = self.json();
        (json["type"].as_str().unwrap().to_owned(), json["data"].clone())
    }

    /// Whether one of its signatures is that of `secret`, as the specification has it.
    pub(super) fn is_signed_with(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let signed = [self.header("webhook-id"), ".", self.header("webhook-timestamp"), "."].concat();
        let mac = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(signed).chain_update(&self.body);
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature").split(' ').any(|signature| signature == expected)
    }

    pub(super) fn signatures(&self) -> usize {
        self.header("webhook-signature").split(' ').count()
    }
}

/// A server that keeps what it gets.
#[derive(Clone)]
pub(super) struct Receiver {
    pub(super) url: String,
    messages: Arc<Mutex<Vec<Message>>>,
    manner: Arc<Mutex<Manner>>,
    got: Arc<Notify>,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/hook?token=hidden", listener.local_addr().unwrap()),
            messages: Arc::default(),
            manner: Arc::new(Mutex::new(Manner::Answer(204, &[]))),
            got: Arc::default(),
        };
        let state = receiver.clone();
        let take =
            async move |headers: HeaderMap, body: Bytes| -> Response { state.take(headers, body).await };
        let routes = Router::new().fallback(take);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        receiver
    }

    async fn take(&self, headers: HeaderMap, body: Bytes) -> Response {
        self.messages.lock().unwrap().push(Message { headers, body });
        self.got.notify_one();
        let manner = *self.manner.lock().unwrap();
        match manner {
            Manner::Hang => std::future::pending().await,
            Manner::Answer(status, headers) => {
                let mut response =
                    (StatusCode::from_u16(status).unwrap(), "a receiver's own body").into_response();
                for (name, value) in headers {
                    response.headers_mut().insert(*name, value.parse().unwrap());
                }
                response
            }
        }
    }

    pub(super) fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// Waits for a message.
    pub(super) async fn got(&self) {
        self.got.notified().await;
    }

    /// What it has got since it was last asked.
    pub(super) fn take_all(&self) -> Vec<Message> {
        std::mem::take(&mut self.messages.lock().unwrap())
    }
}

/// A webhook that is told everything.
pub(super) struct Hook {
    pub(super) receiver: Receiver,
    pub(super) admin: TestUser,
    pub(super) id: String,
    pub(super) secret: String,
}

impl Hook {
    pub(super) async fn new(app: &TestApp) -> Self {
        let events: Vec<_> = WebhookEventType::ALL.iter().map(|event| event.as_str()).collect();
        let (receiver, admin) = (Receiver::start().await, app.admin().await);
        let body = json!({"url": receiver.url, "events": events});
        let made = app.post("/v1/webhooks").by(&admin).json(&body).expect(201).await;
        let secret = made.json()["secret"].as_str().unwrap().to_owned();
        Self { receiver, admin, id: made.id(), secret }
    }

    pub(super) fn path(&self, rest: &str) -> String {
        format!("/v1/webhooks/{}{rest}", self.id)
    }

    /// What it is told once all jobs that are due are done: every message with its signature.
    pub(super) async fn messages(&self, app: &TestApp) -> Vec<Message> {
        app.run_jobs().await;
        let messages = self.receiver.take_all();
        for message in &messages {
            assert!(message.is_signed_with(&self.secret), "{message:?}");
        }
        messages
    }

    /// The same, as types and data, in the order of the types: their own is not promised.
    pub(super) async fn told(&self, app: &TestApp) -> Vec<(String, Value)> {
        let mut events: Vec<_> = self.messages(app).await.iter().map(Message::event).collect();
        events.sort_by_key(key);
        events
    }

    pub(super) async fn is_told(&self, app: &TestApp, expected: &[(&str, Value)]) {
        let expected: Vec<_> =
            expected.iter().map(|(event, data)| ((*event).to_owned(), data.clone())).collect();
        let mut sorted = expected.clone();
        sorted.sort_by_key(key);
        assert_eq!(self.told(app).await, sorted);
    }

    /// The deliveries as the API shows them, newest first.
    pub(super) async fn deliveries(&self, app: &TestApp) -> Vec<Value> {
        let page = app.get(&self.path("/deliveries")).by(&self.admin).expect(200).await.json();
        page["items"].as_array().unwrap().clone()
    }

    /// The only one of them.
    pub(super) async fn delivery(&self, app: &TestApp) -> Value {
        let deliveries = self.deliveries(app).await;
        assert_eq!(deliveries.len(), 1, "{deliveries:?}");
        deliveries[0].clone()
    }

    pub(super) async fn shown(&self, app: &TestApp) -> Value {
        app.get(&self.path("")).by(&self.admin).expect(200).await.json()
    }

    /// Has it sent a test, after all that it was sent before.
    pub(super) async fn test(&self, app: &TestApp) {
        app.advance(TimeDelta::milliseconds(1));
        app.post(&self.path("/test")).by(&self.admin).expect(202).await;
    }
}

/// By type, and by data whatever the order of its fields.
fn key((event, data): &(String, Value)) -> (String, BTreeMap<String, String>) {
    let fields = data.as_object().unwrap().iter();
    (event.clone(), fields.map(|(name, value)| (name.clone(), value.to_string())).collect())
}
