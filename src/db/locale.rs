//! What a database's locale must know. The service folds, compares and sorts by itself, but PostgreSQL's parser of texts
//! tells letters and their case by the locale.

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

use super::connection::connect;

/// A database whose locale knows ASCII alone, or has another encoding than UTF-8.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the locale of the database {database} is {locale} with the encoding {encoding}, in which `É` is not the upper case of \
     `é`: searches miss words that are not ASCII. Make a database for blog-api with a UTF-8 locale, `create database blog \
     template template0 encoding 'UTF8' locale 'C.UTF-8'`, and copy this one into it with pg_dump and psql"
)]
pub struct UnfitLocale {
    pub database: String,
    pub locale: String,
    pub encoding: String,
}

/// What is wrong with the locale of the database that `options` name, if anything is.
pub async fn unfit_locale(options: &PgConnectOptions) -> sqlx::Result<Option<UnfitLocale>> {
    let mut connection = connect(options).await?;
    let unfit = check(&mut connection).await;
    connection.close().await.ok();
    unfit
}

async fn check(connection: &mut PgConnection) -> sqlx::Result<Option<UnfitLocale>> {
    let database = sqlx::query_as!(
        UnfitLocale,
        r#"select datname as "database!", datctype as "locale!", pg_encoding_to_char(encoding) as "encoding!"
           from pg_database where datname = current_database()"#
    )
    .fetch_one(&mut *connection)
    .await?;
    if database.encoding != "UTF8" {
        return Ok(Some(database));
    }
    let is_fit = sqlx::query_scalar!(
        r#"select lower('É') = 'é' and to_tsvector('simple', '“ÉPÉE”') = $$'épée':1$$::tsvector as "is_fit!""#
    );
    Ok((!is_fit.fetch_one(connection).await?).then_some(database))
}
