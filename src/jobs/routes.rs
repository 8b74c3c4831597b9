//! `/v1/jobs`: admins see what is not done, and have what was given up tried anew.

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::model::{Job, JobPath, JobStatus};
use super::store;
use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::Admin;
use crate::auth::scope::JOBS;
use crate::cache::{Invalidates, Scope};
use crate::db::Db;
use crate::db::channel::Wake;
use crate::error::ApiError;
use crate::http::extract::{Json, Path};
use crate::http::idempotency::Idempotency;
use crate::http::now::Now;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::http::validation::{Validate, Violations};

/// Which page of which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListJobs {
    /// Those with this status; `failed` if absent.
    #[param(inline, value_type = Option<JobStatus>)]
    status: Option<JobStatus>,
}

impl Validate for ListJobs {
    fn validate(&self, _violations: &mut Violations) {}
}

/// Jobs
///
/// What is done later, such as mail, and is not done yet: by status, oldest first. A job that is done is gone, and
/// one that was given up after 30 days.
#[utoipa::path(get, path = "/v1/jobs", tag = "jobs", params(ListJobs, PageQuery), security(("token" = ["jobs"])), responses(
    (status = 200, description = "A page of jobs", body = Page<Job>),
    (status = 403, description = "Only for admins"),
))]
pub async fn list_jobs(
    _: Admin<JOBS>,
    State(db): State<Db>,
    Now(now): Now,
    request: PageRequest<ListJobs>,
) -> Result<Page<Job>, ApiError> {
    let status = request.filter.status.unwrap_or(JobStatus::Failed);
    let order = format!("jobs-{}", status.as_str());
    let after = request.after(&order)?;
    let rows = store::list(&mut db.acquire().await?, status, after, request.rows(), now).await?;
    request.page(rows, &order, |job: &Job| job.id)
}

/// Try a job anew
///
/// One that was given up, as often as a new one.
#[utoipa::path(post, path = "/v1/jobs/{id}/retry", tag = "jobs", params(JobPath), security(("token" = ["jobs"])), responses(
    (status = 200, description = "The job, which is due now", body = Job),
    (status = 403, description = "Only for admins"),
    (status = 404, description = "No such job: it may be done"),
    (status = 409, description = "It was not given up"),
))]
pub async fn retry_job(
    Admin(user): Admin<JOBS>,
    State(wake): State<Wake>,
    Now(now): Now,
    Path(JobPath { id }): Path<JobPath>,
    key: Idempotency,
) -> Result<Response, ApiError> {
    let response = key
        .run(Some(user.id), async |write| {
            let retried = store::retry(write, id, now).await?;
            let job = store::find(write, id, now).await?.ok_or(ApiError::NotFound)?;
            if !retried {
                return Err(ApiError::conflict("id", "not_failed", "is of a job that was not given up"));
            }
            let details = json!({"kind": job.kind});
            let entry = Entry::by(&user, Action::JobRetried, id, details);
            audit::record(write, &entry, now).await?;
            Ok((Invalidates(Scope::Nothing), Json(job)))
        })
        .await?;
    wake.here();
    Ok(response)
}
