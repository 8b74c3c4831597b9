//! What became of mails: whoever delivers them says which addresses take none.

use axum::extract::{FromRef, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::Response;
use lettre::message::Mailbox;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::token::{self, TokenHash};
use crate::cache::{Invalidates, Scope};
use crate::error::ApiError;
use crate::http::idempotency::Idempotent;
use crate::http::timestamp::Timestamp;
use crate::http::validation::{Validate, Violations, items};
use crate::text;
use crate::users::model::Undeliverable;
use crate::users::store;

/// How many addresses one event may have: as many as one mail can have.
const MAX_RECIPIENTS: usize = 50;

/// `MAIL_EVENTS_TOKEN_SHA256`: the hash of the token of those who say what became of mails. Without one nobody may.
#[derive(Clone, Copy, Debug)]
pub struct MailEventsToken(pub Option<TokenHash>);

/// Who carries that token.
#[derive(Debug)]
pub struct MailProvider;

impl<S: Send + Sync> FromRequestParts<S> for MailProvider
where
    MailEventsToken: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let MailEventsToken(expected) = MailEventsToken::from_ref(state);
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given = value
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token::hash(token.trim()));
        if given.is_some() && given == expected {
            return Ok(Self);
        }
        Err(ApiError::Unauthenticated("This needs the token whose hash is MAIL_EVENTS_TOKEN_SHA256."))
    }
}

/// What became of a mail, as Amazon SES tells it to `EventBridge`. Other fields are passed over.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MailEvent {
    /// The event itself.
    detail: MailEventDetail,
}

/// What happened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MailEventDetail {
    /// `Bounce` and `Complaint` count; every other is passed over.
    #[schema(example = "Bounce")]
    event_type: String,
    /// Of a bounce.
    bounce: Option<Bounce>,
    /// Of a complaint.
    complaint: Option<Complaint>,
}

/// A mail that was not delivered.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "as Amazon SES names them")]
pub struct Bounce {
    /// `Permanent` if the address takes no mail at all; what may pass is passed over.
    #[schema(example = "Permanent")]
    bounce_type: String,
    /// Whose addresses they are.
    #[serde(deserialize_with = "items")]
    #[schema(max_items = 50)]
    bounced_recipients: Vec<MailRecipient>,
    /// When it came back: not after the address was verified, it changes nothing.
    timestamp: Option<Timestamp>,
}

/// A mail that its reader says is spam.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "as Amazon SES names them")]
pub struct Complaint {
    /// `not-spam` is passed over: somebody has taken it out of the spam.
    #[schema(example = "abuse")]
    complaint_feedback_type: Option<String>,
    /// Whose addresses they may be.
    #[serde(deserialize_with = "items")]
    #[schema(max_items = 50)]
    complained_recipients: Vec<MailRecipient>,
    /// When its reader said so: not after the address was verified, it changes nothing.
    timestamp: Option<Timestamp>,
}

/// To whom a mail was sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MailRecipient {
    /// The address, alone or with a name.
    #[schema(example = "ada@example.com")]
    email_address: String,
}

/// What takes no mail any more, why, and since when if that is known.
struct Refusal<'a> {
    recipients: &'a [MailRecipient],
    why: Undeliverable,
    at: Option<Timestamp>,
}

impl MailEvent {
    fn refusal(&self) -> Option<Refusal<'_>> {
        let MailEventDetail { event_type, bounce, complaint } = &self.detail;
        match (event_type.as_str(), bounce, complaint) {
            ("Bounce", Some(Bounce { bounce_type, bounced_recipients: recipients, timestamp: at }), _)
                if bounce_type == "Permanent" =>
            {
                Some(Refusal { recipients, why: Undeliverable::Bounce, at: *at })
            }
            ("Complaint", _, Some(complaint))
                if complaint.complaint_feedback_type.as_deref() != Some("not-spam") =>
            {
                let Complaint { complained_recipients: recipients, timestamp: at, .. } = complaint;
                Some(Refusal { recipients, why: Undeliverable::Complaint, at: *at })
            }
            _ => None,
        }
    }
}

impl Validate for MailEvent {
    fn validate(&self, violations: &mut Violations) {
        let recipients = self.refusal().map_or(0, |refusal| refusal.recipients.len());
        if recipients > MAX_RECIPIENTS {
            violations.add("detail", "too_many", format!("must have at most {MAX_RECIPIENTS} recipients"));
        }
    }
}

/// Say what became of a mail
///
/// For whoever delivers the mail, with a token of their own. The body is what Amazon SES tells Amazon `EventBridge`: other
/// providers' events are sent in the same shape. An address that has bounced for good, or whose reader has complained,
/// gets nothing but what its user asks for, until they verify it anew or change it. An event from before that, told again, changes
/// nothing.
#[utoipa::path(post, path = "/v1/mail-events", tag = "users", request_body = MailEvent, security(("mail_events" = [])), responses(
    (status = 204, description = "It is noted"),
    (status = 401, description = "Not with that token"),
))]
pub async fn create_mail_event(
    _: MailProvider,
    Idempotent(key, body): Idempotent<MailEvent>,
) -> Result<Response, ApiError> {
    key.run_statement(None, async |write| {
        if let Some(Refusal { recipients, why, at }) = body.refusal() {
            // PostgreSQL's text cannot hold a NUL, and so no account's address has one.
            let possible = recipients.iter().filter(|to| !to.email_address.contains('\0'));
            let keys: Vec<_> = possible.flat_map(|to| keys(&to.email_address)).collect();
            store::mark_undeliverable(write, &keys, why, at.map(Into::into)).await?;
        }
        // An account is shown to its user and to admins.
        Ok((StatusCode::NO_CONTENT, Invalidates(Scope::Nothing)))
    })
    .await
}

/// The keys that the address may have: it was sent with its domain in ASCII, and may have been typed otherwise.
fn keys(address: &str) -> [String; 2] {
    let address = address.trim();
    let plain =
        address.parse::<Mailbox>().map_or_else(|_| address.to_owned(), |mailbox| mailbox.email.to_string());
    let typed = plain
        .rsplit_once('@')
        .map(|(local, domain)| format!("{local}@{}", idna::domain_to_unicode(domain).0));
    [text::fold(typed.as_deref().unwrap_or(&plain)), text::fold(&plain)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_known_however_they_are_written() {
        for (written, expected) in [
            ("ada@xn--bcher-kva.example", "ada@bücher.example"),
            (" Ada <Ada@Example.com> ", "ada@example.com"),
            ("\"Ada, Countess\" <ada@example.com>", "ada@example.com"),
            ("not an address", "not an address"),
        ] {
            assert_eq!(keys(written)[0], expected, "{written}");
        }
        assert_eq!(keys("ada@xn--bcher-kva.example")[1], "ada@xn--bcher-kva.example");
    }
}
