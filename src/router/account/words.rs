//! The words of the pages, in each language: what is missing there does not compile.

use super::Page;
use crate::mail::MailLanguage;

/// The words of one page.
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) submit: &'static str,
    pub(super) done: &'static str,
    pub(super) expired: &'static str,
}

/// The words of all pages.
pub(super) struct Common {
    pub(super) incomplete: &'static str,
    pub(super) password: &'static str,
    pub(super) rule: &'static str,
    pub(super) refused: &'static str,
    pub(super) username: &'static str,
    pub(super) username_rule: &'static str,
    /// It is somebody else's.
    pub(super) username_taken: &'static str,
    pub(super) username_refused: &'static str,
    /// Nobody signs up without an invitation.
    pub(super) closed: &'static str,
    /// Somebody else has the address.
    pub(super) taken: &'static str,
    pub(super) failed: &'static str,
    pub(super) needs_script: &'static str,
    pub(super) to_the_site: &'static str,
}

pub(super) fn common(language: MailLanguage) -> &'static Common {
    match language {
        MailLanguage::English => &Common {
            incomplete: "This address is not whole: open the link in the mail again.",
            password: "Password",
            rule: "At least 8 characters. Not your name, not your e-mail address, and none of the most common passwords.",
            refused: "This password is too short, too common, or your name.",
            username: "Username",
            username_rule: "Letters A–Z, digits, underscores, dots and hyphens. Everybody sees it.",
            username_taken: "Somebody else has this username: choose another.",
            username_refused: "This username has other characters, or a dot at its beginning, at its end, or beside another.",
            closed: "Nobody signs up here any more without an invitation.",
            taken: "Another account has this address by now.",
            failed: "That did not work. Try again later.",
            needs_script: "This page needs JavaScript.",
            to_the_site: "To the site",
        },
        MailLanguage::German => &Common {
            incomplete: "Diese Adresse ist nicht vollständig: Öffnen Sie noch einmal den Link in der E-Mail.",
            password: "Passwort",
            rule: "Mindestens 8 Zeichen. Nicht Ihr Name, nicht Ihre E-Mail-Adresse und keines der häufigsten Passwörter.",
            refused: "Dieses Passwort ist zu kurz, zu häufig oder Ihr Name.",
            username: "Benutzername",
            username_rule: "Buchstaben A–Z, Ziffern, Unterstriche, Punkte und Bindestriche. Alle sehen ihn.",
            username_taken: "Diesen Benutzernamen hat schon jemand: Wählen Sie einen anderen.",
            username_refused: "Dieser Benutzername enthält andere Zeichen oder einen Punkt am Anfang, am Ende oder neben einem anderen.",
            closed: "Hier registriert sich niemand mehr ohne Einladung.",
            taken: "Inzwischen hat ein anderes Konto diese Adresse.",
            failed: "Das hat nicht geklappt. Versuchen Sie es später noch einmal.",
            needs_script: "Diese Seite braucht JavaScript.",
            to_the_site: "Zur Website",
        },
    }
}

pub(super) fn words(page: Page, language: MailLanguage) -> &'static Words {
    match (page, language) {
        (Page::PasswordReset, MailLanguage::English) => &Words {
            title: "Choose a new password",
            submit: "Change the password",
            done: "Your password is changed. Sign in with it.",
            expired: "This link was used or is too old. Ask for a new one.",
        },
        (Page::PasswordReset, MailLanguage::German) => &Words {
            title: "Neues Passwort wählen",
            submit: "Passwort ändern",
            done: "Ihr Passwort ist geändert. Melden Sie sich damit an.",
            expired: "Dieser Link wurde schon benutzt oder ist zu alt. Fordern Sie einen neuen an.",
        },
        (Page::EmailVerification, MailLanguage::English) => &Words {
            title: "Confirm your address",
            submit: "I read this address",
            done: "Thank you: the address is confirmed.",
            expired: "This link was used or is too old. Have a new one mailed.",
        },
        (Page::EmailVerification, MailLanguage::German) => &Words {
            title: "Adresse bestätigen",
            submit: "Ich lese diese Adresse",
            done: "Danke: Die Adresse ist bestätigt.",
            expired: "Dieser Link wurde schon benutzt oder ist zu alt. Lassen Sie sich einen neuen schicken.",
        },
        (Page::EmailUndo, MailLanguage::English) => &Words {
            title: "Keep your old address",
            submit: "Undo the change",
            done: "Your account has this address again, and every device is signed out. Ask for a new password now.",
            expired: "This link was used or is too old.",
        },
        (Page::EmailUndo, MailLanguage::German) => &Words {
            title: "Alte Adresse behalten",
            submit: "Änderung rückgängig machen",
            done: "Ihr Konto hat wieder diese Adresse, und alle Geräte sind abgemeldet. Fordern Sie jetzt ein neues Passwort an.",
            expired: "Dieser Link wurde schon benutzt oder ist zu alt.",
        },
        (Page::Unsubscribe, MailLanguage::English) => &Words {
            title: "No more mails like this one?",
            submit: "Unsubscribe",
            done: "You get no more mails like this one. In your account you can have them again.",
            expired: "This link is not whole, or the account is gone.",
        },
        (Page::Unsubscribe, MailLanguage::German) => &Words {
            title: "Keine solchen E-Mails mehr?",
            submit: "Abbestellen",
            done: "Sie erhalten keine solchen E-Mails mehr. In Ihrem Konto können Sie sie wieder bestellen.",
            expired: "Dieser Link ist nicht vollständig, oder das Konto gibt es nicht mehr.",
        },
        (Page::SignUp, MailLanguage::English) => &Words {
            title: "Make your account",
            submit: "Make the account",
            done: "Your account is made. Sign in with it.",
            expired: "This link was used or is too old. Sign up again.",
        },
        (Page::SignUp, MailLanguage::German) => &Words {
            title: "Konto anlegen",
            submit: "Konto anlegen",
            done: "Ihr Konto ist angelegt. Melden Sie sich damit an.",
            expired: "Dieser Link wurde schon benutzt oder ist zu alt. Registrieren Sie sich noch einmal.",
        },
        (Page::Invitation, MailLanguage::English) => &Words {
            title: "Accept the invitation",
            submit: "Make the account",
            done: "Your account is made. Sign in with it.",
            expired: "This invitation was used or taken back, or is too old. Ask to be invited again.",
        },
        (Page::Invitation, MailLanguage::German) => &Words {
            title: "Einladung annehmen",
            submit: "Konto anlegen",
            done: "Ihr Konto ist angelegt. Melden Sie sich damit an.",
            expired: "Diese Einladung wurde schon benutzt oder zurückgenommen oder ist zu alt. Bitten Sie um eine neue.",
        },
    }
}
