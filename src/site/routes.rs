//! `/v1/site`: what is decided about the whole site.

use axum::extract::State;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::audit::model::{Action, Entry};
use crate::audit::store as audit;
use crate::auth::scope::{SITE_READ, SITE_WRITE};
use crate::auth::{Admin, Anyone};
use crate::cache::{Invalidates, Scope};
use crate::db::channel::Wake;
use crate::db::{Db, Outcome};
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::extract::Json;
use crate::http::now::Now;
use crate::http::preconditions::IfMatch;
use crate::http::validation::{Validate, Violations, not_null, nullable};
use crate::site::model::{Site, SiteCommentsPolicy, SiteDescription, SiteTitle};
use crate::site::store;

/// The site
#[utoipa::path(get, path = "/v1/site", tag = "site", security((), ("token" = ["site:read"])), responses(
    (status = 200, description = "What is decided about the whole site", body = Site),
))]
pub async fn read(Anyone(viewer): Anyone<SITE_READ>, State(db): State<Db>) -> Result<Tagged<Site>, ApiError> {
    Ok(Tagged(store::read(&mut viewer.acquire(&db).await?).await?))
}

/// What changes in the site. What is absent stays; null takes away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSite {
    /// The new title.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    title: Option<SiteTitle>,
    /// What it is about, in plain text.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<SiteDescription>)]
    description: Option<Option<SiteDescription>>,
    /// Which new comments wait for an editor.
    #[serde(default, deserialize_with = "not_null")]
    #[schema(nullable = false)]
    comments_policy: Option<SiteCommentsPolicy>,
}

impl Validate for UpdateSite {
    fn validate(&self, violations: &mut Violations) {
        violations.check("title", &self.title).check("description", &self.description);
    }
}

/// Change the site
#[utoipa::path(patch, path = "/v1/site", tag = "site", params(IfMatch), request_body = UpdateSite, security(("token" = ["site:write"])), responses(
    (status = 200, description = "The site as it is now", body = Site),
    (status = 403, description = "Only for admins"),
))]
pub async fn update(
    Admin(user): Admin<SITE_WRITE>,
    State(db): State<Db>,
    State(wake): State<Wake>,
    Now(now): Now,
    if_match: IfMatch,
    Json(body): Json<UpdateSite>,
) -> Result<(Invalidates, Tagged<Site>), ApiError> {
    let changes = store::Changes {
        title: body.title.as_ref().map(SiteTitle::as_str),
        description: body.description.as_ref().map(|text| text.as_ref().map(SiteDescription::as_str)),
        comments_policy: body.comments_policy,
    };
    let mut transaction = db.begin().await?;
    let outcome = store::update(&mut transaction, &changes, if_match.versions(), now).await?;
    let site = store::read(&mut transaction).await?;
    match outcome {
        Outcome::Refused => return Err(if_match.refusal(Some(site))),
        Outcome::Unchanged => {}
        Outcome::Changed => {
            let details = json!(changes);
            let entry = Entry::by(&user, Action::SiteUpdated, None, details);
            audit::record(&mut transaction, &entry, now).await?;
        }
    }
    transaction.commit().await?;
    wake.here();
    Ok((Invalidates::if_changed(outcome == Outcome::Changed, Scope::Everything), Tagged(site)))
}
