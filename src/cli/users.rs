//! `blog-api users`: how the first admin comes to be, and what an operator may have to do when no admin can sign in.

use std::io::{BufRead, IsTerminal};

use blog_api::audit::model::{Action, Entry};
use blog_api::audit::store as audit;
use blog_api::auth::password::Password;
use blog_api::auth::store as sessions;
use blog_api::config::secrets::SecretReader;
use blog_api::db::{self, Connection, Outcome, Violation};
use blog_api::error::FieldErrors;
use blog_api::http::validation::{Validate, Violations};
use blog_api::identity::Role;
use blog_api::mail::MailLanguage;
use blog_api::posts::store::review_schedule;
use blog_api::state::AppState;
use blog_api::users::model::{Account, Email, Username, check_password};
use blog_api::users::store::{self as users, Changes};
use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde_json::json;

use super::failure::{self, Failure, cannot};
use super::state::with_state;
use crate::print;

/// How many users are read at once.
const PAGE: i64 = 500;

#[derive(Subcommand)]
pub(crate) enum UsersCommand {
    /// Create a user
    Create {
        /// 1 to 39 letters, digits, `_`, `.` and `-`
        #[arg(long)]
        username: String,
        /// The e-mail address to sign in with
        #[arg(long)]
        email: String,
        /// What the user may do
        #[arg(long, default_value = "author")]
        role: Role,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Print the id, role and username of every user, and who is banned
    List {
        /// Only the users with this role
        #[arg(long)]
        role: Option<Role>,
    },
    /// Give a user another role
    SetRole { username: String, role: Role },
    /// Give a user another password, and end their sessions
    SetPassword {
        username: String,
        #[command(flatten)]
        password: PasswordSource,
    },
}

#[derive(Args)]
pub(crate) struct PasswordSource {
    /// The secret in AWS Secrets Manager that holds the password, by name or ARN; without it, the password is read
    /// from standard input, one line
    #[arg(long, value_name = "NAME")]
    password_secret: Option<String>,
}

impl PasswordSource {
    async fn read(&self) -> Result<Password, Failure> {
        let Some(id) = &self.password_secret else { return Ok(typed()?.into()) };
        let secret = SecretReader::new(id).await.password().await;
        let secret = secret.map_err(|error| failure::secret("--password-secret", &error))?;
        Ok(secret.expose_secret().to_owned().into())
    }
}

pub(crate) async fn run(command: UsersCommand) -> Result<(), Failure> {
    match command {
        UsersCommand::Create { username, email, role, password } => {
            let new = Credentials {
                username: username.into(),
                email: email.into(),
                password: password.read().await?,
            };
            let new = new.validated()?;
            let account = with_state(async |state| create(state, new, role).await).await?;
            print(&format!("Created {} {} with id {}.\n", role.as_str(), account.username, account.id))
        }
        UsersCommand::List { role } => with_state(async |state| list(state, role).await).await,
        UsersCommand::SetRole { username, role } => {
            with_state(async |state| set_role(state, &username, role).await).await?;
            print(&format!("{username} is {} now.\n", role.as_str()))
        }
        UsersCommand::SetPassword { username, password } => {
            let password = password.read().await?;
            with_state(async |state| set_password(state, &username, password).await).await?;
            print(&format!("{username} has another password now, and no session.\n"))
        }
    }
}

/// What a user signs in with.
struct Credentials {
    username: Username,
    email: Email,
    password: Password,
}

impl Validate for Credentials {
    fn validate(&self, violations: &mut Violations) {
        violations.check("username", &self.username).check("email", &self.email);
        check_password(violations, &self.password, Some(self.username.as_str()), Some(self.email.as_str()));
    }
}

async fn create(state: &AppState, new: Credentials, role: Role) -> Result<Account, Failure> {
    state.sign_up.check(&new.password)?;
    let new = users::NewUser {
        username: &new.username,
        email: &new.email,
        email_verified_at: None,
        password_hash: &hash(state, new.password).await?,
        role,
        display_name: None,
        bio: None,
        language: MailLanguage::English,
    };
    let now = state.clock.now();
    let mut transaction = state.db.begin().await?;
    let account =
        users::insert(&mut transaction, new, now).await.map_err(|error| match db::violation(&error) {
            Some(Violation { field, kind }) => Failure::usage(format!("{field} {}", kind.detail())),
            None => error.into(),
        })?;
    let entry = entry(Action::UserCreated, &account, json!({"role": role}));
    audit::record(&mut transaction, &entry, now).await?;
    transaction.commit().await?;
    Ok(account)
}

/// Without addresses: what a task prints is kept in a log.
async fn list(state: &AppState, role: Option<Role>) -> Result<(), Failure> {
    let now = state.clock.now();
    let mut connection = state.db.acquire().await?;
    let mut after = None;
    loop {
        let page = users::list(&mut connection, "", after.as_deref(), PAGE).await?;
        for account in page.iter().filter(|account| role.is_none_or(|role| account.role == role)) {
            let Account { id, username, .. } = account;
            let banned = if account.banned_until.is_some_and(|until| until > now) { "\tbanned" } else { "" };
            print(&format!("{id}\t{}\t{username}{banned}\n", account.role.as_str()))?;
        }
        match page.last() {
            Some(last) => after = Some(last.username.to_lowercase()),
            None => return Ok(()),
        }
    }
}

async fn set_role(state: &AppState, username: &str, role: Role) -> Result<(), Failure> {
    let now = state.clock.now();
    let mut transaction = state.db.begin().await?;
    let account = named(&mut transaction, username).await?;
    let before = users::lock(&mut transaction, account.id, now).await?.ok_or_else(|| nobody(username))?;
    let changes = Changes { role: Some(role), ..Changes::default() };
    if users::update(&mut transaction, account.id, &changes, None, now).await? == Outcome::Changed {
        if before.is_last_admin {
            return Err(Failure::usage(format!("{username} is the last admin: make another one first")));
        }
        review_schedule(&mut transaction, account.id, now).await?;
        let entry = entry(Action::UserRoleChanged, &account, json!({"from": before.role, "to": role}));
        audit::record(&mut transaction, &entry, now).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn set_password(state: &AppState, username: &str, password: Password) -> Result<(), Failure> {
    let now = state.clock.now();
    let account = named(&mut state.db.acquire().await?, username).await?;
    let credentials = Credentials {
        username: account.username.clone().into(),
        email: account.email.clone().into(),
        password,
    };
    let password = credentials.validated()?.password;
    state.sign_up.check(&password)?;
    let hash = hash(state, password).await?;
    let changes = Changes { password_hash: Some(&hash), ..Changes::default() };
    let mut transaction = state.db.begin().await?;
    if users::update(&mut transaction, account.id, &changes, None, now).await? == Outcome::Refused {
        return Err(nobody(username));
    }
    sessions::delete_others(&mut transaction, account.id, None).await?;
    let entry = entry(Action::UserUpdated, &account, json!({"fields": ["password"]}));
    audit::record(&mut transaction, &entry, now).await?;
    transaction.commit().await?;
    Ok(())
}

async fn named(connection: &mut Connection, username: &str) -> Result<Account, Failure> {
    users::account_named(connection, username).await?.ok_or_else(|| nobody(username))
}

fn nobody(username: &str) -> Failure {
    Failure::usage(format!("there is no user {username}"))
}

/// Of an operator, who is no user.
fn entry(action: Action, account: &Account, details: serde_json::Value) -> Entry {
    Entry::unsigned(None, action, Some(account.id), details)
}

async fn hash(state: &AppState, password: Password) -> Result<String, Failure> {
    state.passwords.hash(None, password).await.map_err(|error| cannot("hash the password", error))
}

fn typed() -> Result<String, Failure> {
    let mut input = std::io::stdin().lock();
    if input.is_terminal() {
        eprint!("Password (shown as you type): ");
    }
    let mut line = String::new();
    input.read_line(&mut line).map_err(Failure::usage)?;
    let password = line.trim_end_matches(['\r', '\n']).to_owned();
    if password.is_empty() {
        Err(Failure::usage("give the password on standard input, or name its secret with --password-secret"))
    } else {
        Ok(password)
    }
}

impl From<FieldErrors> for Failure {
    fn from(fields: FieldErrors) -> Self {
        let lines = fields.shown().iter().map(|error| format!("{} {}", error.field, error.detail));
        Self::usage(lines.collect::<Vec<_>>().join("\n"))
    }
}
