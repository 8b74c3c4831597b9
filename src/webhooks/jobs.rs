//! What is done about webhooks after the act: finding out whom an event is for, delivering it, and sending it again.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use futures_util::stream::iter;
use metrics::{counter, gauge};
use uuid::Uuid;

use super::model::schedule::{FAILING, delay};
use super::model::signature::signatures;
use super::model::{About, DisabledReason, Envelope, Replay, message_id};
use super::store::{self, Attempt, Due, Endpoint, Last, Part};
use crate::VERSION;
use crate::clock::Clock;
use crate::db::{self, Db};
use crate::egress::{Client, Destination};
use crate::jobs::model::{Claim, Failure};
use crate::mail::Mailer;
use crate::telemetry::metrics::set;
use crate::users::jobs::{Notice, notify_admins};

/// How many messages one receiver is sent at once.
const AT_ONCE: usize = 4;
/// How many messages are taken at once.
const BATCH: i64 = 100;
/// After how long a job makes room for others: with the messages at hand far less than it may take.
const SHIFT: Duration = Duration::from_mins(5);
/// How many events one statement sends again.
const REPLAYED: i64 = 500;

/// What a failure is called whose answer says so.
const BY_STATUS: &str = "status";
/// What it is called if the URL may not be called any more.
const URL_REFUSED: &str = "url_refused";

/// Writes that a scheduled post is published.
pub async fn publish(db: &Db, job: &Claim, now: DateTime<Utc>) -> Result<(), Failure> {
    Ok(store::publish(&mut db.acquire().await?, job, now).await?)
}

/// Finds out to which webhooks events are delivered.
pub async fn fan_out(db: &Db, job: &Claim, now: DateTime<Utc>) -> Result<(), Failure> {
    Ok(store::fan_out(&mut db.acquire().await?, job, now).await?)
}

/// Has what has happened sent to a webhook again.
pub async fn replay(db: &Db, job: &Claim, now: DateTime<Utc>) -> Result<(), Failure> {
    let Replay { webhook_id, since, until } = job.payload()?;
    let part = Part { webhook_id, until: until.into(), limit: REPLAYED };
    let mut after = Last { occurred_at: since.into(), id: Uuid::nil() };
    loop {
        let mut connection = db.acquire().await?;
        let Some(last) = store::replay(&mut connection, job, &part, &after, now).await? else {
            return Ok(());
        };
        store::wake(&mut connection, webhook_id, now).await?;
        after = last;
    }
}

/// Sends a webhook what is due, and rests until the next message is.
pub async fn deliver(
    db: &Db,
    client: &Client,
    mailer: &Mailer,
    clock: &Clock,
    job: &Claim,
) -> Result<(), Failure> {
    let About { webhook_id } = job.payload()?;
    let sender = Sender { db, client, has_mail: mailer.is_on(), clock, webhook_id, job };
    let started = Instant::now();
    while sender.batch().await? && started.elapsed() < SHIFT {}
    let mut transaction = db.begin().await?;
    store::rest(&mut transaction, webhook_id, job).await?;
    transaction.commit().await?;
    Ok(observe(db, clock.now()).await?)
}

/// Writes since when the oldest message waits.
pub async fn observe(db: &Db, now: DateTime<Utc>) -> Result<(), db::Error> {
    let oldest = store::oldest_pending(&mut db.acquire().await?).await?;
    let seconds = oldest.map_or(0, |since| (now - since).num_seconds());
    set(&gauge!("webhook_oldest_pending_seconds"), usize::try_from(seconds).unwrap_or_default());
    Ok(())
}

struct Sender<'a> {
    db: &'a Db,
    client: &'a Client,
    has_mail: bool,
    clock: &'a Clock,
    webhook_id: Uuid,
    job: &'a Claim,
}

impl Sender<'_> {
    /// Sends some of what is due; false if there is nothing more.
    async fn batch(&self) -> Result<bool, Failure> {
        let now = self.clock.now();
        // Not held while this waits for the network.
        let due = store::due(&mut self.db.acquire().await?, self.webhook_id, BATCH, now).await?;
        let is_last = i64::try_from(due.len()).is_ok_and(|taken| taken < BATCH);
        let mut sent = iter(due).map(|due| self.send(due)).buffer_unordered(AT_ONCE);
        while let Some(goes_on) = sent.next().await {
            if !goes_on? {
                return Ok(false);
            }
        }
        Ok(!is_last)
    }

    /// Sends a message and writes what came of it; false if the webhook is turned off, by that or before, or is another
    /// task's by now.
    async fn send(&self, due: Due) -> Result<bool, Failure> {
        let (at, started) = (self.clock.now(), Instant::now());
        let mut connection = self.db.acquire().await?;
        let endpoint = store::endpoint(&mut connection, self.webhook_id, self.job, at).await?;
        drop(connection);
        let Some(endpoint) = endpoint else { return Ok(false) };
        let result = self.post(&endpoint, &due, at).await?;
        let milliseconds = i32::try_from(started.elapsed().as_millis()).unwrap_or(i32::MAX);
        let now = self.clock.now();
        let Called { status, error, retry_after } = result;
        let attempt =
            Attempt { at, milliseconds, status: status.map(|status| status.as_u16().cast_signed()), error };
        let outcome = if error.is_none() { "delivered" } else { "failed" };
        counter!("webhook_attempts_total", "result" => outcome).increment(1);
        if error.is_none() {
            store::delivered(&mut self.db.acquire().await?, self.webhook_id, &due, attempt, now).await?;
            return Ok(true);
        }
        let gone = status == Some(StatusCode::GONE);
        let wait = delay(due.tries + 1, retry_after, rand::random()).filter(|_| !gone);
        self.failed(&due, attempt, wait.map(|wait| now + wait), gone, now).await
    }

    async fn failed(
        &self,
        due: &Due,
        attempt: Attempt,
        next: Option<DateTime<Utc>>,
        gone: bool,
        now: DateTime<Utc>,
    ) -> Result<bool, Failure> {
        let mut transaction = self.db.begin().await?;
        store::failed(&mut transaction, due, attempt, next).await?;
        // What fails for the first time may be delivered in a moment.
        let failing_before = if due.tries > 0 { now - FAILING } else { DateTime::UNIX_EPOCH };
        let reason =
            store::note_failure(&mut transaction, self.webhook_id, gone, failing_before, now).await?;
        if let Some(reason) = reason.filter(|_| self.has_mail) {
            let notice =
                Notice::WebhookDisabled { id: self.webhook_id, gone: reason == DisabledReason::Gone };
            notify_admins(&mut transaction, &notice, now).await?;
        }
        transaction.commit().await?;
        if let Some(reason) = reason {
            let reason = reason.as_str();
            tracing::warn!(webhook = %self.webhook_id, reason, "a webhook was turned off");
        }
        Ok(reason.is_none())
    }

    /// Signs a message, anew each time, and posts it.
    async fn post(&self, endpoint: &Endpoint, due: &Due, at: DateTime<Utc>) -> Result<Called, Failure> {
        let Ok(to) = self.client.check(&endpoint.url) else {
            return Ok(Called { status: None, error: Some(URL_REFUSED), retry_after: None });
        };
        let (headers, body) = message(endpoint, due, at).map_err(|error| Failure::Passing(error.into()))?;
        Ok(self.call(&to, headers, body).await)
    }

    async fn call(&self, to: &Destination, headers: HeaderMap, body: Bytes) -> Called {
        match self.client.post(to, headers, body).await {
            Ok(answer) => Called {
                status: Some(answer.status),
                error: (!answer.status.is_success()).then_some(BY_STATUS),
                retry_after: answer.wait(self.clock.now()),
            },
            Err(failure) => Called { status: None, error: Some(failure.word()), retry_after: None },
        }
    }
}

/// How a call ended.
struct Called {
    status: Option<StatusCode>,
    error: Option<&'static str>,
    retry_after: Option<Duration>,
}

fn message(
    endpoint: &Endpoint,
    due: &Due,
    at: DateTime<Utc>,
) -> Result<(HeaderMap, Bytes), serde_json::Error> {
    let envelope = Envelope { event_type: &due.event_type, timestamp: due.occurred_at, data: &due.data };
    let body = serde_json::to_vec(&envelope)?;
    let (id, timestamp) = (message_id(due.id), at.timestamp());
    let secrets = [Some(&endpoint.secret), endpoint.previous_secret.as_ref()];
    let signature = signatures(secrets.into_iter().flatten(), &id, timestamp, &body);
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, text) in [
        (USER_AGENT, format!("blog-api/{VERSION}")),
        (HeaderName::from_static("webhook-id"), id),
        (HeaderName::from_static("webhook-timestamp"), timestamp.to_string()),
        (HeaderName::from_static("webhook-signature"), signature),
    ] {
        // All of them are ASCII.
        headers.extend(HeaderValue::try_from(text).ok().map(|value| (name, value)));
    }
    Ok((headers, body.into()))
}
