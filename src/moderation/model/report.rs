//! What readers report to editors.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::auth::User;
use crate::http::conditional::Versioned;
use crate::http::validation::text_type;
use crate::identity::Role;
use crate::identity::UserRef;
use crate::text_enum::text_enum;

text_type!(
    /// What the reporter adds, in plain text.
    ReportNote, block, BLOCK, 1..=1000, "The same link stands under three other posts.");

text_enum! {
    /// What is wrong with what is reported.
    pub enum ReportReason {
        /// Advertising, or the same again and again.
        Spam = "spam",
        /// Insults, threats, harassment.
        Abuse = "abuse",
        /// Against the law.
        Illegal = "illegal",
        /// Not about what the post is about.
        OffTopic = "off_topic",
        /// What the note says.
        Other = "other",
    }
}

text_enum! {
    /// What editors have decided.
    pub enum ReportStatus {
        /// Nothing yet.
        Open = "open",
        /// The reporter is right.
        Upheld = "upheld",
        /// Nothing is wrong.
        Dismissed = "dismissed",
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportTarget {
    Post(Uuid),
    Comment(Uuid),
}

impl ReportTarget {
    /// The name of the field that holds its id.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::Post(_) => "post_id",
            Self::Comment(_) => "comment_id",
        }
    }

    #[must_use]
    pub fn post_id(self) -> Option<Uuid> {
        if let Self::Post(id) = self { Some(id) } else { None }
    }

    #[must_use]
    pub fn comment_id(self) -> Option<Uuid> {
        if let Self::Comment(id) = self { Some(id) } else { None }
    }
}

/// A reader's report of a post or a comment.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Report {
    /// The report's id.
    pub id: Uuid,
    /// The post that it is about, if it is about a post.
    #[schema(required)]
    pub post_id: Option<Uuid>,
    /// The comment that it is about, if it is about a comment.
    #[schema(required)]
    pub comment_id: Option<Uuid>,
    /// Who reports.
    pub reporter: UserRef,
    /// What is wrong with it.
    pub reason: ReportReason,
    /// What the reporter adds.
    #[schema(required, example = "The same link stands under three other posts.")]
    pub note: Option<String>,
    /// What editors have decided.
    pub status: ReportStatus,
    /// The editor who has decided; null while it is open, and for the reporter.
    #[schema(required)]
    pub resolver: Option<UserRef>,
    /// When it was decided; null while it is open.
    #[schema(required)]
    pub resolved_at: Option<DateTime<Utc>>,
    /// Grows with each change; the `ETag` begins with it.
    #[schema(example = 1)]
    pub version: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

impl Versioned for Report {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Report {
    /// Editors read every report, reporters their own, without learning which editor has decided.
    #[must_use]
    pub fn seen_by(self, user: &User) -> Option<Self> {
        if user.is(Role::Editor) {
            Some(self)
        } else if self.reporter.id == Some(user.id) {
            Some(Self { resolver: None, ..self })
        } else {
            None
        }
    }
}

/// The path of a report.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ReportPath {
    /// The report's id
    pub id: Uuid,
}
