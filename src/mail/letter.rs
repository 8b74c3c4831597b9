//! What mails say. Each language has a file with every letter: one that is missing there does not compile.

mod english;
mod german;

use super::MailLanguage;
use crate::identity::Role;

/// What a mail is about, with what it shows.
#[derive(Clone, Debug)]
pub enum Letter {
    /// Somebody asks for a new password: the page where it is chosen.
    PasswordReset { link: String },
    /// A new password was chosen by such a link.
    PasswordChanged,
    /// Whether this address is read: the page that says so, and the code for who is on another device.
    EmailVerification { link: String, code: String },
    /// Another address has taken the place of this one: the page that undoes that.
    EmailChanged { link: String },
    /// Whether this is the address of who signs up: the page that makes the account.
    SignUp { link: String },
    /// Somebody has tried to sign up with this address, which has an account.
    SignUpRefused,
    /// Who is called `inviter` offers an account with this role: the page that makes it.
    Invitation { inviter: String, role: Role, link: String },
    /// A webhook was turned off, since its receiver is `gone` or has failed for days.
    WebhookDisabled { id: String, gone: bool },
    /// What has happened that the user wants to know, newest first, and how much beside that.
    Notifications { items: Vec<NewsItem>, more: usize },
}

/// Something that has happened.
#[derive(Clone, Debug)]
pub struct NewsItem {
    pub news: News,
    /// Where it is read.
    pub url: Option<String>,
}

/// What has happened: `who` did it, unless they were deleted, and `post` is the title.
#[derive(Clone, Debug)]
pub enum News {
    Reply { who: Option<String>, post: String },
    Comment { who: Option<String>, post: String },
    HeldComment { who: Option<String>, post: String },
    Report { who: Option<String> },
    Post { who: Option<String>, post: String },
}

/// A letter in one language.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) subject: String,
    /// Before the link, if there is one.
    pub(super) paragraphs: Vec<String>,
    pub(super) items: Vec<Item>,
    pub(super) link: Option<Link>,
    /// Digits to be typed.
    pub(super) code: Option<String>,
    /// After it.
    pub(super) notes: Vec<String>,
}

/// One of several things, and where it is read.
#[derive(Debug)]
pub(super) struct Item {
    /// What is [`isolated`] in it has its own direction.
    pub(super) text: String,
    pub(super) url: Option<String>,
}

impl Item {
    /// The text in pieces, and whether each is isolated.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (bool, &str)> {
        let pieces = self.text.split([FIRST_STRONG_ISOLATE, POP_DIRECTIONAL_ISOLATE]).enumerate();
        pieces.map(|(n, piece)| (n % 2 == 1, piece))
    }
}

const FIRST_STRONG_ISOLATE: char = '\u{2068}';
const POP_DIRECTIONAL_ISOLATE: char = '\u{2069}';

/// A name or a title that keeps its direction to itself, whatever marks of direction it has.
fn isolated(name: &str) -> String {
    format!("{FIRST_STRONG_ISOLATE}{}{POP_DIRECTIONAL_ISOLATE}", without_isolates(name))
}

/// Also for subjects, where filters take what is invisible for a disguise.
fn without_isolates(text: &str) -> String {
    text.replace(|c| matches!(c, '\u{2066}'..=POP_DIRECTIONAL_ISOLATE), "")
}

/// Who did it: the name, or what the language calls somebody who was deleted.
fn name(who: Option<&str>, deleted: &str) -> String {
    who.map_or_else(|| deleted.to_owned(), isolated)
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) label: &'static str,
    pub(super) url: String,
}

/// What surrounds every letter.
pub(super) struct Frame {
    pub(super) hello: &'static str,
    /// Before the site's title, at the end.
    pub(super) account_at: &'static str,
    /// The same for who has no account.
    pub(super) given_at: &'static str,
    /// Before a code.
    pub(super) or_type: &'static str,
    /// Before the address of a link.
    pub(super) or_open: &'static str,
    /// What ends mails like this one.
    pub(super) unsubscribe: &'static str,
}

impl Letter {
    /// Why it is sent, before the site's title.
    pub(super) fn reason(&self, frame: &Frame) -> &'static str {
        match self {
            Self::SignUp { .. } | Self::Invitation { .. } => frame.given_at,
            _ => frame.account_at,
        }
    }

    /// What it says in `language` to the user called `username` of the site with this title.
    pub(super) fn content(&self, language: MailLanguage, username: &str, site: &str) -> Content {
        match language {
            MailLanguage::English => english::content(self, username, site),
            MailLanguage::German => german::content(self, username, site),
        }
    }
}

impl MailLanguage {
    pub(super) fn frame(self) -> &'static Frame {
        match self {
            Self::English => &english::FRAME,
            Self::German => &german::FRAME,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_isolated_whatever_they_have() {
        for name in ["Ada", "أدا", "a\u{2069}b", "\u{2068}", ""] {
            let item = Item { text: format!("{} wrote “{}”", isolated(name), isolated("x")), url: None };
            let pieces: Vec<_> = item.pieces().collect();
            let name = without_isolates(name);
            let expected = [(false, ""), (true, &*name), (false, " wrote “"), (true, "x"), (false, "”")];
            assert_eq!(pieces, expected, "{name}");
        }
    }
}
