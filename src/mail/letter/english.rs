//! Mails in English.

use super::{Content, Frame, Item, Letter, Link, News, NewsItem, isolated, name, without_isolates};
use crate::identity::Role;

pub(super) const FRAME: Frame = Frame {
    hello: "Hello",
    account_at: "You get this mail because of your account at",
    given_at: "You get this mail because somebody gave this address at",
    or_type: "Or type this code where you are signed in:",
    or_open: "Or open this address:",
    unsubscribe: "No more mails like this one",
};

pub(super) fn content(letter: &Letter, username: &str, site: &str) -> Content {
    match letter {
        Letter::PasswordReset { link } => Content {
            subject: format!("Choose a new password for {site}"),
            paragraphs: vec![format!(
                "Somebody asked for a new password for your account “{username}”. If it was you, choose one now:"
            )],
            items: Vec::new(),
            link: Some(Link { label: "Choose a new password", url: link.clone() }),
            code: None,
            notes: vec![
                "The link works once, within 30 minutes.".into(),
                "If it was not you, do nothing: your password stays as it is.".into(),
            ],
        },
        Letter::PasswordChanged => Content {
            subject: format!("Your password for {site} was changed"),
            paragraphs: vec![
                format!("A new password was just chosen for your account “{username}”, by a link that we had sent to this address. All devices were signed out, and API tokens revoked."),
                "If it was not you, somebody else reads your mail: change the password of your mailbox first, and then this one.".into(),
            ],
            items: Vec::new(),
            link: None,
            code: None,
            notes: Vec::new(),
        },
        Letter::EmailVerification { link, code } => Content {
            subject: format!("Is this your address at {site}?"),
            paragraphs: vec![format!("Your account “{username}” has this e-mail address. Confirm that you read it:")],
            items: Vec::new(),
            link: Some(Link { label: "Confirm the address", url: link.clone() }),
            code: Some(code.clone()),
            notes: vec![
                "The link and the code work for a day.".into(),
                "If it is not your account, do nothing: you get no more mail from it.".into(),
            ],
        },
        Letter::EmailChanged { link } => Content {
            subject: format!("Your address at {site} was changed"),
            paragraphs: vec![format!(
                "Your account “{username}” has another e-mail address now. If it was not you, undo that at once:"
            )],
            items: Vec::new(),
            link: Some(Link { label: "Keep this address", url: link.clone() }),
            code: None,
            notes: vec![
                "The link works for seven days. It signs out every device; ask for a new password then.".into(),
            ],
        },
        Letter::SignUp { link } => Content {
            subject: format!("Your account at {site}"),
            paragraphs: vec![format!(
                "Somebody signed up at {site} with this e-mail address. If it was you, make the account now:"
            )],
            items: Vec::new(),
            link: Some(Link { label: "Make the account", url: link.clone() }),
            code: None,
            notes: vec![
                "The link works for a day.".into(),
                "If it was not you, do nothing: there will be no account.".into(),
            ],
        },
        Letter::SignUpRefused => Content {
            subject: format!("You already have an account at {site}"),
            paragraphs: vec![
                format!("Somebody just tried to sign up at {site} with this e-mail address. It has an account already: “{username}”."),
                "If it was you, sign in with this address. If you have forgotten the password, ask for a new one there.".into(),
                "If it was not you, do nothing: nobody was told that you have an account.".into(),
            ],
            items: Vec::new(),
            link: None,
            code: None,
            notes: Vec::new(),
        },
        Letter::Invitation { inviter, role, link } => Content {
            subject: format!("An invitation to {site}"),
            paragraphs: vec![format!("“{inviter}” invites you to {site}, {}.", invited_as(*role))],
            items: Vec::new(),
            link: Some(Link { label: "Accept the invitation", url: link.clone() }),
            code: None,
            notes: vec![
                "The link works for seven days.".into(),
                "If you do not want an account, do nothing.".into(),
            ],
        },
        Letter::WebhookDisabled { id, gone } => webhook_disabled(id, *gone, site),
        Letter::Notifications { items, more } => notifications(items, *more, site),
    }
}

fn webhook_disabled(id: &str, gone: bool, site: &str) -> Content {
    let why = if gone {
        "its receiver says that it is gone for good"
    } else {
        "nothing has arrived there for five days"
    };
    Content {
        subject: format!("A webhook of {site} was turned off"),
        paragraphs: vec![
            format!("The webhook {id} was turned off: {why}."),
            "What happens from now on is not sent there. Once the receiver works again, turn the webhook on in the API, and have it sent what it has missed.".into(),
        ],
        items: Vec::new(),
        link: None,
        code: None,
        notes: Vec::new(),
    }
}

fn invited_as(role: Role) -> &'static str {
    match role {
        Role::Reader => "to read and comment",
        Role::Author => "to write as an author",
        Role::Editor => "to work as an editor",
        Role::Admin => "to manage it as an admin",
    }
}

fn notifications(items: &[NewsItem], more: usize, site: &str) -> Content {
    let subject = match items {
        [only] => without_isolates(&text(&only.news)),
        _ => format!("{} new notifications from {site}", items.len() + more),
    };
    Content {
        subject,
        paragraphs: Vec::new(),
        items: items.iter().map(|item| Item { text: text(&item.news), url: item.url.clone() }).collect(),
        link: None,
        code: None,
        notes: if more > 0 { vec![format!("And {more} more.")] } else { Vec::new() },
    }
}

fn text(news: &News) -> String {
    let who = |who: &Option<String>| name(who.as_deref(), "A deleted user");
    match news {
        News::Reply { who: by, post } => {
            format!("{} replied to your comment on “{}”", who(by), isolated(post))
        }
        News::Comment { who: by, post } => format!("{} commented on your post “{}”", who(by), isolated(post)),
        News::HeldComment { who: by, post } => {
            let by = name(by.as_deref(), "a deleted user");
            format!("A comment by {by} on “{}” waits for an editor", isolated(post))
        }
        News::Report { who: by } => format!("{} reported something to the editors", who(by)),
        News::Post { who: by, post } => format!("{} published “{}”", who(by), isolated(post)),
    }
}
