//! `blog-api users create`: how the first admin comes to be.

use std::fmt::Display;
use std::io::{BufRead, IsTerminal};

use blog_api::auth::password::Password;
use blog_api::clock::Clock;
use blog_api::config::Config;
use blog_api::db::{self, Db, Violation, migrations};
use blog_api::error::FieldErrors;
use blog_api::http::validation::{Validate, Violations};
use blog_api::identity::Role;
use blog_api::lifecycle::Lifecycle;
use blog_api::state::AppState;
use blog_api::users::model::{Account, Email, Username, check_password};
use blog_api::users::store as users;

use super::database::Database;
use super::failure::{Failure, cannot, migration};
use crate::print;

struct NewUser {
    username: Username,
    email: Email,
    password: Password,
}

impl Validate for NewUser {
    fn validate(&self, violations: &mut Violations) {
        violations.check("username", &self.username).check("email", &self.email);
        check_password(violations, &self.password, Some(self.username.as_str()), Some(self.email.as_str()));
    }
}

pub(crate) async fn create_user(username: String, email: String, role: Role) -> Result<(), Failure> {
    let config = Config::from_env().map_err(Failure::config)?;
    let new = NewUser { username: username.into(), email: email.into(), password: read_password()?.into() };
    let new = new.validated()?;
    let database = Database::open(&config.database, false).await?;
    let created = create_user_in(&database, &config, new, role).await;
    database.close().await;
    let account = created?;
    print(&format!("Created {} {} with id {}.\n", role.as_str(), account.username, account.id))
}

async fn create_user_in(
    database: &Database,
    config: &Config,
    new: NewUser,
    role: Role,
) -> Result<Account, Failure> {
    if config.migrate_on_start {
        migrations::run(&database.source.options()).await.map_err(|error| migration(&error))?;
    }
    let db = Db::new(&database.source, &config.database).map_err(Failure::config)?;
    let state =
        AppState::new(config, db.clone(), Clock::system(), Lifecycle::default()).map_err(Failure::config)?;
    state.sign_up.check(&new.password)?;
    let new = users::NewUser {
        username: &new.username,
        email: &new.email,
        password_hash: &state.passwords.hash(None, new.password).await.map_err(not_created)?,
        role,
        display_name: None,
        bio: None,
    };
    let mut connection = db.acquire().await.map_err(not_created)?;
    let account = users::insert(&mut connection, new, state.clock.now()).await;
    drop(connection);
    db.close();
    account.map_err(|error| match db::violation(&error) {
        Some(Violation { field, kind }) => Failure::usage(format!("{field} {}", kind.detail())),
        None => not_created(error),
    })
}

impl From<FieldErrors> for Failure {
    fn from(fields: FieldErrors) -> Self {
        let lines = fields.shown().iter().map(|error| format!("{} {}", error.field, error.detail));
        Self::usage(lines.collect::<Vec<_>>().join("\n"))
    }
}

fn not_created(cause: impl Display) -> Failure {
    cannot("create the user", cause)
}

fn read_password() -> Result<String, Failure> {
    let mut input = std::io::stdin().lock();
    if input.is_terminal() {
        eprint!("Password (shown as you type): ");
    }
    let mut line = String::new();
    input.read_line(&mut line).map_err(Failure::usage)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        Err(Failure::usage("give the password on standard input"))
    } else {
        Ok(password)
    }
}
