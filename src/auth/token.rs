//! Tokens of sessions and of machines: 256 random bits that the client keeps and of which the database knows only a hash.

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// Makes a token easy to recognise, for people and for scanners of leaked secrets. No token of one kind begins like one
/// of the other.
const PREFIX: &str = "blog_";
const API_PREFIX: &str = "blogapi_";

/// What a token is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A session, or a link in a mail.
    Session,
    Api,
}

/// What identifies a token without giving it away.
pub type TokenHash = [u8; 32];

#[must_use]
pub fn generate(kind: TokenKind) -> (SecretString, TokenHash) {
    let prefix = match kind {
        TokenKind::Session => PREFIX,
        TokenKind::Api => API_PREFIX,
    };
    let token = SecretString::from(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>())));
    let hash = hash(token.expose_secret());
    (token, hash)
}

/// Hashing needs no salt and no work factor: the input is random, not chosen by a person.
#[must_use]
pub fn hash(token: &str) -> TokenHash {
    Sha256::digest(token.as_bytes()).into()
}

/// Six digits for `owner`, and their hash with it: alone they would be found by trying all of them.
#[must_use]
pub fn generate_code(owner: Uuid) -> (SecretString, TokenHash) {
    let code = format!("{:06}", rand::random_range(0..1_000_000));
    let hash = code_hash(owner, &code);
    (code.into(), hash)
}

#[must_use]
pub fn code_hash(owner: Uuid, code: &str) -> TokenHash {
    hash(&format!("{owner} {code}"))
}

#[derive(Debug, PartialEq, Eq)]
pub enum Bearer {
    Absent,
    /// There is an `Authorization` header, but it is not a token of this service.
    Malformed,
    Token(TokenKind, TokenHash),
}

#[must_use]
pub fn bearer(headers: &HeaderMap) -> Bearer {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (value, another) = (values.next(), values.next());
    let Some(value) = value else { return Bearer::Absent };
    value
        .to_str()
        .ok()
        .filter(|_| another.is_none())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .and_then(|(_, token)| Some(Bearer::Token(kind(token)?, hash(token))))
        .unwrap_or(Bearer::Malformed)
}

fn kind(token: &str) -> Option<TokenKind> {
    if token.starts_with(API_PREFIX) {
        Some(TokenKind::Api)
    } else {
        token.starts_with(PREFIX).then_some(TokenKind::Session)
    }
}
