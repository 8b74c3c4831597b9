//! What a user is: the rules of each field, and how others and the user see it.

mod invitation;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use unicode_normalization::UnicodeNormalization;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::auth::password::Password;
use crate::http::conditional::Versioned;
use crate::http::validation::{Rule, RuleViolation, Violations, length, text_type};
use crate::identity::{DELETED_USER, Role};
use crate::mail::MailLanguage;
use crate::media::model::Image;
use crate::text;
use crate::text_enum::text_enum;
pub use invitation::{INVITATION_LIFETIME, Invitation, InvitationPath};

/// A name for a URL and an @-mention: unique whatever its case.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, min_length = 1, max_length = 39, pattern = "^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*$", example = "ada")]
pub struct Username(String);

impl Username {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Username {
    fn from(name: String) -> Self {
        Self(name)
    }
}

impl Rule for Username {
    fn check(&self) -> Result<(), RuleViolation> {
        length(&self.0, 1, 39)?;
        if !self.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte)) {
            Err(("invalid_character", "must have only letters A-Z, digits, `_`, `.` and `-`".into()))
        } else if self.0.split('.').any(str::is_empty) {
            // URLs and file systems read `.` and `..` as paths, and some drop a dot at the end.
            Err(("invalid_username", "must not begin or end with `.`, nor have two of them together".into()))
        } else {
            Ok(())
        }
    }
}

/// An e-mail address: unique whatever its case. Only its form is checked.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(from = "String")]
#[schema(value_type = String, min_length = 3, max_length = 254,
         pattern = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+$", example = "ada@example.com")]
pub struct Email(String);

impl Email {
    /// The address as it was typed, in NFC.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What no two accounts share.
    #[must_use]
    pub fn key(&self) -> String {
        text::fold(&self.0)
    }
}

impl From<String> for Email {
    fn from(address: String) -> Self {
        Self(address.nfc().collect())
    }
}

impl Rule for Email {
    fn check(&self) -> Result<(), RuleViolation> {
        length(&self.0, 3, 254)?;
        if self.0.chars().any(|c| text::is_invisible(c) && !c.is_whitespace() && !c.is_control()) {
            return Err(("invalid_email", "must not have characters that nobody sees".into()));
        }
        let blank = |c: char| c.is_whitespace() || c.is_control();
        match self.0.split_once('@') {
            Some((local, domain))
                if !local.is_empty()
                    && !domain.is_empty()
                    && !domain.contains('@')
                    && !self.0.contains(blank) =>
            {
                Ok(())
            }
            _ => Err(("invalid_email", "must be an e-mail address like ada@example.com".into())),
        }
    }
}

text_type!(
    /// The name shown to readers.
    DisplayName, line, LINE, 1..=80, "Ada Lovelace", not_deleted_user);

fn not_deleted_user(name: &str) -> Result<(), RuleViolation> {
    if text::looks_like(name, DELETED_USER) {
        return Err(("reserved", format!("must not look like `{DELETED_USER}`").into()));
    }
    Ok(())
}

text_type!(
    /// What a user says of themselves, in plain text.
    Bio, block, BLOCK, 1..=2000, "Writes about engines.");

/// Checks a new password against the account it is for.
pub fn check_password(
    violations: &mut Violations,
    password: &Password,
    username: Option<&str>,
    email: Option<&str>,
) {
    violations.check("password", password);
    if [username, email].into_iter().flatten().any(|name| password.resembles(name)) {
        violations.add("password", "same_as_account", "must not be the username or the e-mail address");
    }
}

/// A user as everybody sees them: never with the e-mail address.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Profile {
    /// The user's id.
    pub id: Uuid,
    /// The unique name.
    #[schema(example = "ada")]
    pub username: String,
    /// The name shown to readers.
    #[schema(required, example = "Ada Lovelace")]
    pub display_name: Option<String>,
    /// What the user says of themselves.
    #[schema(required, example = "Writes about engines.")]
    pub bio: Option<String>,
    /// The picture that stands for them.
    #[schema(required, value_type = Option<Image>)]
    pub avatar: Option<Json<Image>>,
    /// Grows with each change; the `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
}

text_enum! {
    /// Why an address takes no mail.
    pub enum Undeliverable {
        /// Mail to it came back for good.
        Bounce = "bounce",
        /// Its reader has said that mail from here is spam.
        Complaint = "complaint",
    }
}

/// A user as they themselves and admins see them.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Account {
    /// The user's id.
    pub id: Uuid,
    /// The unique name.
    #[schema(example = "ada")]
    pub username: String,
    /// The unique e-mail address.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// When the user has shown that they read it.
    #[schema(required)]
    pub email_verified_at: Option<DateTime<Utc>>,
    /// Why only what the user asks for is mailed there; null if all is.
    #[schema(required)]
    pub email_undeliverable: Option<Undeliverable>,
    /// The address that takes its place once it is verified.
    #[schema(required, example = "ada@example.org")]
    pub pending_email: Option<String>,
    /// What the user may do.
    pub role: Role,
    /// The name shown to readers.
    #[schema(required, example = "Ada Lovelace")]
    pub display_name: Option<String>,
    /// What the user says of themselves.
    #[schema(required, example = "Writes about engines.")]
    pub bio: Option<String>,
    /// The picture that stands for them.
    #[schema(required, value_type = Option<Image>)]
    pub avatar: Option<Json<Image>>,
    /// Until when the user writes nothing; a time in the past is of a ban that has ended.
    #[schema(required)]
    pub banned_until: Option<DateTime<Utc>>,
    /// Why the user was banned.
    #[schema(required, example = "Advertising under every post.")]
    pub ban_reason: Option<String>,
    /// The language of mails to the user.
    pub language: MailLanguage,
    /// Grows with each change; the `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When the account was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
}

impl Versioned for Profile {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Versioned for Account {
    fn version(&self) -> i64 {
        self.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn email(text: &str) -> bool {
        Email::from(text.to_owned()).check().is_ok()
    }

    #[test]
    fn no_username_reads_as_a_path() {
        let username = |text: &str| Username::from(text.to_owned()).check().is_ok();
        assert!(username("ada.l") && username("-_") && username("A1") && username("a.b.c"));
        for path in [".", "..", "...", ".ada", "ada.", "a..b", "a/b", "", "é", "a b"] {
            assert!(!username(path), "{path:?}");
        }
    }

    #[test]
    fn nobody_is_called_as_a_deleted_user() {
        assert!(DisplayName::from("Deleted Uѕer").check().is_err());
        assert!(DisplayName::from("Ada, deleted by no user").check().is_ok());
    }

    #[test]
    fn e_mail_addresses_have_one_at_sign_and_no_blanks() {
        assert!(email("a@b") && email("ada+blog@example.com") && email("ø@exämple.dk"));
        for nonsense in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "a@b@c",
            "a b@c",
            "a\n@b",
            "a\0@b",
            "a@b\u{200b}",
            "a\u{ad}@b",
            "a@\u{2067}b",
            "a\u{85}@b",
        ] {
            assert!(!email(nonsense), "{nonsense:?}");
        }
        assert!(!email(&format!("{}@example.com", "a".repeat(250))));
    }
}

/// The path of a user.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct UserPath {
    /// The user's id
    pub id: Uuid,
}
