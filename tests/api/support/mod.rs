//! What every test starts from: the service on a database of its own, a client, users.

mod app;
mod client;
mod contract;
mod database;
pub(crate) mod logs;
mod process;
mod proxy;
mod secrets;

pub(crate) use app::{PASSWORD, TestApp, TestUser, no_cache};
pub(crate) use client::{Call, Reply};
pub(crate) use contract::operations;
pub(crate) use database::TestDatabase;
pub(crate) use process::{Process, read_answer};
pub(crate) use proxy::Proxy;
pub(crate) use secrets::{Answer, SecretsManager};

use std::io::Cursor;
use std::path::PathBuf;

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What stands for a [`picture`] where a test has a table of bodies.
pub(crate) const PICTURE: &str = "a picture";

/// A PNG that is wide enough for a narrower copy.
pub(crate) fn picture() -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    RgbImage::from_pixel(500, 2, Rgb([138, 147, 156])).write_to(&mut file, ImageFormat::Png).unwrap();
    file.into_inner()
}

/// A file that is no picture.
pub(crate) const FILE: &[u8] = b"%PDF-1.7 and nothing more";

/// What is said of it before it is uploaded.
pub(crate) fn announcement() -> Value {
    json!({
        "filename": "Minutes.pdf",
        "content_type": "application/pdf",
        "bytes": FILE.len(),
        "sha256": hex::encode(Sha256::digest(FILE)),
    })
}

/// A folder; removed at the end.
pub(crate) struct Dir(pub(crate) PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("blog-api-run-{}", Uuid::now_v7().simple()));
        std::fs::create_dir(&dir).unwrap();
        Self(dir)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let removed = std::fs::remove_dir_all(&self.0);
        if !std::thread::panicking() {
            removed.unwrap();
        }
    }
}

/// That mail to `email` came back for good, as Amazon SES says it.
pub(crate) fn bounce(email: &str) -> Value {
    let bounce = json!({"bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": email}]});
    json!({"source": "aws.ses", "detail": {"eventType": "Bounce", "bounce": bounce}})
}
