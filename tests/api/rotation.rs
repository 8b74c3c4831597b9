//! Credentials from Secrets Manager: read at boot, read again when they have been rotated, and said in plain
//! words when they cannot be had.

use std::process::Command;
use std::time::{Duration, Instant};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use futures_util::future::join_all;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use crate::support::{Answer, Process, Proxy, SecretsManager, TestDatabase};

const SECRET_ID: &str = "blog-api/database";
const PASSWORD: &str = "hunter2-in-the-secret";

fn command(secrets: &SecretsManager, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blog-api"));
    command.env_clear().envs(secrets.environment());
    command.envs([("PORT", "0"), ("METRICS_PORT", "0"), ("DB_SECRET_ID", SECRET_ID)]);
    command.envs(variables.iter().copied());
    command
}

async fn output(command: Command) -> (Option<i32>, String) {
    let mut command = tokio::process::Command::from(command);
    let output = tokio::time::timeout(Duration::from_mins(1), command.kill_on_drop(true).output());
    let output = output.await.expect("it ends by itself").unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

async fn execute(database: &TestDatabase, sql: String) {
    let mut admin = database.options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
}

/// A role that may use the database.
async fn create_role(database: &TestDatabase) -> String {
    let role = format!("blog_{}", Uuid::now_v7().simple());
    let grant = format!("grant all on all tables in schema public to {role}");
    execute(database, format!("create role {role} login password '{PASSWORD}'; {grant}")).await;
    role
}

fn secret(database: &TestDatabase, port: u16, role: &str) -> Answer {
    let name = database.options.get_database();
    Answer::Secret(
        json!({"username": role, "password": PASSWORD, "host": "127.0.0.1", "port": port, "dbname": name}),
    )
}

/// As AWS rotates with alternating users: the old role stops working, and the secret names the new one.
#[tokio::test]
async fn a_rotation_is_noticed_when_the_database_refuses_the_old_credentials() {
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(&database.options, "127.0.0.1", 0).await;
    let (old, new) = (create_role(&database).await, create_role(&database).await);
    let secrets = SecretsManager::start(secret(&database, proxy.port, &old)).await;
    // With one connection, no request makes another while the last one is on its way back to the pool. Each goes to
    // the database, also before the loss of the bus is noticed.
    let variables = [
        ("MIGRATE_ON_START", "false"),
        ("DB_ACQUIRE_TIMEOUT", "20s"),
        ("DB_MAX_CONNECTIONS", "1"),
        ("CACHE_MAX_BYTES", "0"),
    ];
    let mut command = command(&secrets, &variables);
    let process = tokio::task::spawn_blocking(move || Process::start(&mut command)).await.unwrap();
    let process = std::sync::Arc::new(process);
    let get = async |path: &'static str| {
        let process = process.clone();
        tokio::task::spawn_blocking(move || process.get(path)).await.unwrap()
    };
    assert_eq!(get("/v1/posts").await.0, 200);
    assert_eq!(secrets.asked(), 1);

    // Between these two the old credentials are wrong and the new ones not yet to be had.
    execute(&database, format!("alter role {old} nologin")).await;
    assert_eq!(get("/v1/posts").await.0, 200, "what is open stays open");
    assert_eq!(secrets.asked(), 1);
    proxy.end();
    let reader = tokio::spawn({
        let process = process.clone();
        async move {
            // One finds that its connection has ended; the other waits for a new one.
            let mut statuses = [0; 2];
            for status in &mut statuses {
                let process = process.clone();
                *status = tokio::task::spawn_blocking(move || process.get("/v1/posts").0).await.unwrap();
            }
            statuses
        }
    });
    while secrets.asked() < 3 && !reader.is_finished() {
        tokio::task::yield_now().await;
    }
    secrets.answer(secret(&database, proxy.port, &new));
    // Which of them finds the end of its connection depends on when that arrives.
    let failed = reader.await.unwrap().into_iter().filter(|status| *status != 200).collect::<Vec<_>>();
    assert!(failed.is_empty() || failed == [503], "{failed:?}");
    assert_eq!(get("/v1/posts").await.0, 200);
    assert_eq!(get("/ready").await.0, 200);
    let series = {
        let process = process.clone();
        tokio::task::spawn_blocking(move || process.metrics()).await.unwrap()
    };
    let value =
        |name: &str| series.iter().find(|(series, _)| series == name).unwrap().1.parse::<u64>().unwrap();
    let refreshes = |result: &str| value(&format!("db_secret_refreshes_total{{result=\"{result}\"}}"));
    assert_eq!(value("background_tasks_running{task=\"credentials refresh\"}"), 1);
    assert_eq!((refreshes("changed"), refreshes("failed")), (1, 0));
    assert!(refreshes("unchanged") >= 1);
    let log = process.log();
    assert!(log.contains("credentials have been rotated") && !log.contains(PASSWORD), "{log}");
    let Ok(process) = std::sync::Arc::try_unwrap(process) else { panic!("it is still asked") };
    assert_eq!(process.stop(Signal::SIGTERM), Some(0));
    for role in [old, new] {
        execute(&database, format!("drop owned by {role}; drop role {role}")).await;
    }
}

/// What queries of an operator do not read.
const HIDDEN: [&str; 16] = [
    "_sqlx_migrations.checksum",
    "api_tokens.token_hash",
    "attempts.key",
    "idempotency_keys.body",
    "idempotency_keys.fingerprint",
    "idempotency_keys.headers",
    "idempotency_keys.key_hash",
    "notification_settings.unsubscribe_key",
    "one_time_tokens.code_hash",
    "one_time_tokens.hash",
    "sessions.token_hash",
    "sign_up_tokens.hash",
    "users.password_hash",
    "webhooks.previous_secret",
    "webhooks.secret",
    "webhooks.url",
];

/// The service works with a role that cannot change the schema.
#[tokio::test]
async fn migrate_makes_the_role_that_the_service_signs_in_with() {
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(&database.options, "127.0.0.1", 0).await;
    let role = format!("blog_{}", Uuid::now_v7().simple());
    let secrets = SecretsManager::start(secret(&database, proxy.port, &role)).await;
    let url = database.url();
    for _ in 0..2 {
        let variables = [("DATABASE_URL", &*url), ("DB_APP_SECRET_ID", SECRET_ID)];
        let mut migrate = command(&secrets, &variables);
        migrate.arg("migrate");
        let (status, message) = output(migrate).await;
        assert_eq!(status, Some(0), "{message}");
        assert!(message.contains(&format!("The role {role} may read and write")), "{message}");
        assert!(!message.contains(PASSWORD), "{message}");
    }

    let mut command = command(&secrets, &[("MIGRATE_ON_START", "false")]);
    let process = tokio::task::spawn_blocking(move || Process::start(&mut command)).await.unwrap();
    let process = tokio::task::spawn_blocking(move || {
        assert_eq!(process.get("/ready").0, 200, "{}", process.log());
        assert_eq!(process.get("/v1/posts").0, 200, "{}", process.log());
        process
    });
    assert_eq!(process.await.unwrap().stop(Signal::SIGTERM), Some(0));

    let options = database.options.clone().username(&role).password(PASSWORD);
    let mut service = options.connect().await.unwrap();
    sqlx::raw_sql("update posts set version = 1 where false; delete from users where false")
        .execute(&mut service)
        .await
        .unwrap();
    for forbidden in [
        "create table mine (a int)",
        "alter table posts add column mine int",
        "drop table comments",
        "truncate posts",
        "delete from _sqlx_migrations",
        "create role mine",
    ] {
        let error = sqlx::raw_sql(forbidden).execute(&mut service).await.expect_err(forbidden);
        let code = error.as_database_error().unwrap().code().unwrap().into_owned();
        assert_eq!(code, "42501", "{forbidden}: {error}");
    }
    drop(service);

    let reader = format!("{role}_reader");
    let mut owner = database.options.connect().await.unwrap();
    let hidden: Vec<String> = sqlx::query_scalar(
        "select format('%s.%s', c.relname, a.attname) as name
         from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
         where c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
           and not has_column_privilege($1, c.oid, a.attnum, 'select')
         order by c.relname, a.attname",
    )
    .bind(&reader)
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert_eq!(hidden, HIDDEN);
    drop(owner);
    execute(&database, format!("drop owned by {role}, {reader}; drop role {role}, {reader}")).await;
}

#[tokio::test]
async fn what_stands_in_the_way_of_the_secret_is_said_with_its_mend() {
    let text = |text: &str| Answer::Secret(Value::from(text));
    let cases = [
        (
            Answer::Error(400, "AccessDeniedException"),
            78,
            "allow the task role `secretsmanager:GetSecretValue`",
        ),
        (Answer::Error(400, "ResourceNotFoundException"), 78, "not found"),
        (Answer::Error(400, "DecryptionFailure"), 78, "allow the task role `kms:Decrypt`"),
        (Answer::Error(400, "InvalidRequestException"), 78, "marked for deletion"),
        (Answer::Error(400, "UnrecognizedClientException"), 78, "credentials are not valid"),
        (Answer::Error(500, "InternalServiceError"), 69, "InternalServiceError"),
        (Answer::Error(400, "ThrottlingException"), 69, "ThrottlingException"),
        (text(PASSWORD), 78, "is not JSON"),
        (text(r#"{"username": "blog"}"#), 78, "has no `password`"),
        (text(r#"{"username": "blog", "password": "hunter2-in-the-secret"}"#), 78, "DB_HOST is required"),
    ];
    join_all(cases.map(async |(answer, code, said)| {
        let secrets = SecretsManager::start(answer).await;
        let mut command = command(&secrets, &[("ENVIRONMENT", "production")]);
        command.arg("migrate");
        let (status, message) = output(command).await;
        assert_eq!(status, Some(code), "{message}");
        assert!(message.starts_with("blog-api: DB_") && message.contains(said), "{said}: {message}");
        assert!(!message.contains(PASSWORD), "{message}");
        // What may pass is tried again.
        assert_eq!(secrets.asked(), if code == 69 { 4 } else { 1 }, "{message}");
    }))
    .await;
}

#[tokio::test]
async fn a_failure_of_secrets_manager_that_passes_is_nobodys_concern() {
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(&database.options, "127.0.0.1", 0).await;
    let secrets = SecretsManager::start(Answer::Error(500, "InternalServiceError")).await;
    let mut command = command(&secrets, &[]);
    command.arg("migrate");
    let migrating = tokio::spawn(output(command));
    while secrets.asked() < 2 {
        tokio::task::yield_now().await;
    }
    let url = database.options.to_url_lossy();
    let (user, password) = (url.username(), url.password().unwrap_or("any"));
    let name = database.options.get_database();
    secrets.answer(Answer::Secret(
        json!({"username": user, "password": password, "host": "127.0.0.1", "port": proxy.port, "dbname": name}),
    ));
    let (status, message) = migrating.await.unwrap();
    assert_eq!(status, Some(0), "{message}");
}

/// A security group that lets nothing through, before Secrets Manager or before the database.
#[tokio::test]
async fn what_never_answers_is_given_up_within_seconds() {
    let silent = SecretsManager::start(Answer::Silence).await;
    let mut without_secret = command(&silent, &[]);
    without_secret.arg("migrate");

    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://blog@{}/blog", listener.local_addr().unwrap());
    let mut without_database = command(&silent, &[("DATABASE_URL", &url)]);
    without_database.arg("migrate");

    let began = Instant::now();
    let (secret, database) =
        futures_util::future::join(output(without_secret), output(without_database)).await;
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(secret.0, Some(69), "{}", secret.1);
    assert!(secret.1.contains("Secrets Manager cannot be reached"), "{}", secret.1);
    assert_eq!(database.0, Some(69), "{}", database.1);
    assert!(database.1.contains("the database did not answer in time"), "{}", database.1);
}

/// Where ECS gives a task the credentials of its role.
async fn task_role(status: StatusCode) -> String {
    let answer = async move |headers: HeaderMap| {
        assert_eq!(headers["authorization"], "of the task");
        let keys = json!({
            "AccessKeyId": "OFTHETASKROLE", "SecretAccessKey": "key-of-the-role", "Token": "session-of-the-role",
            "Expiration": "2999-01-01T00:00:00Z",
        });
        (status, axum::Json(keys))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v2/credentials", listener.local_addr().unwrap());
    let routes = Router::new().route("/v2/credentials", get(answer));
    tokio::spawn(axum::serve(listener, routes).into_future());
    url
}

fn as_task(command: &mut Command, role: &str) {
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command
        .env("AWS_CONTAINER_CREDENTIALS_FULL_URI", role)
        .env("AWS_CONTAINER_AUTHORIZATION_TOKEN", "of the task");
}

/// As on ECS: with nothing but a role and the secret's name. No level of the log shows what they give.
#[tokio::test]
async fn the_task_role_reads_the_secret_and_the_log_tells_nobody() {
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(&database.options, "127.0.0.1", 0).await;
    let role = create_role(&database).await;
    let secrets = SecretsManager::start(secret(&database, proxy.port, &role)).await;
    let mut command = command(&secrets, &[("MIGRATE_ON_START", "false"), ("LOG_LEVEL", "trace")]);
    as_task(&mut command, &task_role(StatusCode::OK).await);
    let process = tokio::task::spawn_blocking(move || {
        let process = Process::start(&mut command);
        assert_eq!(process.get("/ready").0, 200, "{}", process.log());
        process
    });
    let process = process.await.unwrap();
    assert!(secrets.told("authorization").contains("Credential=OFTHETASKROLE/"));
    assert_eq!(secrets.told("x-amz-security-token"), "session-of-the-role");
    let log = process.log();
    assert!(log.contains("TRACE"), "{log}");
    for value in [PASSWORD, "key-of-the-role", "session-of-the-role"] {
        assert!(!log.contains(value), "{value}: {log}");
    }
    assert_eq!(process.stop(Signal::SIGTERM), Some(0));
    execute(&database, format!("drop owned by {role}; drop role {role}")).await;
}

#[tokio::test]
async fn a_task_role_that_gives_nothing_now_may_give_something_later() {
    let secrets = SecretsManager::start(Answer::Error(500, "unused")).await;
    let mut command = command(&secrets, &[]);
    as_task(&mut command, &task_role(StatusCode::INTERNAL_SERVER_ERROR).await);
    let (status, message) = output(command).await;
    assert_eq!(status, Some(69), "{message}");
    assert!(message.contains("AWS gives no credentials now"), "{message}");
    assert_eq!(secrets.asked(), 0);
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_reached_and_missing_credentials_are_told_apart() {
    let secrets = SecretsManager::start(Answer::Error(500, "unused")).await;
    let unreachable = command(&secrets, &[("AWS_ENDPOINT_URL_SECRETS_MANAGER", "http://127.0.0.1:1")]);
    let (status, message) = output(unreachable).await;
    assert_eq!(status, Some(69), "{message}");
    assert!(message.contains("cannot be reached") && message.contains("NAT gateway"), "{message}");

    let mut nobody = command(&secrets, &[("AWS_EC2_METADATA_DISABLED", "true")]);
    nobody.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let (status, message) = output(nobody).await;
    assert_eq!(status, Some(78), "{message}");
    assert!(message.contains("no AWS credentials") && message.contains("taskRoleArn"), "{message}");
}

/// Production never falls back to plain text.
#[tokio::test]
async fn a_database_without_tls_ends_the_boot_in_production() {
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(&database.options, "127.0.0.1", 0).await;
    let secrets = SecretsManager::start(secret(&database, proxy.port, "blog")).await;
    for subcommand in [None, Some("migrate")] {
        let mut command = command(&secrets, &[("ENVIRONMENT", "production")]);
        command.args(subcommand);
        let (status, message) = output(command).await;
        assert_eq!(status, Some(78), "{message}");
        assert!(message.contains("does not support TLS") && message.contains("DB_SSL_MODE"), "{message}");
    }
}

/// Whatever answers there, it shows no certificate to trust.
#[tokio::test]
async fn a_database_without_a_certificate_to_trust_ends_the_boot_in_production() {
    let database = TestDatabase::create().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            // Yes to TLS, and then something else.
            stream.write_all(b"SHTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            tokio::spawn(async move { tokio::io::copy(&mut stream, &mut tokio::io::sink()).await });
        }
    });
    let secrets = SecretsManager::start(secret(&database, port, "blog")).await;
    for subcommand in [None, Some("migrate")] {
        let mut command = command(&secrets, &[("ENVIRONMENT", "production")]);
        command.args(subcommand);
        let (status, message) = output(command).await;
        assert_eq!(status, Some(78), "{message}");
        assert!(message.contains("DB_SSL_ROOT_CERT"), "{message}");
    }
}

/// A database that refuses the credentials at boot needs a person; one that is away does not.
#[tokio::test]
async fn credentials_that_the_database_refuses_end_the_boot() {
    let database = TestDatabase::create().await;
    let proxy = Proxy::start(&database.options, "127.0.0.1", 0).await;
    let role = create_role(&database).await;
    execute(&database, format!("alter role {role} nologin")).await;
    let secrets = SecretsManager::start(secret(&database, proxy.port, &role)).await;
    let (status, message) =
        output(command(&secrets, &[("MIGRATE_ON_START", "false"), ("DB_ACQUIRE_TIMEOUT", "500ms")])).await;
    assert_eq!(status, Some(78), "{message}");
    assert!(message.contains("check the user and the password"), "{message}");
    assert!(!message.contains(PASSWORD), "{message}");
    execute(&database, format!("drop owned by {role}; drop role {role}")).await;
}
