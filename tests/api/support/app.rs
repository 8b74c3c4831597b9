//! The service under test, as production runs it: the same router, the same server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use blog_api::app;
use blog_api::auth::password::Password;
use blog_api::auth::token::{self, TokenKind};
use blog_api::cache::Cache;
use blog_api::clock::Clock;
use blog_api::config::Config;
use blog_api::db::Db;
use blog_api::db::channel::Wake;
use blog_api::db::connect_source::ConnectSource;
use blog_api::http::caching::Caching;
use blog_api::identity::Role;
use blog_api::lifecycle::Lifecycle;
use blog_api::mail::MailLanguage;
use blog_api::mail::outbox::Kept;
use blog_api::markdown::Renderer;
use blog_api::media::jobs as media;
use blog_api::notifications::model::Subscription;
use blog_api::notifications::store as notifications;
use blog_api::server::{self, HEADER_READ_TIMEOUT, PROGRESS_WINDOW, ServerPolicy, ShutdownSignal};
use blog_api::state::AppState;
use blog_api::users::model::{Email, Username};
use blog_api::users::store::{self as users, NewSignUp, NewUser};
use blog_api::{maintenance, work};
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{OnceCell, mpsc};
use url::Url;
use uuid::Uuid;

use super::client::{Call, Client};
use super::database::TestDatabase;
use super::proxy::Proxy;
use super::{Dir, FILE, PICTURE, announcement, logs};

/// The password of every test user.
pub(crate) const PASSWORD: &str = "a password for tests";

/// The environment of every test that says nothing else: its requests come from one address.
const VARIABLES: [(&str, &str); 5] = [
    ("RATE_LIMIT_ADDRESS", "off"),
    ("RATE_LIMIT_ACCOUNT", "off"),
    ("ATTEMPT_LIMITS", "off"),
    // Where receivers of webhooks are.
    ("WEBHOOK_ALLOW", "127.0.0.1, http"),
    // Of `mail-events`.
    ("MAIL_EVENTS_TOKEN_SHA256", "ebb7f3c2f7f34703e432b0448c273c4212b5e96bd972a1b95c10872e523b56f6"),
];

pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    pub(crate) db: Db,
    pub(crate) cache: Cache,
    pub(crate) lifecycle: Lifecycle,
    state: AppState,
    clock: Clock,
    pub(crate) renderer: Renderer,
    client: Client,
    now: Arc<Mutex<DateTime<Utc>>>,
    _stop: mpsc::UnboundedSender<()>,
    // Last: dropped when nothing uses them any more.
    database: Arc<TestDatabase>,
    media: Arc<Dir>,
}

/// A user who is signed in.
#[derive(Clone)]
pub(crate) struct TestUser {
    pub(crate) id: Uuid,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) token: String,
}

impl TestUser {
    fn with_token(&self, token: &str) -> Self {
        Self {
            id: self.id,
            username: self.username.clone(),
            email: self.email.clone(),
            token: token.to_owned(),
        }
    }
}

/// For a stack around routes that read nothing.
pub(crate) fn no_cache() -> Caching {
    Caching { cache: Cache::new(0), clock: Clock::system() }
}

impl TestApp {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts with `variables` as the environment.
    pub(crate) async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_wrapped(variables, |routes| routes).await
    }

    /// Starts with the routes that `change` makes of the service's own.
    pub(crate) async fn start_wrapped(
        variables: &[(&str, &str)],
        change: impl FnOnce(Router) -> Router,
    ) -> Self {
        let database = TestDatabase::create().await;
        let options = database.options.clone();
        Self::launch(variables, Arc::new(database), Arc::new(Dir::new()), options, change)
    }

    /// Starts another on the database and the media of this one, at the same time.
    pub(crate) fn start_beside(&self, variables: &[(&str, &str)]) -> Self {
        let options = self.database.options.clone();
        let (database, media) = (self.database.clone(), self.media.clone());
        let other = Self::launch(variables, database, media, options, |routes| routes);
        *other.now.lock().unwrap() = self.now();
        other
    }

    /// Starts with a proxy between it and its database.
    pub(crate) async fn start_behind_proxy(variables: &[(&str, &str)]) -> (Self, Proxy) {
        let database = TestDatabase::create().await;
        let proxy = Proxy::start(&database.options, "127.0.0.1", 0).await;
        let options = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(proxy.port)
            .username(database.options.get_username())
            .password(&database.password())
            .database(database.options.get_database().unwrap());
        let media = Arc::new(Dir::new());
        (Self::launch(variables, Arc::new(database), media, options, |routes| routes), proxy)
    }

    fn launch(
        variables: &[(&str, &str)],
        database: Arc<TestDatabase>,
        media: Arc<Dir>,
        options: PgConnectOptions,
        change: impl FnOnce(Router) -> Router,
    ) -> Self {
        let media_url = format!("file:{}", media.0.display());
        let own = [("MEDIA_URL", &*media_url)];
        let config = Config::from_variables(|name| {
            let mut set = variables.iter().chain(&VARIABLES).chain(&own);
            set.find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
        .unwrap();
        logs::start();
        let source = Arc::new(ConnectSource::fixed(options));
        #[expect(clippy::disallowed_methods, reason = "tests start at the real time, and move it from there")]
        let now = Arc::new(Mutex::new(Utc::now()));
        let clock = Clock::new({
            let now = now.clone();
            move || *now.lock().unwrap()
        });
        let mut service = app::build(&config, &source, clock, None).unwrap();
        let state = service.state.clone();
        let AppState { db, cache, clock, lifecycle, renderer, .. } = state.clone();
        service.routes = change(service.routes);
        let listener = server::listen(0).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, shutdown) = ShutdownSignal::channel();
        let policy = ServerPolicy {
            max_connections: 100,
            max_connections_per_address: None,
            progress_window: PROGRESS_WINDOW,
            header_read_timeout: HEADER_READ_TIMEOUT,
            drain_delay: Duration::ZERO,
            shutdown_timeout: Duration::ZERO,
        };
        tokio::spawn(service.serve(listener, policy, shutdown));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            address,
            db,
            cache,
            lifecycle,
            state,
            clock,
            renderer,
            client: Client::new(address),
            now,
            _stop: stop,
            database,
            media,
        }
    }

    pub(crate) fn database_url(&self) -> String {
        self.database.url()
    }

    pub(crate) fn database_name(&self) -> &str {
        self.database.options.get_database().unwrap()
    }

    /// To the same server, but another database.
    pub(crate) fn admin_options(&self) -> PgConnectOptions {
        self.database.options.clone().database("postgres")
    }

    pub(crate) fn clock(&self) -> Clock {
        self.clock.clone()
    }

    pub(crate) fn wake(&self) -> &Wake {
        &self.state.wake
    }

    /// The mails that were sent, newest first.
    pub(crate) fn mails(&self) -> Vec<Kept> {
        self.state.mailer.outbox().unwrap().mails()
    }

    /// The token in a mail to `user`, by which they choose a new password.
    pub(crate) async fn reset_token(&self, user: &TestUser) -> String {
        self.post("/v1/password-resets").json(&json!({"email": user.email})).expect(202).await;
        self.mailed_token().await
    }

    /// The token in the newest mail, once what was asked for is mailed.
    pub(crate) async fn mailed_token(&self) -> String {
        self.run_jobs().await;
        let text = self.mails().remove(0).text;
        let (_, rest) = text.split_once('#').unwrap_or_else(|| panic!("{text}"));
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// The token by which who signs up with this username makes the account.
    pub(crate) async fn sign_up_token(&self, username: &str) -> String {
        let now = self.now();
        let new = NewSignUp {
            username: &username.to_owned().into(),
            email: &format!("{username}@example.com").into(),
            role: Role::Reader,
            display_name: None,
            bio: None,
            language: MailLanguage::English,
            expires_at: now,
        };
        let (token, hash) = token::generate(TokenKind::Session);
        let mut connection = self.db.acquire().await.unwrap();
        let id = users::insert_sign_up(&mut connection, &new, now).await.unwrap();
        users::insert_sign_up_token(&mut connection, id, &hash, now + TimeDelta::days(1)).await.unwrap();
        token.expose_secret().to_owned()
    }

    /// The token by which `user` undoes that they have another address by now.
    pub(crate) async fn undo_token(&self, user: &TestUser) -> String {
        let body = json!({"email": format!("new-{}", user.email), "current_password": PASSWORD});
        self.patch(&format!("/v1/users/{}", user.id)).by(user).json(&body).expect(200).await;
        let body = json!({"token": self.mailed_token().await});
        self.post("/v1/email-verifications/confirmation").json(&body).expect(204).await;
        self.mailed_token().await
    }

    /// Whoever delivers the mail, and says what became of it.
    pub(crate) fn mail_provider() -> TestUser {
        let (username, email, token) = (String::new(), String::new(), "mail-events".to_owned());
        TestUser { id: Uuid::nil(), username, email, token }
    }

    /// Notes that `user` has shown that they read their address.
    pub(crate) async fn verify(&self, user: &TestUser) {
        let update = sqlx::query("update users set email_verified_at = now() where id = $1").bind(user.id);
        update.execute(&mut self.db.acquire().await.unwrap()).await.unwrap();
    }

    /// The token by which mails to `user` end.
    pub(crate) async fn unsubscribe_token(&self, user: &TestUser) -> String {
        let mut connection = self.db.acquire().await.unwrap();
        let key = notifications::unsubscribe_key(&mut connection, user.id, user.id.as_bytes()).await.unwrap();
        Subscription { key, kind: None }.token().expose_secret().to_owned()
    }

    /// How many rows a table has, or what stands behind its name.
    pub(crate) async fn count(&self, from: &str) -> i64 {
        let sql = sqlx::AssertSqlSafe(format!("select count(*) from {from}"));
        sqlx::query_scalar(sql).fetch_one(&mut self.db.acquire().await.unwrap()).await.unwrap()
    }

    /// A job that was given up: its id.
    pub(crate) async fn failed_job(&self) -> Uuid {
        let id = Uuid::now_v7();
        let sql = "insert into jobs (id, kind, due_at, run_at, failed_at, created_at) values ($1, 'mail', $2, $2, $2, $2)";
        let insert = sqlx::query(sql).bind(id).bind(self.now());
        insert.execute(&mut self.db.acquire().await.unwrap()).await.unwrap();
        id
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        *self.now.lock().unwrap()
    }

    /// What is done in the background from time to time.
    pub(crate) async fn maintain(&self) {
        maintenance::expire(&self.db, self.now()).await.unwrap();
        maintenance::rerender(&self.db, &self.cache, &self.renderer).await.unwrap();
    }

    /// Works on the jobs that are due: how many attempts that were.
    pub(crate) async fn run_jobs(&self) -> usize {
        work::runner(self.state.clone()).run_due().await.unwrap()
    }

    /// What is done to media from time to time.
    pub(crate) async fn sweep_media(&self) {
        media::sweep(&self.db, self.state.storage.0.as_ref(), &self.clock()).await.unwrap();
    }

    pub(crate) fn advance(&self, time: TimeDelta) {
        *self.now.lock().unwrap() += time;
    }

    /// A user with `role`, signed in.
    pub(crate) async fn user(&self, role: Role) -> TestUser {
        static HASH: OnceCell<String> = OnceCell::const_new();
        let hash = HASH
            .get_or_init(async || {
                let passwords = blog_api::auth::password::Passwords::new(1).unwrap();
                passwords.hash(None, Password::from(PASSWORD.to_owned())).await.unwrap()
            })
            .await;
        let username = format!("user-{}", &Uuid::now_v7().simple().to_string()[10..]);
        let email = format!("{username}@example.com");
        let new = NewUser {
            username: &Username::from(username.clone()),
            email: &Email::from(email.clone()),
            email_verified_at: None,
            password_hash: hash,
            role,
            display_name: None,
            bio: None,
            language: MailLanguage::English,
        };
        let mut connection = self.db.acquire().await.unwrap();
        let id = users::insert(&mut connection, new, self.now()).await.unwrap().id;
        let (token, token_hash) = blog_api::auth::token::generate(TokenKind::Session);
        let credentials = blog_api::auth::store::Credentials { user_id: id, password_hash: hash.clone() };
        let session = blog_api::auth::store::NewSession {
            credentials: &credentials,
            token_hash: &token_hash,
            user_agent: Some("test"),
            ip_address: None,
        };
        blog_api::auth::store::insert(&mut connection, session, self.now()).await.unwrap().unwrap();
        TestUser { id, username, email, token: token.expose_secret().to_owned() }
    }

    pub(crate) async fn reader(&self) -> TestUser {
        self.user(Role::Reader).await
    }

    pub(crate) async fn author(&self) -> TestUser {
        self.user(Role::Author).await
    }

    /// `user` as an API token with these scopes is.
    pub(crate) async fn token_of(&self, user: &TestUser, scopes: &[&str]) -> TestUser {
        let body = json!({"name": "A machine", "scopes": scopes});
        let created = self.post("/v1/tokens").by(user).json(&body).expect(201).await.json();
        user.with_token(created["token"].as_str().unwrap())
    }

    pub(crate) async fn editor(&self) -> TestUser {
        self.user(Role::Editor).await
    }

    pub(crate) async fn admin(&self) -> TestUser {
        self.user(Role::Admin).await
    }

    /// A published post by `author`: its id.
    pub(crate) async fn post_by(&self, author: &TestUser) -> String {
        let body = json!({"title": "A post", "body": "Some *text*.", "status": "published"});
        self.post("/v1/posts").by(author).json(&body).expect(201).await.id()
    }

    /// A draft by `author`: its id.
    pub(crate) async fn draft_by(&self, author: &TestUser) -> String {
        let body = json!({"title": "A draft", "body": "Not yet."});
        self.post("/v1/posts").by(author).json(&body).expect(201).await.id()
    }

    /// A comment by `author` on `post`, in reply to `parent` if given: its id.
    pub(crate) async fn comment_by(&self, author: &TestUser, post: &str, parent: Option<&str>) -> String {
        let body = json!({"body": "A comment.", "parent_id": parent});
        self.post(&format!("/v1/posts/{post}/comments")).by(author).json(&body).expect(201).await.id()
    }

    /// A picture that `user` has uploaded: its id.
    pub(crate) async fn upload_by(&self, user: &TestUser) -> String {
        self.post("/v1/media").by(user).content(&json!(PICTURE)).expect(201).await.id()
    }

    /// A file that `user` has announced and uploaded, and not completed: its id.
    pub(crate) async fn file_by(&self, user: &TestUser) -> String {
        let upload = self.post("/v1/media/uploads").by(user).json(&announcement()).expect(201).await.json();
        let url = Url::parse(upload["url"].as_str().unwrap()).unwrap();
        self.put(url.path()).body("application/pdf", FILE).expect(200).await;
        upload["id"].as_str().unwrap().to_owned()
    }

    /// A webhook by `admin` at an address where nobody listens: its id.
    pub(crate) async fn webhook_by(&self, admin: &TestUser) -> String {
        let body = json!({"url": "http://127.0.0.1:1/hook", "events": ["post.published"]});
        self.post("/v1/webhooks").by(admin).json(&body).expect(201).await.id()
    }

    /// A message on its way to `webhook`: its id.
    pub(crate) async fn delivery_by(&self, admin: &TestUser, webhook: &str) -> String {
        self.post(&format!("/v1/webhooks/{webhook}/test")).by(admin).expect(202).await.id()
    }

    pub(crate) async fn delete_webhooks(&self) {
        sqlx::query("delete from webhooks").execute(&mut self.db.acquire().await.unwrap()).await.unwrap();
    }

    /// The user, signed in anew.
    pub(crate) async fn sign_in(&self, user: &TestUser) -> TestUser {
        let credentials = json!({"email": user.email, "password": PASSWORD});
        let session = self.post("/v1/sessions").json(&credentials).expect(201).await.json();
        TestUser { token: session["token"].as_str().unwrap().to_owned(), ..user.clone() }
    }

    pub(crate) fn get(&self, path: &str) -> Call<'_> {
        self.call("GET", path)
    }

    pub(crate) fn post(&self, path: &str) -> Call<'_> {
        self.call("POST", path)
    }

    pub(crate) fn put(&self, path: &str) -> Call<'_> {
        self.call("PUT", path)
    }

    pub(crate) fn patch(&self, path: &str) -> Call<'_> {
        self.call("PATCH", path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call<'_> {
        self.call("DELETE", path)
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call<'_> {
        self.client.call(method, path)
    }
}
