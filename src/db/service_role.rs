//! The role that the service signs in with in production: it reads and writes rows, and owns nothing, so
//! that a serving task can never change the schema. Beside it a role that only reads, which an operator's queries take
//! on; it sees no secret, no hash of a password or a token, and no stored response.

use secrecy::ExposeSecret;
use sqlx::Connection as _;
use sqlx::postgres::PgConnectOptions;

use super::connection::{Connection, connect};
use crate::config::secrets::DatabaseSecret;

/// Makes the role of `secret`, or sets its password, and grants it what the service needs of the schema as it is
/// now. Run it after the migrations, as the owner of the tables, who needs `CREATEROLE`.
pub async fn grant(owner: &PgConnectOptions, secret: &DatabaseSecret) -> sqlx::Result<()> {
    let mut connection = connect(owner).await?;
    let mut transaction = connection.begin().await?;
    // As parameters, and not in the text of a statement, which the server may log.
    sqlx::query!(
        "select set_config('blog_api.role', $1, true) as role, set_config('blog_api.password', $2, true) as password",
        secret.username,
        secret.password.expose_secret()
    )
    .fetch_one(&mut *transaction)
    .await?;
    sqlx::query!(
        "do $$
         declare
           service text := current_setting('blog_api.role');
           reader text := service || '_reader';
           readable record;
         begin
           if service = current_user then
             raise exception 'the role of DB_APP_SECRET_ID is the owner, %: it must be another', service;
           end if;
           if not exists (select from pg_roles where rolname = service) then
             execute format('create role %I login', service);
           end if;
           execute format('alter role %I login password %L', service, current_setting('blog_api.password'));
           execute format('grant connect on database %I to %I', current_database(), service);
           execute format('grant usage on schema public to %I', service);
           execute format('grant select, insert, update, delete on all tables in schema public to %I', service);
           execute format('grant usage on all sequences in schema public to %I', service);
           execute format('revoke insert, update, delete on _sqlx_migrations from %I', service);
           if not exists (select from pg_roles where rolname = reader) then
             execute format('create role %I nologin', reader);
           end if;
           execute format('grant usage on schema public to %I', reader);
           execute format('revoke select on all tables in schema public from %I', reader);
           for readable in
             select c.oid::regclass as name, string_agg(quote_ident(a.attname), ', ') as columns
             from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
             where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
               -- Secrets and hashes of tokens are bytes.
               and (a.atttypid <> 'bytea'::regtype or (c.relname, a.attname) = ('comments', 'thread'))
               and (c.relname, a.attname) not in (
                 ('users', 'password_hash'), ('webhooks', 'url'), ('idempotency_keys', 'headers'))
             group by c.oid
           loop
             execute format('grant select (%s) on %s to %I', readable.columns, readable.name, reader);
           end loop;
           execute format('grant %I to %I', reader, service);
         end $$"
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    connection.close().await
}

/// Whether the role that this connection signed in with has one beside it that only reads.
pub async fn is_reader_there(connection: &mut Connection) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from pg_roles where rolname = current_user || '_reader') as "is_there!""#
    )
    .fetch_one(connection)
    .await
}
