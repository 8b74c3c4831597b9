//! What a cursor may hold. Clients can forge one, so the key of the last row seen is read as types whose every
//! value a statement can be asked for: [`Position`] has no others.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Error};
use uuid::Uuid;

use super::timestamp::Timestamp;

/// The key of a row, as a cursor holds it.
pub trait Position: DeserializeOwned {}

impl Position for Uuid {}
impl Position for i64 {}
impl Position for Timestamp {}
impl Position for Count {}
impl Position for Rank {}
impl Position for Text {}
impl Position for Bytes {}
impl<A: Position, B: Position> Position for (A, B) {}

/// How many there are of something: not negative, so that its opposite is a number of PostgreSQL too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count(pub i32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let count = i32::deserialize(deserializer)?;
        if count < 0 { Err(D::Error::custom("a negative count")) } else { Ok(Self(count)) }
    }
}

/// How well a row matches a search, by the bits of its finite `f32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank(pub u32);

impl<'de> Deserialize<'de> for Rank {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bits = u32::deserialize(deserializer)?;
        if f32::from_bits(bits).is_finite() { Ok(Self(bits)) } else { Err(D::Error::custom("not finite")) }
    }
}

/// A text that PostgreSQL can hold: without a NUL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.contains('\0') { Err(D::Error::custom("a NUL")) } else { Ok(Self(text)) }
    }
}

/// Bytes, as base64 of URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        URL_SAFE_NO_PAD.decode(text).map(Self).map_err(D::Error::custom)
    }
}
