//! What is done to comments without being asked.

use uuid::Uuid;

use super::store::{self, StaleRendering};
use crate::db::{self, Connection, Db};
use crate::markdown::rerender::{self, Stale};
use crate::markdown::{RenderError, Renderer};

/// How many texts are held in memory at once.
const BATCH: i64 = 100;

/// Renders anew what an earlier version rendered, and gives the number of comments.
pub async fn rerender(db: &Db, render: &Renderer) -> Result<u64, db::Error> {
    rerender::rerender::<StaleRendering>(db, render).await
}

impl Stale for StaleRendering {
    const KIND: &str = "comment";
    type Rendered = String;

    fn id(&self) -> Uuid {
        self.id
    }

    async fn after(connection: &mut Connection, id: Uuid) -> sqlx::Result<Vec<Self>> {
        store::stale_renderings(connection, id, BATCH).await
    }

    async fn render(&self, render: &Renderer) -> Result<String, RenderError> {
        render.comment(self.id, &self.body).await
    }

    async fn store(&self, connection: &mut Connection, html: String) -> sqlx::Result<bool> {
        store::set_rendering(connection, self.id, self.version, &html).await
    }
}
