//! Deciding about many comments at once.

use axum::extract::State;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::scope::COMMENTS_MODERATE;
use crate::auth::{Editor, User};
use crate::cache::{Invalidates, Scope};
use crate::comments::model::CommentStatus;
use crate::comments::store::{self, Locked};
use crate::db::channel::Wake;
use crate::error::ApiError;
use crate::http::extract::Json;
use crate::http::idempotency::{Idempotent, Write};
use crate::http::now::Now;
use crate::http::preconditions::RequireIfMatch;
use crate::http::validation::{Validate, Violations, check_set, items, items_if_given};
use crate::notifications::model::Event;
use crate::notifications::store as notifications;

const MAX_IDS: usize = 100;

/// What an editor does with comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Everybody reads them.
    Approve,
    /// They wait.
    Hold,
    /// They are spam: only their authors and editors read them.
    Spam,
    /// They are gone.
    Delete,
}

/// A decision about comments.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ModerateComments {
    /// The comments, each once.
    #[serde(deserialize_with = "items")]
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<Uuid>,
    /// What to do with them.
    action: Decision,
    /// The version of each that the decision is about, in the order of `ids`: if one has changed since, nothing is
    /// done. The operator may demand them, as `If-Match` of a single comment.
    #[serde(default, deserialize_with = "items_if_given")]
    #[schema(max_items = 100, nullable = false)]
    versions: Option<Vec<i64>>,
}

impl Validate for ModerateComments {
    fn validate(&self, violations: &mut Violations) {
        check_set(violations, "ids", &self.ids, MAX_IDS);
        if self.versions.as_ref().is_some_and(|versions| versions.len() != self.ids.len()) {
            violations.add("versions", "wrong_number", "must be as many as `ids`");
        }
    }
}

impl ModerateComments {
    /// Fails if one of the comments is not in the version that the decision is about.
    fn check_versions(&self, found: &[Locked]) -> Result<(), ApiError> {
        let versions = self.versions.iter().flatten();
        for (i, (id, version)) in self.ids.iter().zip(versions).enumerate() {
            if found.iter().any(|comment| comment.id == *id && comment.version != *version) {
                let detail = "is not the present version of the comment: read it again";
                return Err(ApiError::conflict(format!("versions[{i}]"), "changed", detail));
            }
        }
        Ok(())
    }
}

/// What became of the comments, in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
pub struct Moderated {
    /// Those that the decision changed.
    changed: Vec<Uuid>,
    /// Those that were so already.
    unchanged: Vec<Uuid>,
    /// Those that are not there, or no more.
    not_found: Vec<Uuid>,
}

/// Moderate many comments
///
/// All of them or, if anything goes wrong, none.
#[utoipa::path(post, path = "/v1/comments/moderation", tag = "comments", request_body = ModerateComments,
    security(("token" = ["comments:moderate"])), responses(
    (status = 200, description = "What became of each", body = Moderated),
    (status = 403, description = "Only for editors"),
    (status = 409, description = "A comment is not in the version of `versions`, or the key is in use"),
    (status = 428, description = "`REQUIRE_IF_MATCH` is on, and `versions` is missing"),
))]
pub async fn moderate(
    Editor(user): Editor<COMMENTS_MODERATE>,
    Now(now): Now,
    State(wake): State<Wake>,
    State(RequireIfMatch(required)): State<RequireIfMatch>,
    Idempotent(key, body): Idempotent<ModerateComments>,
) -> Result<Response, ApiError> {
    if required && body.versions.is_none() {
        return Err(ApiError::PreconditionRequired);
    }
    let moderate = async |write: &mut Write| {
        let found = store::lock(write, &body.ids).await?;
        body.check_versions(&found)?;
        let status = match body.action {
            Decision::Approve => Some(CommentStatus::Approved),
            Decision::Hold => Some(CommentStatus::Pending),
            Decision::Spam => Some(CommentStatus::Spam),
            Decision::Delete => None,
        };
        let (changing, unchanged): (Vec<Locked>, Vec<Locked>) =
            found.iter().partition(|comment| Some(comment.status) != status);
        let changed = ids(&changing);
        let entries = if let Some(status) = status {
            store::decide(write, &changed, status, now).await?;
            notifications::queue(write, Event::Comments { ids: changed.clone() }, user.id, now).await?;
            decisions(&user, &changing, status)
        } else {
            for id in &changed {
                store::delete(write, *id, None, now).await?;
            }
            let others = changing.iter().filter(|comment| comment.author_id != Some(user.id));
            others.map(|comment| deletion(&user, comment.id, comment.status)).collect()
        };
        audit::record_all(write, &entries, now).await?;
        let mut not_found = body.ids;
        not_found.retain(|id| found.iter().all(|comment| comment.id != *id));
        not_found.sort_unstable();
        let invalidates = Invalidates::if_changed(!changed.is_empty(), Scope::Everything);
        Ok((invalidates, Json(Moderated { changed, unchanged: ids(&unchanged), not_found })))
    };
    let response = key.run(Some(user.id), moderate).await?;
    wake.here();
    Ok(response)
}

fn ids(comments: &[Locked]) -> Vec<Uuid> {
    comments.iter().map(|comment| comment.id).collect()
}

/// What the audit log says when `user` gives `status` to comments that have, in part, another.
pub(super) fn decisions(user: &User, comments: &[Locked], status: CommentStatus) -> Vec<Entry> {
    let changed = comments.iter().filter(|comment| comment.status != status);
    changed.map(|comment| entry(user, action(status), comment.id, comment.status)).collect()
}

fn action(decision: CommentStatus) -> Action {
    match decision {
        CommentStatus::Approved => Action::CommentApproved,
        CommentStatus::Pending => Action::CommentHeld,
        CommentStatus::Spam => Action::CommentSpam,
    }
}

/// What the audit log says when `user` deletes another's comment that has `status`.
pub(super) fn deletion(user: &User, id: Uuid, status: CommentStatus) -> Entry {
    entry(user, Action::CommentDeleted, id, status)
}

fn entry(user: &User, action: Action, id: Uuid, before: CommentStatus) -> Entry {
    Entry::by(user, action, id, json!({"from": before}))
}
