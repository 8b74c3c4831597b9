//! `/v1/audit`: admins read the audit log.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use crate::audit::model::{Action, AuditEntry};
use crate::audit::store;
use crate::auth::Admin;
use crate::auth::scope::AUDIT_READ;
use crate::db::Db;
use crate::error::ApiError;
use crate::http::pagination::{Page, PageQuery, PageRequest};
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
    /// What was done to the user, post, comment, report or job with this id.
    target: Option<Uuid>,
}

impl Validate for ListAudit {
    fn validate(&self, _violations: &mut Violations) {}
}

const ORDER: &str = "audit";

/// The audit log
///
/// Who did what to what is another's, newest first.
#[utoipa::path(get, path = "/v1/audit", tag = "moderation", params(ListAudit, PageQuery), security(("token" = ["audit:read"])), responses(
    (status = 200, description = "A page of lines", body = Page<AuditEntry>),
    (status = 403, description = "Only for admins"),
))]
pub async fn list_audit(
    _: Admin<AUDIT_READ>,
    State(db): State<Db>,
    request: PageRequest<ListAudit>,
) -> Result<Page<AuditEntry>, ApiError> {
    let filter = store::AuditFilter {
        actor: request.filter.actor,
        action: request.filter.action,
        target: request.filter.target,
        after: request.after(ORDER)?,
        rows: request.rows(),
    };
    let rows = store::list_audit(&mut db.acquire().await?, &filter).await?;
    request.page(rows, ORDER, |entry: &AuditEntry| entry.id)
}
