//! A mail as it is sent: both of its parts, and the headers that receivers look at.

use std::time::SystemTime;

use askama::Template;
use lettre::Address;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use url::Host;

use super::letter::{Content, Frame};
use super::{Mail, SendError};

/// What ends mails like this one.
pub(super) struct Unsubscribe {
    /// For people.
    pub(super) page: String,
    /// For programs, by RFC 8058.
    pub(super) endpoint: String,
}

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    language: &'a str,
    name: Option<&'a str>,
    site: &'a str,
    frame: &'a Frame,
    reason: &'a str,
    content: &'a Content,
    unsubscribe: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Text<'a> {
    name: Option<&'a str>,
    site: &'a str,
    frame: &'a Frame,
    reason: &'a str,
    content: &'a Content,
    unsubscribe: Option<&'a str>,
}

/// A header whose name and value are text of ours.
macro_rules! header {
    ($type:ident, $name:literal, |$self:ident| $value:expr) => {
        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            // What is written is not read again.
            fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Err("is not read".into())
            }

            fn display(&$self) -> HeaderValue {
                HeaderValue::new(Self::name(), $value)
            }
        }
    };
}

/// RFC 3834: nobody's absence is announced to it.
#[derive(Clone)]
struct AutoSubmitted;
header!(AutoSubmitted, "Auto-Submitted", |self| "auto-generated".to_owned());

/// The id of the job once more: SES puts a `Message-ID` of its own in the place of that one.
#[derive(Clone)]
struct EntityRef(String);
header!(EntityRef, "X-Entity-Ref-ID", |self| self.0.clone());

/// RFC 2369.
#[derive(Clone)]
struct ListUnsubscribe(String);
header!(ListUnsubscribe, "List-Unsubscribe", |self| format!("<{}>", self.0));

/// RFC 8058: a `POST` to that address is enough.
#[derive(Clone)]
struct ListUnsubscribePost;
header!(ListUnsubscribePost, "List-Unsubscribe-Post", |self| "List-Unsubscribe=One-Click".to_owned());

/// A mail in its language.
pub(super) struct Written {
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) html: String,
    unsubscribe: Option<Unsubscribe>,
}

impl Written {
    pub(super) fn new(
        mail: &Mail<'_>,
        content: Content,
        unsubscribe: Option<Unsubscribe>,
    ) -> Result<Self, SendError> {
        let (language, name, site) = (mail.to.language, mail.to.name(), mail.site);
        let frame = language.frame();
        let reason = mail.letter.reason(frame);
        let page = unsubscribe.as_ref().map(|unsubscribe| &*unsubscribe.page);
        let text = rendered(&Text { name, site, frame, reason, content: &content, unsubscribe: page })?;
        let language = language.as_str();
        let html =
            rendered(&Html { language, name, site, frame, reason, content: &content, unsubscribe: page })?;
        Ok(Self { subject: content.subject, text, html, unsubscribe })
    }

    /// As it is sent.
    pub(super) fn message(&self, mail: &Mail<'_>, from: &Mailbox) -> Result<Message, SendError> {
        let unmailable = || SendError::NoMailbox("mail cannot be sent to the address".into());
        let address = address(&mail.to.email).ok_or_else(unmailable)?;
        let mut builder = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(mail.to.name().map(str::to_owned), address))
            .subject(&*self.subject)
            .date(SystemTime::from(mail.date))
            .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
            .header(AutoSubmitted)
            .header(EntityRef(mail.id.to_string()));
        if let Some(unsubscribe) = &self.unsubscribe {
            builder =
                builder.header(ListUnsubscribe(unsubscribe.endpoint.clone())).header(ListUnsubscribePost);
        }
        builder
            .multipart(MultiPart::alternative_plain_html(self.text.clone(), self.html.clone()))
            .map_err(|error| SendError::Lasting(format!("the mail cannot be written: {error}")))
    }
}

fn rendered(template: &impl Template) -> Result<String, SendError> {
    template.render().map_err(|error| SendError::Lasting(format!("the mail cannot be written: {error}")))
}

/// Whether mail can be sent to an address.
#[must_use]
pub fn is_mailable(email: &str) -> bool {
    address(email).is_some()
}

/// An address as every server takes it: its domain in ASCII. What is before that has no such form.
fn address(email: &str) -> Option<Address> {
    let (local, domain) = email.rsplit_once('@').filter(|(local, _)| local.is_ascii())?;
    Address::new(local, Host::parse(domain).ok()?.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_sent_in_ascii() {
        let sent = |email| address(email).map(|address| address.to_string());
        assert_eq!(sent("ada@bücher.example").as_deref(), Some("ada@xn--bcher-kva.example"));
        assert_eq!(sent("Ada+blog@Example.com").as_deref(), Some("Ada+blog@example.com"));
        for unmailable in ["ø@example.com", "a@b c", "@example.com", "a", "a@", "สมชาย@example.com"]
        {
            assert_eq!(sent(unmailable), None, "{unmailable}");
        }
    }
}
