//! What is done to posts without being asked.

use uuid::Uuid;

use super::model::{Tag, Title, stored_tags};
use super::store::{self, NewRendering, StaleRendering};
use crate::cache::{Cache, Scope};
use crate::db::{self, Connection, Db};
use crate::jobs::model::{Claim, Failure};
use crate::markdown::rerender::{self, Stale};
use crate::markdown::{RenderError, Rendered, Renderer};
use crate::media::jobs::Described;
use crate::media::store::{self as media, Place};

/// How many texts are held in memory at once.
const BATCH: i64 = 20;
/// How many posts of a picture one statement takes.
const PICTURE_BATCH: i64 = 200;

/// Renders anew what an earlier version rendered, and gives the number of posts.
pub async fn rerender(db: &Db, render: &Renderer) -> Result<u64, db::Error> {
    rerender::rerender::<StaleRendering>(db, render).await
}

/// Shows a picture in the posts that have it with its present alternative text, where their authors have given none.
pub async fn describe_picture(db: &Db, cache: &Cache, render: &Renderer, job: &Claim) -> Result<(), Failure> {
    let Described { media_id } = job.payload()?;
    if describe_in_posts(db, media_id).await.map_err(|error| Failure::Passing(error.into()))? {
        rerender(db, render).await.map_err(|error| Failure::Passing(error.into()))?;
        cache.invalidate(Scope::Everything);
    }
    Ok(())
}

/// Whether a post has it.
async fn describe_in_posts(db: &Db, media_id: Uuid) -> Result<bool, db::Error> {
    let mut is_shown = false;
    for place in [Place::Text, Place::Cover] {
        let mut after = Uuid::nil();
        loop {
            let mut transaction = db.begin().await?;
            let Some(alt) = media::alt(&mut transaction, media_id).await? else { return Ok(is_shown) };
            let ids = media::posts_with(&mut transaction, media_id, place, after, PICTURE_BATCH).await?;
            let Some(last) = ids.last() else { break };
            (after, is_shown) = (*last, true);
            match place {
                Place::Text => store::make_stale(&mut transaction, &ids).await?,
                Place::Cover => {
                    store::describe_covers(&mut transaction, &ids, media_id, alt.as_deref()).await?;
                }
            }
            transaction.commit().await?;
        }
    }
    Ok(is_shown)
}

impl Stale for StaleRendering {
    const KIND: &str = "post";
    type Rendered = Rendered;

    fn id(&self) -> Uuid {
        self.id
    }

    async fn after(connection: &mut Connection, id: Uuid) -> sqlx::Result<Vec<Self>> {
        store::stale_renderings(connection, id, BATCH).await
    }

    async fn render(&self, render: &Renderer) -> Result<Rendered, RenderError> {
        render.post(self.id, &self.body).await
    }

    async fn store(&self, connection: &mut Connection, rendered: Rendered) -> sqlx::Result<bool> {
        let text = store::with_media(connection, rendered, &self.body, self.author_id).await?;
        let title = Title::from(self.title.as_str());
        let tags: Vec<_> = self.tags.iter().map(|tag| Tag::from(tag.as_str())).collect();
        let new = NewRendering {
            text: &text,
            // A title of nothing that can be seen stays.
            title: Some(title.as_str()).filter(|title| !title.trim().is_empty()).unwrap_or(&self.title),
            tags: &stored_tags(&tags),
        };
        store::set_rendering(connection, self.id, self.version, &new).await
    }
}
