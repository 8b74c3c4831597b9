//! Reporting posts and comments, and deciding reports.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::scope::{REPORTS_READ, REPORTS_WRITE};
use crate::auth::{Editor, Member, SignedIn, Viewer};
use crate::cache::{Invalidates, Scope};
use crate::comments::store as comments;
use crate::db::channel::Wake;
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::{Json, Path};
use crate::http::idempotency::{Idempotent, Write};
use crate::http::now::Now;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::http::preconditions::IfMatch;
use crate::http::validation::{Validate, Violations, not_null};
use crate::moderation::model::{Report, ReportNote, ReportPath, ReportReason, ReportStatus, ReportTarget};
use crate::moderation::store;
use crate::notifications::model::Event;
use crate::notifications::store as notifications;
use crate::posts::model::PostRef;
use crate::posts::store as posts;

/// A new report, of a post or of a comment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateReport {
    /// The post, if it is one.
    post_id: Option<Uuid>,
    /// The comment, if it is one.
    comment_id: Option<Uuid>,
    /// What is wrong with it.
    reason: ReportReason,
    /// More about it, in plain text.
    note: Option<ReportNote>,
}

impl Validate for CreateReport {
    fn validate(&self, violations: &mut Violations) {
        violations.check("note", &self.note);
    }
}

impl CreateReport {
    fn target(&self) -> Result<ReportTarget, ApiError> {
        match (self.post_id, self.comment_id) {
            (Some(id), None) => Ok(ReportTarget::Post(id)),
            (None, Some(id)) => Ok(ReportTarget::Comment(id)),
            (None, None) => Err(ApiError::invalid("post_id", "required", "is required, or `comment_id`")),
            (Some(_), Some(_)) => {
                Err(ApiError::invalid("comment_id", "one_of", "must be absent if `post_id` is there"))
            }
        }
    }
}

/// Report a post or a comment
///
/// Tells editors that something is wrong with what the caller reads. Each user reports each thing once.
#[utoipa::path(post, path = "/v1/reports", tag = "moderation", request_body = CreateReport, security(("token" = ["reports:write"])), responses(
    (status = 201, description = "The new report", body = Report,
     headers(("Location" = String, description = "The path of the new report"))),
    (status = 409, description = "The caller has reported it before"),
))]
pub async fn create_report(
    Member(user): Member<REPORTS_WRITE>,
    State(wake): State<Wake>,
    Now(now): Now,
    Idempotent(key, body): Idempotent<CreateReport>,
) -> Result<Response, ApiError> {
    let target = body.target()?;
    let write = async |write: &mut Write| {
        if !is_visible(write, target, &Viewer(Some(user)), now).await? {
            return Err(ApiError::invalid(target.field(), "not_found", "names nothing that you can read"));
        }
        let new = store::NewReport {
            reporter_id: user.id,
            target,
            reason: body.reason,
            note: body.note.as_ref().map(ReportNote::as_str),
        };
        let id = store::insert_report(write, &new, now)
            .await?
            .ok_or_else(|| ApiError::conflict(target.field(), "reported", "was reported by you before"))?;
        notifications::queue(write, Event::Report { id }, user.id, now).await?;
        let report = store::find_report(write, id).await?.ok_or(ApiError::NotFound)?;
        let location = [(header::LOCATION, format!("/v1/reports/{id}"))];
        Ok((StatusCode::CREATED, location, Tagged(report)))
    };
    let response = key.run(Some(user.id), write).await?;
    wake.here();
    Ok(response)
}

/// Whether `viewer` may read the target, and the post that it is on.
async fn is_visible(
    connection: &mut Connection,
    target: ReportTarget,
    viewer: &Viewer,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    Ok(match target {
        ReportTarget::Post(id) => {
            posts::find_visible(connection, &PostRef::Id(id), viewer, now).await?.is_some()
        }
        ReportTarget::Comment(id) => comments::find_visible(connection, id, viewer, now).await?.is_some(),
    })
}

/// Which page of which reports.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListReports {
    /// Those with this status; `open` if absent.
    #[param(inline, value_type = Option<ReportStatus>)]
    status: Option<ReportStatus>,
}

impl Validate for ListReports {
    fn validate(&self, _violations: &mut Violations) {}
}

/// Reports
///
/// By status, oldest first.
#[utoipa::path(get, path = "/v1/reports", tag = "moderation", params(ListReports, PageQuery), security(("token" = ["reports:read"])), responses(
    (status = 200, description = "A page of reports", body = Page<Report>),
    (status = 403, description = "Only for editors"),
))]
pub async fn list_reports(
    _: Editor<REPORTS_READ>,
    State(db): State<Db>,
    request: PageRequest<ListReports>,
) -> Result<Page<Report>, ApiError> {
    let status = request.filter.status.unwrap_or(ReportStatus::Open);
    let order = format!("reports-{}", status.as_str());
    let after = request.after(&order)?;
    let rows = store::list_reports(&mut db.acquire().await?, status, after, request.rows()).await?;
    request.page(rows, &order, |report: &Report| report.id)
}

/// A report
///
/// For editors, and for who has made it.
#[utoipa::path(get, path = "/v1/reports/{id}", tag = "moderation", params(ReportPath),
    security(("token" = ["reports:read"])), responses(
    (status = 200, description = "The report", body = Report),
    (status = 404, description = "No such report, or not for this caller"),
))]
pub async fn read_report(
    SignedIn(user): SignedIn<REPORTS_READ>,
    State(db): State<Db>,
    Path(ReportPath { id }): Path<ReportPath>,
) -> Result<Tagged<Report>, ApiError> {
    let report = store::find_report(&mut db.acquire().await?, id).await?;
    report.and_then(|report| report.seen_by(&user)).map(Tagged).ok_or(ApiError::NotFound)
}

/// A decision about a report. What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateReport {
    /// `upheld` or `dismissed`; `open` takes a decision back.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    status: Option<ReportStatus>,
}

/// Its only field is an enum: there is nothing more to check.
impl Validate for UpdateReport {
    fn validate(&self, _violations: &mut Violations) {}
}

/// Decide a report
///
/// What is reported stays as it is: hide or delete it, or ban its author, as well. A decision that was made
/// already changes nothing, not even who made it.
#[utoipa::path(patch, path = "/v1/reports/{id}", tag = "moderation", params(ReportPath, IfMatch),
    request_body = UpdateReport, security(("token" = ["reports:write"])), responses(
    (status = 200, description = "The report as it is now", body = Report),
    (status = 403, description = "Only for editors"),
    (status = 404, description = "No such report"),
))]
pub async fn update_report(
    Editor(user): Editor<REPORTS_WRITE>,
    State(db): State<Db>,
    State(wake): State<Wake>,
    Now(now): Now,
    Path(ReportPath { id }): Path<ReportPath>,
    if_match: IfMatch,
    Json(body): Json<UpdateReport>,
) -> Result<(Invalidates, Tagged<Report>), ApiError> {
    let mut transaction = db.begin().await?;
    let mut resolved = false;
    if let Some(status) = body.status {
        let versions = if_match.versions();
        resolved = store::resolve_report(&mut transaction, id, status, user.id, versions, now).await?;
    }
    let report = store::find_report(&mut transaction, id).await?.ok_or(ApiError::NotFound)?;
    if resolved {
        let action = match report.status {
            ReportStatus::Open => Action::ReportReopened,
            ReportStatus::Upheld | ReportStatus::Dismissed => Action::ReportResolved,
        };
        let details = json!({"status": report.status});
        let entry = Entry::by(&user, action, id, details);
        audit::record(&mut transaction, &entry, now).await?;
        notifications::queue(&mut transaction, Event::Report { id }, user.id, now).await?;
    } else if if_match.versions().is_some_and(|versions| !versions.contains(&report.version)) {
        return Err(if_match.refusal(Some(report)));
    }
    transaction.commit().await?;
    wake.here();
    Ok((Invalidates::if_changed(resolved, Scope::Everything), Tagged(report)))
}
