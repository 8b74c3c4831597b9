//! Mails in German.

use super::{Content, Frame, Item, Letter, Link, News, NewsItem, isolated, name, without_isolates};
use crate::identity::Role;

pub(super) const FRAME: Frame = Frame {
    hello: "Hallo",
    account_at: "Sie erhalten diese E-Mail wegen Ihres Kontos bei",
    given_at: "Sie erhalten diese E-Mail, weil jemand diese Adresse angegeben hat bei",
    or_type: "Oder geben Sie dort, wo Sie angemeldet sind, diesen Code ein:",
    or_open: "Oder öffnen Sie diese Adresse:",
    unsubscribe: "Keine solchen E-Mails mehr",
};

pub(super) fn content(letter: &Letter, username: &str, site: &str) -> Content {
    match letter {
        Letter::PasswordReset { link } => Content {
            subject: format!("Neues Passwort für {site}"),
            paragraphs: vec![format!(
                "Jemand hat für Ihr Konto „{username}“ ein neues Passwort verlangt. Wenn Sie es waren, wählen Sie es jetzt:"
            )],
            items: Vec::new(),
            link: Some(Link { label: "Neues Passwort wählen", url: link.clone() }),
            code: None,
            notes: vec![
                "Der Link gilt einmal, innerhalb von 30 Minuten.".into(),
                "Wenn Sie es nicht waren, müssen Sie nichts tun: Ihr Passwort bleibt, wie es ist.".into(),
            ],
        },
        Letter::PasswordChanged => Content {
            subject: format!("Ihr Passwort für {site} wurde geändert"),
            paragraphs: vec![
                format!("Für Ihr Konto „{username}“ wurde gerade ein neues Passwort gewählt, über einen Link, den wir an diese Adresse geschickt hatten. Alle Geräte wurden abgemeldet und API-Tokens widerrufen."),
                "Wenn Sie es nicht waren, liest jemand Ihre E-Mails mit: Ändern Sie zuerst das Passwort Ihres Postfachs und danach dieses.".into(),
            ],
            items: Vec::new(),
            link: None,
            code: None,
            notes: Vec::new(),
        },
        Letter::EmailVerification { link, code } => Content {
            subject: format!("Ist das Ihre Adresse bei {site}?"),
            paragraphs: vec![format!("Ihr Konto „{username}“ hat diese E-Mail-Adresse. Bestätigen Sie, dass Sie sie lesen:")],
            items: Vec::new(),
            link: Some(Link { label: "Adresse bestätigen", url: link.clone() }),
            code: Some(code.clone()),
            notes: vec![
                "Der Link und der Code gelten einen Tag.".into(),
                "Wenn es nicht Ihr Konto ist, müssen Sie nichts tun: Sie erhalten keine weiteren E-Mails davon.".into(),
            ],
        },
        Letter::EmailChanged { link } => Content {
            subject: format!("Ihre Adresse bei {site} wurde geändert"),
            paragraphs: vec![format!(
                "Ihr Konto „{username}“ hat jetzt eine andere E-Mail-Adresse. Wenn Sie das nicht waren, machen Sie es sofort rückgängig:"
            )],
            items: Vec::new(),
            link: Some(Link { label: "Diese Adresse behalten", url: link.clone() }),
            code: None,
            notes: vec![
                "Der Link gilt sieben Tage. Er meldet alle Geräte ab; fordern Sie danach ein neues Passwort an.".into(),
            ],
        },
        Letter::SignUp { link } => Content {
            subject: format!("Ihr Konto bei {site}"),
            paragraphs: vec![format!(
                "Jemand hat sich bei {site} mit dieser E-Mail-Adresse registriert. Wenn Sie es waren, legen Sie das Konto jetzt an:"
            )],
            items: Vec::new(),
            link: Some(Link { label: "Konto anlegen", url: link.clone() }),
            code: None,
            notes: vec![
                "Der Link gilt einen Tag.".into(),
                "Wenn Sie es nicht waren, müssen Sie nichts tun: Dann entsteht kein Konto.".into(),
            ],
        },
        Letter::SignUpRefused => Content {
            subject: format!("Sie haben schon ein Konto bei {site}"),
            paragraphs: vec![
                format!("Jemand wollte sich gerade bei {site} mit dieser E-Mail-Adresse registrieren. Sie hat schon ein Konto: „{username}“."),
                "Wenn Sie es waren, melden Sie sich mit dieser Adresse an. Wenn Sie das Passwort vergessen haben, fordern Sie dort ein neues an.".into(),
                "Wenn Sie es nicht waren, müssen Sie nichts tun: Niemand hat erfahren, dass Sie ein Konto haben.".into(),
            ],
            items: Vec::new(),
            link: None,
            code: None,
            notes: Vec::new(),
        },
        Letter::Invitation { inviter, role, link } => Content {
            subject: format!("Einladung zu {site}"),
            paragraphs: vec![format!("„{inviter}“ lädt Sie ein, bei {site} {}.", invited_as(*role))],
            items: Vec::new(),
            link: Some(Link { label: "Einladung annehmen", url: link.clone() }),
            code: None,
            notes: vec![
                "Der Link gilt sieben Tage.".into(),
                "Wenn Sie kein Konto möchten, müssen Sie nichts tun.".into(),
            ],
        },
        Letter::WebhookDisabled { id, gone } => webhook_disabled(id, *gone, site),
        Letter::Notifications { items, more } => notifications(items, *more, site),
    }
}

fn webhook_disabled(id: &str, gone: bool, site: &str) -> Content {
    let why = if gone {
        "Der Empfänger ist nach eigener Auskunft dauerhaft weg"
    } else {
        "Seit fünf Tagen kommt dort nichts an"
    };
    Content {
        subject: format!("Ein Webhook von {site} wurde abgeschaltet"),
        paragraphs: vec![
            format!("Der Webhook {id} wurde abgeschaltet. {why}."),
            "Was von jetzt an geschieht, wird nicht mehr dorthin gesendet. Wenn der Empfänger wieder arbeitet, schalten Sie den Webhook in der API wieder ein und lassen Sie nachsenden, was er versäumt hat.".into(),
        ],
        items: Vec::new(),
        link: None,
        code: None,
        notes: Vec::new(),
    }
}

fn invited_as(role: Role) -> &'static str {
    match role {
        Role::Reader => "zu lesen und zu kommentieren",
        Role::Author => "als Autorin oder Autor zu schreiben",
        Role::Editor => "in der Redaktion mitzuarbeiten",
        Role::Admin => "alles zu verwalten",
    }
}

fn notifications(items: &[NewsItem], more: usize, site: &str) -> Content {
    let subject = match items {
        [only] => without_isolates(&text(&only.news)),
        _ => format!("{} neue Benachrichtigungen von {site}", items.len() + more),
    };
    Content {
        subject,
        paragraphs: Vec::new(),
        items: items.iter().map(|item| Item { text: text(&item.news), url: item.url.clone() }).collect(),
        link: None,
        code: None,
        notes: if more > 0 { vec![format!("Und {more} weitere.")] } else { Vec::new() },
    }
}

fn text(news: &News) -> String {
    let who = |who: &Option<String>| name(who.as_deref(), "Jemand mit gelöschtem Konto");
    match news {
        News::Reply { who: by, post } => {
            format!("{} hat auf Ihren Kommentar zu „{}“ geantwortet", who(by), isolated(post))
        }
        News::Comment { who: by, post } => {
            format!("{} hat Ihren Beitrag „{}“ kommentiert", who(by), isolated(post))
        }
        News::HeldComment { who: by, post } => {
            let by = name(by.as_deref(), "jemandem mit gelöschtem Konto");
            format!("Ein Kommentar von {by} zu „{}“ wartet auf die Redaktion", isolated(post))
        }
        News::Report { who: by } => format!("{} hat der Redaktion etwas gemeldet", who(by)),
        News::Post { who: by, post } => format!("{} hat „{}“ veröffentlicht", who(by), isolated(post)),
    }
}
