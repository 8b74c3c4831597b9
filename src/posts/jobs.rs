//! What is done to posts without being asked.

use uuid::Uuid;

use super::model::{Tag, Title, stored_tags};
use super::store::{self, NewRendering, StaleRendering};
use crate::db::{self, Connection, Db};
use crate::markdown::rerender::{self, Stale};
use crate::markdown::{RenderError, Rendered, Renderer};

/// How many texts are held in memory at once.
const BATCH: i64 = 20;

/// Renders anew what an earlier version rendered, and gives the number of posts.
pub async fn rerender(db: &Db, render: &Renderer) -> Result<u64, db::Error> {
    rerender::rerender::<StaleRendering>(db, render).await
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
        let title = Title::from(self.title.as_str());
        let tags: Vec<_> = self.tags.iter().map(|tag| Tag::from(tag.as_str())).collect();
        let new = NewRendering {
            rendered: &rendered,
            // A title of nothing that can be seen stays.
            title: Some(title.as_str()).filter(|title| !title.trim().is_empty()).unwrap_or(&self.title),
            tags: &stored_tags(&tags),
        };
        store::set_rendering(connection, self.id, self.version, &new).await
    }
}
