//! What is done to comments without being asked.

use uuid::Uuid;

use super::store;
use crate::db::{self, Db};
use crate::markdown::{RenderError, Renderer};
use crate::workers::WorkError;

/// How many texts are held in memory at once.
const BATCH: i64 = 100;

/// Renders anew what an earlier version rendered, and gives the number of comments. Concurrent runs do no harm. A
/// text that can no longer be rendered or stored keeps its HTML, and the log names its comment.
pub async fn rerender(db: &Db, render: &Renderer) -> Result<u64, db::Error> {
    let mut rerendered = 0;
    let mut last = Uuid::nil();
    loop {
        let batch = store::stale_renderings(&mut db.acquire().await?, last, BATCH).await?;
        let Some(end) = batch.last() else { return Ok(rerendered) };
        last = end.id;
        for comment in batch {
            match render.comment(comment.id, &comment.body).await {
                Ok(html) => {
                    let mut connection = db.acquire().await?;
                    match store::set_rendering(&mut connection, comment.id, comment.version, &html).await {
                        Ok(is_set) => rerendered += u64::from(is_set),
                        // If it is the database that fails, it also fails what comes next.
                        Err(error) => {
                            tracing::warn!(comment = %comment.id, %error, "a rendering cannot be stored");
                        }
                    }
                }
                // Its turn comes with the next round.
                Err(RenderError::Work(WorkError::Full)) => {}
                Err(error) => tracing::warn!(comment = %comment.id, %error, "a text cannot be rendered anew"),
            }
        }
    }
}
