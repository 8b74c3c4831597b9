//! What the caller is told, and what they have read of it.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::SignedIn;
use crate::auth::scope::{NOTIFICATIONS_READ, NOTIFICATIONS_WRITE};
use crate::cache::{Invalidates, Scope};
use crate::db::Db;
use crate::error::ApiError;
use crate::http::extract::Json;
use crate::http::idempotency::Idempotent;
use crate::http::now::Now;
use crate::http::pagination::{PageQuery, PageRequest};
use crate::http::validation::{Validate, Violations, items_if_given};
use crate::notifications::model::Notification;
use crate::notifications::store;

const ORDER: &str = "notifications";
const MAX_IDS: usize = 100;
/// How many unread notifications one request marks as read.
const MAX_READ: i64 = 5000;

/// A page of notifications.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotificationPage {
    /// The notifications, newest first.
    items: Vec<Notification>,
    /// Give this as `cursor` to get the next page; null on the last one.
    #[schema(required, example = "WyJwb3N0cyIsIjAxOTlmNGEyIl0")]
    next_cursor: Option<String>,
    /// How many the caller has not read, on all pages; 100 stands for 100 or more.
    #[schema(example = 3, minimum = 0, maximum = 100)]
    unread: i64,
}

/// The caller's notifications
///
/// Newest first, of the last 90 days: replies to one's comments, comments on one's posts, new posts of those whom one
/// follows; for editors, comments that wait and open reports. What its reader may not read any more is not shown.
#[utoipa::path(get, path = "/v1/notifications", tag = "notifications", params(PageQuery), security(("token" = ["notifications:read"])), responses(
    (status = 200, description = "A page of notifications", body = NotificationPage),
))]
pub async fn list_notifications(
    SignedIn(user): SignedIn<NOTIFICATIONS_READ>,
    State(db): State<Db>,
    Now(now): Now,
    request: PageRequest,
) -> Result<Response, ApiError> {
    let after = request.after(ORDER)?;
    let mut connection = db.acquire().await?;
    let rows = store::list(&mut connection, user.id, after, request.rows(), now).await?;
    let unread = store::count_unread(&mut connection, user.id, now).await?;
    let (items, next_cursor, link) =
        request.page(rows, ORDER, |notification: &Notification| notification.id)?.into_parts();
    let link = link.map(|link| [(header::LINK, link)]);
    Ok((link, Json(NotificationPage { items, next_cursor, unread })).into_response())
}

/// What the caller has read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadNotifications {
    /// These notifications.
    #[serde(default, deserialize_with = "items_if_given")]
    #[schema(min_items = 1, max_items = 100, nullable = false)]
    ids: Option<Vec<Uuid>>,
    /// All that are as old as this one, or older; of more than 5,000, the newest.
    up_to: Option<Uuid>,
}

impl Validate for ReadNotifications {
    fn validate(&self, violations: &mut Violations) {
        match (&self.ids, self.up_to) {
            (None, None) => violations.add("ids", "required", "is required, or `up_to`"),
            (Some(_), Some(_)) => violations.add("up_to", "one_of", "must be absent if `ids` is there"),
            (Some(ids), None) if ids.is_empty() => violations.add("ids", "too_few", "must be at least 1"),
            (Some(ids), None) if ids.len() > MAX_IDS => {
                violations.add("ids", "too_many", format!("must be at most {MAX_IDS}"));
            }
            _ => {}
        }
    }
}

/// Mark notifications as read
///
/// Those that are not the caller's, or not there, are passed over.
#[utoipa::path(post, path = "/v1/notifications/read", tag = "notifications", request_body = ReadNotifications,
    security(("token" = ["notifications:write"])), responses(
    (status = 204, description = "They are read"),
))]
pub async fn read_notifications(
    SignedIn(user): SignedIn<NOTIFICATIONS_WRITE>,
    Now(now): Now,
    Idempotent(key, body): Idempotent<ReadNotifications>,
) -> Result<Response, ApiError> {
    key.run_statement(Some(user.id), async |write| {
        store::mark_read(write, user.id, body.ids.as_deref(), body.up_to, MAX_READ, now).await?;
        // Nobody else sees them.
        Ok((StatusCode::NO_CONTENT, Invalidates(Scope::Nothing)))
    })
    .await
}
