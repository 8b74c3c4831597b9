//! What is kept of an answer: not its body, which is a receiver's own.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};
use chrono::{DateTime, Utc};

/// What is kept of an answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    /// As the receiver wrote it.
    pub retry_after: Option<HeaderValue>,
}

impl Answer {
    /// How long to wait by `Retry-After`, in seconds or until a date; `None` without one that can be read.
    pub fn wait(&self, now: DateTime<Utc>) -> Option<Duration> {
        let text = self.retry_after.as_ref()?.to_str().ok()?.trim();
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().ok().map(Duration::from_secs);
        }
        let date: DateTime<Utc> = httpdate::parse_http_date(text).ok()?.into();
        Some((date - now).to_std().unwrap_or(Duration::ZERO))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2026-11-30T12:00:00Z".parse().unwrap();
        let wait = |text: &'static str| {
            let retry_after = Some(HeaderValue::from_static(text));
            Answer { status: StatusCode::SERVICE_UNAVAILABLE, retry_after }.wait(now)
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!((wait("0"), wait("120"), wait(" 7 ")), (seconds(0), seconds(120), seconds(7)));
        assert_eq!(wait("Mon, 30 Nov 2026 12:01:30 GMT"), seconds(90));
        assert_eq!(wait("Mon, 30 Nov 2026 11:00:00 GMT"), seconds(0));
        for other in ["", "-1", "+1", "1.5", "soon", "99999999999999999999999", "2026-11-30T12:01:30Z"] {
            assert_eq!(wait(other), None, "{other}");
        }
        assert_eq!(Answer { status: StatusCode::OK, retry_after: None }.wait(now), None);
    }
}
