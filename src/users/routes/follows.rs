//! Following users, and who follows whom.

use axum::extract::State;
use axum::http::StatusCode;
use uuid::Uuid;

use crate::auth::scope::{FOLLOWS_WRITE, USERS_READ};
use crate::auth::{Anyone, Member};
use crate::cache::{Invalidates, Scope};
use crate::db::{Connection, Db};
use crate::error::ApiError;
use crate::http::extract::Path;
use crate::http::now::Now;
use crate::http::pagination::{Page, PageQuery, PageRequest};
use crate::users::model::{Profile, UserPath};
use crate::users::store::{self, Followed};

/// Follow a user
///
/// Their posts are in the caller's feed from then on. Following again changes nothing.
#[utoipa::path(put, path = "/v1/users/{id}/follow", tag = "users", params(UserPath),
    security(("token" = ["follows:write"])), responses(
    (status = 204, description = "The caller follows the user"),
    (status = 404, description = "No such user"),
    (status = 409, description = "The caller themselves, or one more than the 1,000 that one user can follow"),
))]
pub async fn follow(
    Member(user): Member<FOLLOWS_WRITE>,
    State(db): State<Db>,
    Now(now): Now,
    Path(UserPath { id }): Path<UserPath>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    if user.id == id {
        return Err(ApiError::conflict("id", "oneself", "must be of another user than the caller"));
    }
    let mut transaction = db.begin().await?;
    let followed = store::follow(&mut transaction, user.id, id, now).await?;
    match followed {
        Followed::Yes | Followed::Already => {
            transaction.commit().await?;
            let changed = Invalidates::if_changed(followed == Followed::Yes, Scope::Everything);
            Ok((StatusCode::NO_CONTENT, changed))
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
#[utoipa::path(delete, path = "/v1/users/{id}/follow", tag = "users", params(UserPath),
    security(("token" = ["follows:write"])), responses(
    (status = 204, description = "The caller does not follow the user"),
    (status = 404, description = "No such user"),
))]
pub async fn unfollow(
    Member(user): Member<FOLLOWS_WRITE>,
    State(db): State<Db>,
    Path(UserPath { id }): Path<UserPath>,
) -> Result<(StatusCode, Invalidates), ApiError> {
    let mut connection = db.acquire().await?;
    require_user(&mut connection, id).await?;
    let changed = store::unfollow(&mut connection, user.id, id).await?;
    Ok((StatusCode::NO_CONTENT, Invalidates::if_changed(changed, Scope::Everything)))
}

const FOLLOWING: &str = "following";

/// Whom a user follows
///
/// The newest accounts first.
#[utoipa::path(get, path = "/v1/users/{id}/following", tag = "users",
    params(UserPath, PageQuery), security((), ("token" = ["users:read"])), responses(
    (status = 200, description = "A page of profiles", body = Page<Profile>),
    (status = 404, description = "No such user"),
))]
pub async fn following(
    Anyone(viewer): Anyone<USERS_READ>,
    State(db): State<Db>,
    Path(UserPath { id }): Path<UserPath>,
    request: PageRequest,
) -> Result<Page<Profile>, ApiError> {
    let after = request.after(FOLLOWING)?;
    let mut connection = viewer.acquire(&db).await?;
    require_user(&mut connection, id).await?;
    let rows = store::following(&mut connection, id, after, request.rows()).await?;
    request.page(rows, FOLLOWING, |profile: &Profile| profile.id)
}

const FOLLOWERS: &str = "followers";

/// Who follows a user
///
/// The newest accounts first.
#[utoipa::path(get, path = "/v1/users/{id}/followers", tag = "users",
    params(UserPath, PageQuery), security((), ("token" = ["users:read"])), responses(
    (status = 200, description = "A page of profiles", body = Page<Profile>),
    (status = 404, description = "No such user"),
))]
pub async fn followers(
    Anyone(viewer): Anyone<USERS_READ>,
    State(db): State<Db>,
    Path(UserPath { id }): Path<UserPath>,
    request: PageRequest,
) -> Result<Page<Profile>, ApiError> {
    let after = request.after(FOLLOWERS)?;
    let mut connection = viewer.acquire(&db).await?;
    require_user(&mut connection, id).await?;
    let rows = store::followers(&mut connection, id, after, request.rows()).await?;
    request.page(rows, FOLLOWERS, |profile: &Profile| profile.id)
}

async fn require_user(connection: &mut Connection, id: Uuid) -> Result<(), ApiError> {
    store::profile(connection, id).await?.map(drop).ok_or(ApiError::NotFound)
}
