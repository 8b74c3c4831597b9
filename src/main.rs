//! The command line: `serve` (the default), `migrate`, `healthcheck`, `openapi`, `query`, `users`.

mod cli;

use std::io::Write;
use std::process::ExitCode;

use blog_api::router;
use clap::{Args, Parser, Subcommand};
use cli::development::DemoArgs;
use cli::failure::{Failure, cannot};
use cli::healthcheck::healthcheck;
use cli::migrate::migrate;
use cli::query::query;
use cli::serve::serve;
use cli::users::{self, UsersCommand};

/// A blog backend: users, posts and comments, on PostgreSQL.
///
/// Configured by environment variables; without any it serves on port 8000 from a private PostgreSQL.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (the default)
    Serve(ServeArgs),
    /// Bring the database schema up to date, and make the service's role if `DB_APP_SECRET_ID` names its secret
    Migrate,
    /// Ask the server on this machine for /health; exit 0 if it answers
    Healthcheck,
    /// Print the OpenAPI document
    Openapi,
    /// Run a statement on the database and print its rows; in a read-only transaction, by a role that reads neither
    /// passwords nor sessions if `migrate` has made one
    Query {
        /// SQL
        statement: String,
        /// Let it write, as the role of the service
        #[arg(long)]
        write: bool,
    },
    /// Manage users
    #[command(subcommand)]
    Users(UsersCommand),
}

#[derive(Args)]
struct ServeArgs {
    #[command(flatten)]
    demo: DemoArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(args) => serve(&args).await,
        Command::Migrate => migrate().await,
        Command::Healthcheck => healthcheck().await,
        Command::Openapi => print(router::document()),
        Command::Query { statement, write } => query(statement, write).await,
        Command::Users(command) => Box::pin(users::run(command)).await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, message }) => {
            eprintln!("blog-api: {message}");
            ExitCode::from(code)
        }
    }
}

fn print(text: &str) -> Result<(), Failure> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| cannot("print", error))
}
