//! Listing tags.

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::read::list_policy;
use crate::auth::Viewer;
use crate::cache::CachePolicy;
use crate::clock::Clock;
use crate::db::Db;
use crate::error::ApiError;
use crate::http::extract::Query;
use crate::http::pagination::{Limit, Page, decode_cursor};
use crate::http::validation::{Validate, Violations};
use crate::posts::model::TagCount;
use crate::posts::store::{self, TagFilter, TagOrder};

/// The order of tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
pub enum TagSort {
    /// By name.
    #[default]
    #[serde(rename = "name")]
    Name,
    /// Those with most posts first.
    #[serde(rename = "-posts")]
    Posts,
}

impl TagSort {
    /// The name of the order in cursors.
    fn name(self) -> &'static str {
        match self {
            Self::Name => "tags-name",
            Self::Posts => "tags-posts",
        }
    }
}

/// Which page of which tags.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListTags {
    /// How the tag begins, whatever the case.
    #[serde(default)]
    #[param(pattern = r"^[^\x00]*$", example = "ru")]
    q: String,
    /// By name, or `-posts`: those with most posts first.
    #[serde(default)]
    #[param(inline, value_type = Option<TagSort>)]
    sort: TagSort,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, default = 20)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
}

impl Validate for ListTags {
    fn validate(&self, violations: &mut Violations) {
        violations.check("limit", &self.limit);
    }
}

/// Tags
///
/// Those of published posts, with how many have each.
#[utoipa::path(get, path = "/v1/tags", tag = "posts", params(ListTags), security((), ("token" = [])), responses(
    (status = 200, description = "A page of tags", body = Page<TagCount>),
))]
pub async fn list_tags(
    viewer: Viewer,
    State(db): State<Db>,
    State(clock): State<Clock>,
    uri: OriginalUri,
    Query(query): Query<ListTags>,
) -> Result<(CachePolicy, Page<TagCount>), ApiError> {
    let now = clock.now();
    let name = query.sort.name();
    let order = match query.sort {
        TagSort::Name => TagOrder::Name(decode_cursor(name, query.cursor.as_deref())?),
        TagSort::Posts => TagOrder::Posts(decode_cursor(name, query.cursor.as_deref())?),
    };
    let prefix = query.q.trim_start().to_lowercase();
    let filter = TagFilter { prefix: &prefix, rows: query.limit.rows() };
    let mut connection = viewer.begin_costly(&db).await?;
    let rows = store::list_tags(&mut connection, &filter, &order, now).await?;
    let policy = list_policy(&viewer, &mut connection, now).await?;
    let page = match query.sort {
        TagSort::Name => Page::new(rows, query.limit, name, |tag: &TagCount| tag.name.clone(), &uri),
        TagSort::Posts => {
            Page::new(rows, query.limit, name, |tag: &TagCount| (tag.posts, tag.name.clone()), &uri)
        }
    };
    Ok((policy, page?))
}
