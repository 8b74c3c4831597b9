//! What is done to posts without being asked.

use uuid::Uuid;

use super::model::{Tag, Title, stored_tags};
use super::store::{self, NewRendering};
use crate::db::{self, Db};
use crate::markdown::{RenderError, Renderer};
use crate::workers::WorkError;

/// How many texts are held in memory at once.
const BATCH: i64 = 20;

/// Renders anew what an earlier version rendered, and gives the number of posts. Concurrent runs do no harm. A
/// text that can no longer be rendered or stored keeps its HTML, and the log names its post.
pub async fn rerender(db: &Db, render: &Renderer) -> Result<u64, db::Error> {
    let mut rerendered = 0;
    let mut last = Uuid::nil();
    loop {
        let batch = store::stale_renderings(&mut db.acquire().await?, last, BATCH).await?;
        let Some(end) = batch.last() else { return Ok(rerendered) };
        last = end.id;
        for post in batch {
            match render.post(post.id, &post.body).await {
                Ok(rendered) => {
                    let title = Title::from(post.title.as_str());
                    let tags: Vec<_> = post.tags.iter().map(|tag| Tag::from(tag.as_str())).collect();
                    let new = NewRendering {
                        rendered: &rendered,
                        // A title of nothing that can be seen stays.
                        title: Some(title.as_str())
                            .filter(|title| !title.trim().is_empty())
                            .unwrap_or(&post.title),
                        tags: &stored_tags(&tags),
                    };
                    let mut connection = db.acquire().await?;
                    match store::set_rendering(&mut connection, post.id, post.version, &new).await {
                        Ok(is_set) => rerendered += u64::from(is_set),
                        // If it is the database that fails, it also fails what comes next.
                        Err(error) => tracing::warn!(post = %post.id, %error, "a rendering cannot be stored"),
                    }
                }
                // Its turn comes with the next round.
                Err(RenderError::Work(WorkError::Full)) => {}
                Err(error) => tracing::warn!(post = %post.id, %error, "a text cannot be rendered anew"),
            }
        }
    }
}
