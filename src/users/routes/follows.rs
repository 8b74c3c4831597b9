//! Following users, and who follows whom.

use axum::extract::{OriginalUri, State};
use axum::http::StatusCode;
use uuid::Uuid;

use crate::auth::{Member, Viewer};
use crate::clock::Clock;
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::http::extract::{Path, Query};
use crate::http::pagination::{Page, PageQuery, decode_cursor};
use crate::users::model::Profile;
use crate::users::store::{self, Followed};

/// Follow a user
///
/// Their posts are in the caller's feed from then on. Following again changes nothing.
#[utoipa::path(put, path = "/v1/users/{id}/follow", tag = "users", params(("id" = Uuid, Path, description = "The user's id")),
    security(("token" = [])), responses(
    (status = 204, description = "The caller follows the user"),
    (status = 404, description = "No such user"),
    (status = 409, description = "The caller themselves, or one more than the 1,000 that one user can follow"),
))]
pub async fn follow(
    Member(user): Member,
    State(db): State<Db>,
    State(clock): State<Clock>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    if user.id == id {
        return Err(ApiError::conflict("id", "oneself", "must be of another user than the caller"));
    }
    let mut transaction = db.begin().await?;
    match store::follow(&mut transaction, user.id, id, clock.now()).await? {
        Followed::Yes => {
            transaction.commit().await?;
            Ok(StatusCode::NO_CONTENT)
        }
        Followed::Unknown => Err(ApiError::NotFound),
        Followed::TooMany => {
            let detail = format!("is one too many: nobody follows more than {}", store::MAX_FOLLOWED);
            Err(ApiError::conflict("id", "too_many", detail))
        }
    }
}

/// Follow a user no more
///
/// Also if the caller did not.
#[utoipa::path(delete, path = "/v1/users/{id}/follow", tag = "users", params(("id" = Uuid, Path, description = "The user's id")),
    security(("token" = [])), responses(
    (status = 204, description = "The caller does not follow the user"),
    (status = 404, description = "No such user"),
))]
pub async fn unfollow(
    Member(user): Member,
    State(db): State<Db>,
    Path(id): Path<Uuid>,
) -> Result<StatusCode, ApiError> {
    let mut connection = db.acquire().await?;
    require_user(&mut connection, id).await?;
    store::unfollow(&mut connection, user.id, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

const FOLLOWING: &str = "following";

/// Whom a user follows
///
/// The newest accounts first.
#[utoipa::path(get, path = "/v1/users/{id}/following", tag = "users",
    params(("id" = Uuid, Path, description = "The user's id"), PageQuery), security((), ("token" = [])), responses(
    (status = 200, description = "A page of profiles", body = Page<Profile>),
    (status = 404, description = "No such user"),
))]
pub async fn following(
    viewer: Viewer,
    State(db): State<Db>,
    Path(id): Path<Uuid>,
    uri: OriginalUri,
    Query(query): Query<PageQuery>,
) -> Result<Page<Profile>, ApiError> {
    let after = decode_cursor(FOLLOWING, query.cursor.as_deref())?;
    let mut connection = viewer.acquire(&db).await?;
    require_user(&mut connection, id).await?;
    let rows = store::following(&mut connection, id, after, query.limit.rows()).await?;
    Page::new(rows, query.limit, FOLLOWING, |profile: &Profile| profile.id, &uri)
}

const FOLLOWERS: &str = "followers";

/// Who follows a user
///
/// The newest accounts first.
#[utoipa::path(get, path = "/v1/users/{id}/followers", tag = "users",
    params(("id" = Uuid, Path, description = "The user's id"), PageQuery), security((), ("token" = [])), responses(
    (status = 200, description = "A page of profiles", body = Page<Profile>),
    (status = 404, description = "No such user"),
))]
pub async fn followers(
    viewer: Viewer,
    State(db): State<Db>,
    Path(id): Path<Uuid>,
    uri: OriginalUri,
    Query(query): Query<PageQuery>,
) -> Result<Page<Profile>, ApiError> {
    let after = decode_cursor(FOLLOWERS, query.cursor.as_deref())?;
    let mut connection = viewer.acquire(&db).await?;
    require_user(&mut connection, id).await?;
    let rows = store::followers(&mut connection, id, after, query.limit.rows()).await?;
    Page::new(rows, query.limit, FOLLOWERS, |profile: &Profile| profile.id, &uri)
}

async fn require_user(connection: &mut Connection, id: Uuid) -> Result<(), ApiError> {
    store::profile(connection, id).await?.map(drop).ok_or(ApiError::NotFound)
}
