//! A mail as it is sent: both of its parts, and the headers that receivers look at.

use std::time::SystemTime;

use askama::Template;
use lettre::Address;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use url::Host;

use super::letter::{Content, Frame};
use super::{Mail, SendError};

#[derive(Template)]
#[template(path = "mail.html")]
struct Html<'a> {
    language: &'a str,
    name: Option<&'a str>,
    site: &'a str,
    frame: &'a Frame,
    reason: &'a str,
    content: &'a Content,
}

#[derive(Template)]
#[template(path = "mail.txt")]
struct Text<'a> {
    name: Option<&'a str>,
    site: &'a str,
    frame: &'a Frame,
    reason: &'a str,
    content: &'a Content,
}

/// RFC 3834: nobody's absence is announced to it.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

pub(super) fn html(mail: &Mail<'_>, content: &Content) -> Result<String, SendError> {
    let language = mail.to.language;
    let (name, site, frame) = (mail.to.name(), mail.site, language.frame());
    let reason = mail.letter.reason(frame);
    rendered(&Html { language: language.as_str(), name, site, frame, reason, content })
}

pub(super) fn text(mail: &Mail<'_>, content: &Content) -> Result<String, SendError> {
    let (name, site, frame) = (mail.to.name(), mail.site, mail.to.language.frame());
    rendered(&Text { name, site, frame, reason: mail.letter.reason(frame), content })
}

fn rendered(template: &impl Template) -> Result<String, SendError> {
    template.render().map_err(|error| SendError::Lasting(format!("the mail cannot be written: {error}")))
}

/// An address as every server takes it: its domain in ASCII. What is before that has no such form.
fn address(email: &str) -> Option<Address> {
    let (local, domain) = email.rsplit_once('@').filter(|(local, _)| local.is_ascii())?;
    Address::new(local, Host::parse(domain).ok()?.to_string()).ok()
}

pub(super) fn message(mail: &Mail<'_>, content: &Content, from: &Mailbox) -> Result<Message, SendError> {
    let unmailable = || SendError::Lasting("mail cannot be sent to the address".into());
    let address = address(&mail.to.email).ok_or_else(unmailable)?;
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(mail.to.name().map(str::to_owned), address))
        .subject(&content.subject)
        .date(SystemTime::from(mail.date))
        .message_id(Some(format!("<{}@{}>", mail.id, from.email.domain())))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(text(mail, content)?, html(mail, content)?))
        .map_err(|error| SendError::Lasting(format!("the mail cannot be written: {error}")))
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
