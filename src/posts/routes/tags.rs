//! Listing tags.

use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::read::list_policy;
use crate::auth::Anyone;
use crate::auth::scope::POSTS_READ;
use crate::cache::CachePolicy;
use crate::db::Db;
use crate::error::ApiError;
use crate::http::cursor::{Count, Text};
use crate::http::now::Now;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::http::validation::{Validate, Violations};
use crate::posts::model::TagCount;
use crate::posts::store::{self, NextPublication, TagFilter, TagOrder};
use crate::text;

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
}

impl Validate for ListTags {
    fn validate(&self, _violations: &mut Violations) {}
}

/// Tags
///
/// Those of published posts, with how many have each.
#[utoipa::path(get, path = "/v1/tags", tag = "posts", params(ListTags, PageQuery), security((), ("token" = ["posts:read"])), responses(
    (status = 200, description = "A page of tags", body = Page<TagCount>),
))]
pub async fn list_tags(
    Anyone(viewer): Anyone<POSTS_READ>,
    State(db): State<Db>,
    Now(now): Now,
    State(next): State<NextPublication>,
    request: PageRequest<ListTags>,
) -> Result<(CachePolicy, Page<TagCount>), ApiError> {
    let name = request.filter.sort.name();
    let order = match request.filter.sort {
        TagSort::Name => TagOrder::Name(request.after(name)?.map(|Text(tag)| tag)),
        TagSort::Posts => TagOrder::Posts(request.after(name)?.map(|(Count(posts), Text(tag))| (posts, tag))),
    };
    let prefix = text::fold(request.filter.q.trim_start());
    let filter = TagFilter { prefix: &prefix, rows: request.rows() };
    let mut connection = viewer.begin_costly(&db).await?;
    let rows = store::list_tags(&mut connection, &filter, &order, now).await?;
    let policy = list_policy(&viewer, &next, &mut connection, now).await?;
    let page = match request.filter.sort {
        TagSort::Name => request.page(rows, name, |tag: &TagCount| tag.name.clone()),
        TagSort::Posts => request.page(rows, name, |tag: &TagCount| (tag.posts, tag.name.clone())),
    };
    Ok((policy, page?))
}
