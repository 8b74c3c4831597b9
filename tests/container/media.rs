//! A picture, from the upload to what a browser is delivered.

use std::io::Cursor;
use std::time::Instant;

use axum::body::Bytes;
use axum::http::{Method, StatusCode, header};
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use serde_json::Value;

use crate::docker::address;
use crate::http::Client;
use crate::{Stack, ms};

pub(crate) async fn is_kept_in_s3(stack: Stack) -> String {
    let low = |pixels: u32| u8::try_from(pixels % 256).unwrap();
    let gradient = RgbImage::from_fn(1200, 900, |x, y| Rgb([low(x), low(y), 90]));
    let mut file = Cursor::new(Vec::new());
    DynamicImage::from(gradient).write_to(&mut file, ImageFormat::Png).unwrap();
    let request = stack.author.request(Method::POST, "/v1/media").header("content-type", "image/png");
    let began = Instant::now();
    let uploaded = stack.author.send(request, file.into_inner().into()).await.unwrap();
    let took = began.elapsed();
    assert_eq!(uploaded.status, StatusCode::CREATED, "{uploaded:?}");
    let media = uploaded.json;
    let readers = Client::new(&address("media", 8001).await);
    let copies: Vec<&Value> = media["variants"].as_array().unwrap().iter().chain([&media]).collect();
    for copy in &copies {
        let (_, path) = copy["url"].as_str().unwrap().split_once("8001").unwrap();
        let delivered = readers.get(path).await.unwrap();
        assert_eq!(delivered.status, StatusCode::OK, "{path}");
        assert_eq!(delivered.body.len() as u64, copy["bytes"].as_u64().unwrap(), "{path}");
        for (name, expected) in [
            (header::CONTENT_TYPE, "image/png"),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            assert_eq!(delivered.headers[name], expected, "{path}");
        }
        let unsigned =
            readers.send(readers.request(Method::PUT, path), Bytes::from_static(b"x")).await.unwrap();
        assert_eq!(unsigned.status, StatusCode::FORBIDDEN, "{path}");
    }
    let path = format!("/v1/media/{}", media["id"].as_str().unwrap());
    let deleted = stack.author.send(stack.author.request(Method::DELETE, &path), Bytes::new()).await.unwrap();
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:?}");
    format!("{} objects after {}, delivered to everybody and written by nobody else", copies.len(), ms(took))
}
