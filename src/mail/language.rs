//! The languages that mails are written in.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::error::ApiError;
use crate::http::weighed::weighed;
use crate::text_enum::text_enum;

text_enum! {
    /// The language of mails to a user.
    pub enum MailLanguage {
        /// English.
        English = "en",
        /// German.
        German = "de",
    }
}

impl MailLanguage {
    const ALL: [Self; 2] = [Self::English, Self::German];

    /// The one that the client prefers by its `Accept-Language`; English if it prefers none of them.
    #[must_use]
    pub fn preferred(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|value| value.to_str().ok());
        let ranges: Vec<_> = values.flat_map(|value| value.split(',')).map(weighed).collect();
        let weight = |language: Self| {
            let is_its = |range: &str| {
                range.split('-').next().is_some_and(|tag| tag.eq_ignore_ascii_case(language.as_str()))
            };
            let its = ranges.iter().filter(|(range, _)| is_its(range));
            its.map(|(_, weight)| *weight).fold(0.0, f32::max)
        };
        // Of those that are wanted alike, the first.
        Self::ALL
            .into_iter()
            .rev()
            .max_by(|one, other| weight(*one).total_cmp(&weight(*other)))
            .unwrap_or(Self::English)
    }
}

/// See [`MailLanguage::preferred`].
#[derive(Clone, Copy, Debug)]
pub struct PreferredLanguage(pub MailLanguage);

impl<S: Send + Sync> FromRequestParts<S> for PreferredLanguage {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Ok(Self(MailLanguage::preferred(&parts.headers)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_that_is_wanted_most() {
        for (accepted, expected) in [
            ("de", "de"),
            ("de-AT, en;q=0.8", "de"),
            ("fr, en;q=0.5, de;q=0.9", "de"),
            ("en-GB, de;q=0.9", "en"),
            ("en, de", "en"),
            ("fr", "en"),
            ("de;q=0", "en"),
            ("DE", "de"),
            ("den", "en"),
            ("*", "en"),
            ("", "en"),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, accepted.parse().unwrap())]);
            assert_eq!(MailLanguage::preferred(&headers).as_str(), expected, "{accepted}");
        }
        assert_eq!(MailLanguage::preferred(&HeaderMap::new()), MailLanguage::English);
    }
}
