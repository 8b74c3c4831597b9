//! What an API token is for. Its scopes stand beside the role of its user: it does what both allow.

use crate::text_enum::text_enum;

/// A set of scopes.
pub type Scopes = u32;

/// Of what no API token does: its user must be signed in.
pub const SESSION: Scopes = 0;

/// Declares the scopes, and for each the set with it alone, for the extractors.
macro_rules! scopes {
    ($($(#[$doc:meta])* $case:ident = $word:tt, $set:ident;)+) => {
        text_enum! {
            /// What an API token is for.
            #[derive(PartialOrd, Ord)]
            pub enum Scope {
                $($(#[$doc])* $case = $word,)+
            }
        }

        impl Scope {
            pub const ALL: &[Self] = &[$(Self::$case),+];
        }

        $($(#[$doc])* pub const $set: Scopes = 1 << Scope::$case as u32;)+
    };
}

// The words are stored: one that has been released stays.
scopes! {
    /// Read posts, also the user's drafts, tags, revisions and the feed of whom they follow.
    PostsRead = "posts:read", POSTS_READ;
    /// Write, publish, change, delete and restore posts.
    PostsWrite = "posts:write", POSTS_WRITE;
    /// Read comments.
    CommentsRead = "comments:read", COMMENTS_READ;
    /// Write, change and delete the user's comments.
    CommentsWrite = "comments:write", COMMENTS_WRITE;
    /// List the comments that wait, decide about comments, delete those of others.
    CommentsModerate = "comments:moderate", COMMENTS_MODERATE;
    /// List pictures and files.
    MediaRead = "media:read", MEDIA_READ;
    /// Upload, describe and delete pictures and files.
    MediaWrite = "media:write", MEDIA_WRITE;
    /// Read profiles and the user's account; of admins, list accounts.
    UsersRead = "users:read", USERS_READ;
    /// Invite readers and authors, list and take back invitations.
    UsersInvite = "users:invite", USERS_INVITE;
    /// Ban users, read and lift bans.
    UsersBan = "users:ban", USERS_BAN;
    /// Follow and unfollow.
    FollowsWrite = "follows:write", FOLLOWS_WRITE;
    /// Like and unlike.
    LikesWrite = "likes:write", LIKES_WRITE;
    /// Read what the user is told, and what they have chosen about it.
    NotificationsRead = "notifications:read", NOTIFICATIONS_READ;
    /// Mark as read, choose what the user is told, mute posts.
    NotificationsWrite = "notifications:write", NOTIFICATIONS_WRITE;
    /// Read reports.
    ReportsRead = "reports:read", REPORTS_READ;
    /// Report, and decide about reports.
    ReportsWrite = "reports:write", REPORTS_WRITE;
    /// Read what is decided about the site.
    SiteRead = "site:read", SITE_READ;
    /// Change the site.
    SiteWrite = "site:write", SITE_WRITE;
    /// Read the audit log.
    AuditRead = "audit:read", AUDIT_READ;
    /// Make, change and delete webhooks, see what was sent to them and have it sent again.
    Webhooks = "webhooks", WEBHOOKS;
    /// List jobs, and try again those that were given up.
    Jobs = "jobs", JOBS;
}

impl Scope {
    /// The set with this scope alone.
    #[must_use]
    pub fn set(self) -> Scopes {
        1 << self as u32
    }

    /// The scopes of these words; those that only a later version knows are none.
    #[must_use]
    pub fn set_of(words: &[String]) -> Scopes {
        let known = Self::ALL.iter().filter(|scope| words.iter().any(|word| word == scope.as_str()));
        known.fold(0, |set, scope| set | scope.set())
    }

    /// The words of a set.
    pub fn words(set: Scopes) -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().filter(move |scope| set & scope.set() != 0).map(|scope| scope.as_str())
    }
}
