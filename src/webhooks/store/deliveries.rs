//! What is on its way to a webhook, as admins see it and have it tried again.

use chrono::{DateTime, Utc};
use sqlx::types::Json;
use uuid::Uuid;

use crate::db::Connection;
use crate::webhooks::model::{DeliveryAttempt, DeliveryStatus, TEST, WebhookDelivery};

struct Row {
    id: Uuid,
    event_type: String,
    occurred_at: DateTime<Utc>,
    status: DeliveryStatus,
    attempts: Json<Vec<DeliveryAttempt>>,
    next_attempt_at: Option<DateTime<Utc>>,
    delivered_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl From<Row> for WebhookDelivery {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            event_type: row.event_type,
            occurred_at: row.occurred_at,
            status: row.status,
            attempts: row.attempts.0,
            next_attempt_at: row.next_attempt_at,
            delivered_at: row.delivered_at,
            created_at: row.created_at,
        }
    }
}

/// The deliveries that `$which` selects of those to the webhook `$1`.
macro_rules! select {
    ($which:tt, $($argument:expr),+) => {
        sqlx::query_as!(
            Row,
            r#"select d.id, e.type as event_type, e.occurred_at, d.status as "status: DeliveryStatus",
                 (select coalesce(jsonb_agg(jsonb_build_object(
                    'number', a.number, 'at', a.at, 'milliseconds', a.milliseconds, 'status', a.status, 'error', a.error)
                    order by a.number), '[]')
                  from webhook_attempts a where a.delivery_id = d.id) as "attempts!: Json<Vec<DeliveryAttempt>>",
                 d.next_attempt_at, d.delivered_at, d.created_at
               from webhook_deliveries d join webhook_events e on e.id = d.event_id
               where d.webhook_id = $1 "# + $which,
            $($argument),+
        )
    };
}

pub async fn delivery(
    connection: &mut Connection,
    webhook_id: Uuid,
    id: Uuid,
) -> sqlx::Result<Option<WebhookDelivery>> {
    Ok(select!("and d.id = $2", webhook_id, id).fetch_optional(connection).await?.map(Into::into))
}

/// The deliveries to a webhook, with `status` or all, newest first, after the one made then with that id.
pub async fn deliveries(
    connection: &mut Connection,
    webhook_id: Uuid,
    status: Option<DeliveryStatus>,
    after: Option<(DateTime<Utc>, Uuid)>,
    rows: i64,
) -> sqlx::Result<Vec<WebhookDelivery>> {
    let (at, id) = after.unzip();
    let id = id.unwrap_or(Uuid::max());
    let rows = match status {
        Some(status) => {
            select!(
                "and d.status = $2 and (d.created_at, d.id) < (coalesce($3, 'infinity'::timestamptz), $4)
                 order by d.created_at desc, d.id desc limit $5",
                webhook_id,
                status.as_str(),
                at,
                id,
                rows
            )
            .fetch_all(connection)
            .await?
        }
        None => {
            select!(
                "and (d.created_at, d.id) < (coalesce($2, 'infinity'::timestamptz), $3)
                 order by d.created_at desc, d.id desc limit $4",
                webhook_id,
                at,
                id,
                rows
            )
            .fetch_all(connection)
            .await?
        }
    };
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Has a message sent again from now on, whatever came of it: under the same id. False if there is none.
pub async fn retry(
    connection: &mut Connection,
    webhook_id: Uuid,
    id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let retried = sqlx::query!(
        "with asked as (
           update webhook_deliveries set status = 'pending', tries = 0, next_attempt_at = $3, delivered_at = null
           where id = $2 and webhook_id = $1
           returning webhook_id)
         select webhook_wake(array[webhook_id], $3) from asked",
        webhook_id,
        id,
        now
    )
    .fetch_optional(connection)
    .await?;
    Ok(retried.is_some())
}

/// Has a webhook sent a message that tells of nothing, and gives the id of the delivery.
pub async fn insert_test(
    connection: &mut Connection,
    webhook_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<Uuid> {
    let id = Uuid::now_v7();
    sqlx::query!(
        "with event as (
           insert into webhook_events (id, type, data, occurred_at)
           values ($1, $4, jsonb_build_object('webhook_id', $2::uuid), $3) returning id),
         delivery as (
           insert into webhook_deliveries (id, webhook_id, event_id, next_attempt_at, created_at)
           select $1, $2, id, $3, $3 from event
           returning webhook_id)
         select webhook_wake(array[webhook_id], $3) from delivery",
        id,
        webhook_id,
        now,
        TEST
    )
    .fetch_optional(connection)
    .await?;
    Ok(id)
}
