//! AWS Secrets Manager as far as the service asks it: one secret, which can be changed, and errors that no
//! emulator gives.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What it answers.
#[derive(Clone)]
pub(crate) enum Answer {
    Secret(Value),
    Error(u16, &'static str),
    /// None, ever.
    Silence,
}

pub(crate) struct SecretsManager {
    pub(crate) url: String,
    answer: Arc<Mutex<Answer>>,
    asked: Arc<Mutex<Vec<HeaderMap>>>,
}

impl SecretsManager {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (answer, asked) = (Arc::new(Mutex::new(answer)), Arc::<Mutex<Vec<HeaderMap>>>::default());
        let handler = {
            let (answer, asked) = (answer.clone(), asked.clone());
            async move |headers: HeaderMap, body: String| {
                assert_eq!(headers["x-amz-target"], "secretsmanager.GetSecretValue");
                asked.lock().unwrap().push(headers);
                let asked_for: Value = serde_json::from_str(&body).unwrap();
                let answer = answer.lock().unwrap().clone();
                respond(&asked_for["SecretId"], answer).await
            }
        };
        tokio::spawn(axum::serve(listener, Router::new().route("/", post(handler))).into_future());
        Self { url, answer, asked }
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// What the last one to ask has sent in this header.
    pub(crate) fn told(&self, header: &str) -> String {
        let asked = self.asked.lock().unwrap();
        asked.last().unwrap()[header].to_str().unwrap().to_owned()
    }

    /// The environment of a process that asks it.
    pub(crate) fn environment(&self) -> [(&str, &str); 4] {
        [
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER", &self.url),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
        ]
    }
}

async fn respond(id: &Value, answer: Answer) -> Response {
    let (status, body) = match answer {
        Answer::Secret(secret) => {
            let text = secret.as_str().map_or_else(|| secret.to_string(), str::to_owned);
            (200, json!({"Name": id, "VersionStages": ["AWSCURRENT"], "SecretString": text}))
        }
        Answer::Error(status, code) => (status, json!({"__type": code, "message": "said AWS"})),
        Answer::Silence => std::future::pending().await,
    };
    let content_type = [("content-type", "application/x-amz-json-1.1")];
    (StatusCode::from_u16(status).unwrap(), content_type, body.to_string()).into_response()
}
