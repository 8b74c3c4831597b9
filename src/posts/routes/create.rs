//! Writing posts.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::Response;
use uuid::Uuid;

use super::body::CreatePost;
use super::covers::{ChosenCover, choose};
use super::slugs::taken;
use super::write::tell;
use crate::auth::scope::POSTS_WRITE;
use crate::auth::{Author, ONLY_FOR_AUTHORS};
use crate::cache::{Invalidates, Scope};
use crate::db::channel::Wake;
use crate::error::ApiError;
use crate::http::conditional::Tagged;
use crate::http::idempotency::{Idempotent, Write};
use crate::http::now::Now;
use crate::identity::Role;
use crate::language::Language;
use crate::markdown::Renderer;
use crate::media::storage::MaybeStorage;
use crate::posts::model::{Post, PostRef, Slug, stored_tags};
use crate::posts::store;

/// How often a slug made from a title is tried, each time but the first with another random suffix.
const SLUG_ATTEMPTS: usize = 4;

/// Write a post
#[utoipa::path(post, path = "/v1/posts", tag = "posts", request_body = CreatePost, security(("token" = ["posts:write"])), responses(
    (status = 201, description = "The new post", body = Post,
     headers(("Location" = String, description = "The path of the new post"))),
    (status = 403, description = "Readers do not write posts"),
    (status = 409, description = "The slug is taken"),
    (status = 501, description = "A cover, where no place for files is set up"),
))]
pub async fn create(
    Author(user): Author<POSTS_WRITE>,
    Now(now): Now,
    State(default_language): State<Language>,
    State(render): State<Renderer>,
    State(wake): State<Wake>,
    State(storage): State<MaybeStorage>,
    Idempotent(key, body): Idempotent<CreatePost>,
) -> Result<Response, ApiError> {
    let publication = body.publication(now)?;
    let id = Uuid::now_v7();
    let rendered = render.post(id, body.body.as_str()).await?;
    let tags = stored_tags(&body.tags);
    let write = async |write: &mut Write| {
        let text = store::with_media(write, rendered, body.body.as_str(), Some(user.id)).await?;
        let cover = choose(write, &storage, &user, body.cover.as_ref()).await?;
        let cover = cover.as_ref().map(ChosenCover::stored);
        let new = body.to_new_post(id, user, &text, cover, &tags, publication, default_language);
        if publication.is_scheduled(now) && !user.confirmed(write, now).await?.is(Role::Author) {
            return Err(ApiError::Forbidden(ONLY_FOR_AUTHORS));
        }
        let mut id = None;
        if let Some(slug) = &body.slug {
            id = store::insert(write, slug, &new, now).await?;
        } else {
            let plain = Slug::from_title(new.title, new.language);
            for attempt in 0..SLUG_ATTEMPTS {
                let slug = if attempt == 0 { plain.clone() } else { plain.with_suffix(rand::random()) };
                id = store::insert(write, &slug, &new, now).await?;
                if id.is_some() {
                    break;
                }
            }
        }
        let Some(id) = id else {
            let slug = body.slug.as_ref().map_or("", Slug::as_str);
            return Err(taken(write, slug, user).await?);
        };
        let post = store::find(write, &PostRef::Id(id), now).await?.ok_or(ApiError::NotFound)?;
        tell(write, &post, &user, now).await?;
        let location = [(header::LOCATION, format!("/v1/posts/{id}"))];
        let changed = Invalidates(Scope::Resource(id));
        Ok((StatusCode::CREATED, location, changed, Tagged(post)))
    };
    let response = key.run(Some(user.id), write).await?;
    wake.here();
    Ok(response)
}
