//! `/v1/audit`: admins read the audit log.

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::audit::model::{Action, AuditEntry};
use crate::audit::store;
use crate::auth::Admin;
use crate::db::Db;
use crate::error::ApiError;
use crate::http::extract::Query;
use crate::http::pagination::{Limit, Page, decode_cursor};
use crate::http::validation::{Validate, Violations};

/// Which page of which lines. Filters combine.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListAudit {
    /// What the user with this id did.
    actor: Option<Uuid>,
    /// Where this was done.
    #[param(inline, value_type = Option<Action>)]
    action: Option<Action>,
    /// What was done to the user, post, comment or report with this id.
    target: Option<Uuid>,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

impl Validate for ListAudit {
    fn validate(&self, violations: &mut Violations) {
        violations.check("limit", &self.limit);
    }
}

const ORDER: &str = "audit";

/// The audit log
///
/// Who did what to what is another's, newest first.
#[utoipa::path(get, path = "/v1/audit", tag = "moderation", params(ListAudit), security(("token" = [])), responses(
    (status = 200, description = "A page of lines", body = Page<AuditEntry>),
    (status = 403, description = "Only for admins"),
))]
pub async fn list_audit(
    _: Admin,
    State(db): State<Db>,
    uri: OriginalUri,
    Query(query): Query<ListAudit>,
) -> Result<Page<AuditEntry>, ApiError> {
    let filter = store::AuditFilter {
        actor: query.actor,
        action: query.action,
        target: query.target,
        after: decode_cursor(ORDER, query.cursor.as_deref())?,
        rows: query.limit.rows(),
    };
    let rows = store::list_audit(&mut db.acquire().await?, &filter).await?;
    Page::new(rows, query.limit, ORDER, |entry: &AuditEntry| entry.id, &uri)
}
