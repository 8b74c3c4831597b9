//! Lists: a bounded page, an opaque checked cursor that names the last row seen (keyset, never an
//! offset), and a `Link` to the next page.

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::cursor::Position;
use super::extract::{Json, parse_query};
use super::validation::{Rule, RuleViolation, Validate, Violations};
use crate::error::{ApiError, FieldError};

/// How many items a page may have, 1 to 100.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
struct Limit(i64);

impl Default for Limit {
    fn default() -> Self {
        Self(20)
    }
}

impl Rule for Limit {
    fn check(&self) -> Result<(), RuleViolation> {
        if (1..=100).contains(&self.0) {
            Ok(())
        } else {
            Err(("out_of_range", "must be from 1 to 100".into()))
        }
    }
}

impl Limit {
    fn items(self) -> usize {
        usize::try_from(self.0).unwrap_or_default()
    }
}

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many at most.
    #[serde(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

const PAGE_FIELDS: [&str; 2] = ["limit", "cursor"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unfiltered {}

impl Validate for Unfiltered {
    fn validate(&self, _violations: &mut Violations) {}
}

/// A request for a page of a list: what the list shows (`T`), and which page of that.
#[derive(Debug)]
pub struct PageRequest<T = Unfiltered> {
    pub filter: T,
    page: PageQuery,
    uri: Uri,
}

impl<T: Validate> Validate for PageRequest<T> {
    fn validate(&self, violations: &mut Violations) {
        self.filter.validate(violations);
        violations.check("limit", &self.page.limit);
    }
}

impl<T: DeserializeOwned + Validate, S: Sync> FromRequestParts<S> for PageRequest<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        let uri =
            parts.extensions.get::<OriginalUri>().map_or_else(|| parts.uri.clone(), |uri| uri.0.clone());
        let (mut page, mut filter) = (Serializer::new(String::new()), Serializer::new(String::new()));
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            let part = if PAGE_FIELDS.contains(&&*name) { &mut page } else { &mut filter };
            part.append_pair(&name, &value);
        }
        let filter = parse_query(&filter.finish(), &PAGE_FIELDS)?;
        let page = parse_query(&page.finish(), &[])?;
        Ok(Self { filter, page, uri }.validated()?)
    }
}

impl<T> PageRequest<T> {
    /// The rows to ask the database for: one more than the page has, to know whether another follows.
    #[must_use]
    pub fn rows(&self) -> i64 {
        self.page.limit.0 + 1
    }

    /// The key of the last row seen, or [`ApiError::Malformed`] if the cursor is not of a list in this `order`.
    pub fn after<K: Position>(&self, order: &str) -> Result<Option<K>, ApiError> {
        decode_cursor(order, self.page.cursor.as_deref())
    }

    /// The page that begins with `rows`, with the cursor that `key` gives for its last row.
    /// Never fails: a key can be written as JSON.
    pub fn page<I, R: Into<I>, K: Serialize>(
        &self,
        rows: Vec<R>,
        order: &str,
        key: impl Fn(&R) -> K,
    ) -> Result<Page<I>, ApiError> {
        let more = rows.len() > self.page.limit.items();
        self.page_ending(rows, |_last| more, order, key)
    }

    /// The same of a list whose pages may end early: `more` says of the page's last row whether others follow.
    pub fn page_ending<I, R: Into<I>, K: Serialize>(
        &self,
        mut rows: Vec<R>,
        more: impl Fn(&R) -> bool,
        order: &str,
        key: impl Fn(&R) -> K,
    ) -> Result<Page<I>, ApiError> {
        rows.truncate(self.page.limit.items());
        let last = rows.last().filter(|last| more(last));
        let next_cursor = last.map(|last| encode_cursor(order, &key(last))).transpose()?;
        let next_link = next_cursor.as_deref().and_then(|cursor| next_link(&self.uri, cursor));
        Ok(Page { items: rows.into_iter().map(Into::into).collect(), next_cursor, next_link })
    }
}

/// A cursor is a position in a list: the name of the list's order and the key of the last row seen.
fn decode_cursor<K: Position>(order: &str, cursor: Option<&str>) -> Result<Option<K>, ApiError> {
    let Some(cursor) = cursor else { return Ok(None) };
    URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|json| serde_json::from_slice::<(String, K)>(&json).ok())
        .filter(|(made_for, _)| made_for == order)
        .map(|(_, key)| Some(key))
        .ok_or_else(|| {
            let detail = "is not a cursor of this list: use `next_cursor` of its previous page";
            ApiError::Malformed(FieldError::new("cursor", "malformed", detail))
        })
}

fn encode_cursor<K: Serialize>(order: &str, key: &K) -> Result<String, ApiError> {
    let json = serde_json::to_vec(&(order, key)).map_err(|error| ApiError::Internal(error.into()))?;
    Ok(URL_SAFE_NO_PAD.encode(json))
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Give this as `cursor` to get the next page; null on the last one.
    #[schema(required, example = "WyJwb3N0cyIsIjAxOTlmNGEyIl0")]
    pub next_cursor: Option<String>,
    #[serde(skip)]
    #[schema(ignore)]
    next_link: Option<HeaderValue>,
}

impl<T> Page<T> {
    /// Its items, its `next_cursor` and its `Link`, for a list that has more to say.
    #[must_use]
    pub fn into_parts(self) -> (Vec<T>, Option<String>, Option<HeaderValue>) {
        (self.items, self.next_cursor, self.next_link)
    }
}

fn next_link(uri: &Uri, cursor: &str) -> Option<HeaderValue> {
    let query = Serializer::new(String::new())
        .extend_pairs(
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
                .filter(|(name, _)| name != "cursor"),
        )
        .append_pair("cursor", cursor)
        .finish();
    HeaderValue::try_from(format!("<{}?{query}>; rel=\"next\"", uri.path())).ok()
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(mut self) -> Response {
        let link = self.next_link.take();
        let mut response = Json(self).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::cursor::Text;

    proptest! {
        #[test]
        fn a_cursor_gives_back_its_key(time in any::<i64>(), id in any::<u128>(), name in "[^\\x00]*") {
            let key = ((time, uuid::Uuid::from_u128(id)), name.clone());
            let cursor = encode_cursor("order", &key).unwrap();
            prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            let read = decode_cursor::<((i64, uuid::Uuid), Text)>("order", Some(&cursor)).unwrap();
            prop_assert_eq!(read, Some((key.0, Text(name))));
            prop_assert!(decode_cursor::<((i64, uuid::Uuid), Text)>("another", Some(&cursor)).is_err());
            prop_assert!(decode_cursor::<uuid::Uuid>("order", Some(&cursor)).is_err());
        }

        #[test]
        fn what_is_not_a_cursor_is_refused(text in any::<String>()) {
            prop_assert!(decode_cursor::<uuid::Uuid>("order", Some(&text)).is_err());
        }

        #[test]
        fn a_cursor_cut_short_is_refused(id in any::<u128>(), length in 0_usize..20) {
            let cursor = encode_cursor("order", &uuid::Uuid::from_u128(id)).unwrap();
            prop_assert!(decode_cursor::<uuid::Uuid>("order", Some(&cursor[..length])).is_err());
        }
    }
}
