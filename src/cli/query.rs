//! `blog-api query`: a statement for an operator, whom no network lets in to the database.

use blog_api::db::Connection;
use blog_api::db::service_role::is_reader_there;
use futures_util::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Column, Either, Executor, Row, ValueRef, raw_sql};

use super::failure::{Failure, cannot};
use super::state::with_state;
use crate::print;

/// Prints the rows of `statement`, their columns between tabs. Unless it may `write`, it is read-only, and by a role
/// that reads no secrets.
pub(crate) async fn query(statement: String, write: bool) -> Result<(), Failure> {
    with_state(async |state| {
        let mut connection = state.db.acquire().await?;
        let begin = match (write, is_reader_there(&mut connection).await?) {
            (true, _) => "begin",
            (false, true) => "begin read only; select set_config('role', current_user || '_reader', true)",
            (false, false) => "begin read only",
        };
        raw_sql(begin).execute(&mut connection).await?;
        print_rows(&mut connection, statement).await?;
        raw_sql("commit").execute(&mut connection).await?;
        Ok(())
    })
    .await
}

async fn print_rows(connection: &mut Connection, statement: String) -> Result<(), Failure> {
    let said = |error: sqlx::Error| match error {
        sqlx::Error::Database(error) => Failure::usage(error.message()),
        error => cannot("use the database", error),
    };
    let mut results = connection.fetch_many(raw_sql(AssertSqlSafe(statement)));
    let mut has_header = false;
    while let Some(result) = results.try_next().await.map_err(said)? {
        match result {
            Either::Left(done) => {
                print(&format!("({} rows)\n", done.rows_affected()))?;
                has_header = false;
            }
            Either::Right(row) => {
                if !has_header {
                    let names = row.columns().iter().map(Column::name);
                    print(&format!("{}\n", names.collect::<Vec<_>>().join("\t")))?;
                    has_header = true;
                }
                print(&line(&row).map_err(said)?)?;
            }
        }
    }
    Ok(())
}

/// The values of a row as PostgreSQL writes them; null as nothing.
fn line(row: &PgRow) -> sqlx::Result<String> {
    let value = |index| {
        let value = row.try_get_raw(index)?;
        Ok(if value.is_null() {
            String::new()
        } else {
            value.as_str().map_err(sqlx::Error::Decode)?.to_owned()
        })
    };
    let values = (0..row.len()).map(value).collect::<sqlx::Result<Vec<_>>>()?;
    Ok(values.join("\t") + "\n")
}
