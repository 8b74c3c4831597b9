//! Rendering anew what an earlier version of the service rendered, whichever feature has it.

use uuid::Uuid;

use super::{RenderError, Renderer};
use crate::db::{self, Connection, Db};
use crate::workers::WorkError;

/// A row whose text was rendered by an earlier version.
pub trait Stale: Sized + Send + Sync {
    /// What the log calls it.
    const KIND: &str;
    type Rendered: Send;

    fn id(&self) -> Uuid;

    /// Some of those whose ids come after `id`, by id.
    fn after(connection: &mut Connection, id: Uuid) -> impl Future<Output = sqlx::Result<Vec<Self>>> + Send;

    fn render(&self, render: &Renderer) -> impl Future<Output = Result<Self::Rendered, RenderError>> + Send;

    /// False if the row has changed since it was read.
    fn store(
        &self,
        connection: &mut Connection,
        rendered: Self::Rendered,
    ) -> impl Future<Output = sqlx::Result<bool>> + Send;
}

/// Renders such rows anew, batch by batch, and gives their number. Concurrent runs do no harm. A text that can no longer
/// be rendered or stored keeps its HTML, and the log names its row.
pub async fn rerender<T: Stale>(db: &Db, render: &Renderer) -> Result<u64, db::Error> {
    let mut rerendered = 0;
    let mut last = Uuid::nil();
    loop {
        let batch = T::after(&mut db.acquire().await?, last).await?;
        let Some(end) = batch.last() else { return Ok(rerendered) };
        last = end.id();
        for row in &batch {
            let id = row.id();
            match row.render(render).await {
                Ok(rendered) => match store(db, row, rendered).await {
                    Ok(is_set) => rerendered += u64::from(is_set),
                    // If it is the database that fails, it also fails what comes next.
                    Err(error) => tracing::warn!(kind = T::KIND, %id, %error, "a rendering cannot be stored"),
                },
                // Its turn comes with the next round.
                Err(RenderError::Work(WorkError::Full)) => {}
                Err(error) => tracing::warn!(kind = T::KIND, %id, %error, "a text cannot be rendered anew"),
            }
        }
    }
}

async fn store<T: Stale>(db: &Db, row: &T, rendered: T::Rendered) -> Result<bool, db::Error> {
    let mut transaction = db.begin().await?;
    let is_set = row.store(&mut transaction, rendered).await?;
    transaction.commit().await?;
    Ok(is_set)
}
