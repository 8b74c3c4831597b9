//! The command line, as an operator types it.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use sqlx::Connection;
use sqlx::postgres::PgConnectOptions;

use crate::support::{PASSWORD, TestApp, TestDatabase};

pub(crate) fn run(arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_blog-api"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn the_first_admin_is_made_from_the_command_line() {
    let app = TestApp::start().await;
    let url = app.database_url();
    let create = |username: &str, email: &str, password: &str| {
        let arguments = ["users", "create", "--username", username, "--email", email, "--role", "admin"];
        run(&arguments, &[("DATABASE_URL", &url)], &format!("{password}\n"))
    };
    let created = create("root", "root@example.com", PASSWORD);
    assert!(created.status.success(), "{}", stderr(&created));
    let credentials = json!({"email": "root@example.com", "password": PASSWORD});
    let session = app.post("/v1/sessions").json(&credentials).expect(201).await.json();
    app.get("/v1/users").token(session["token"].as_str().unwrap()).expect(200).await;

    let taken = create("ROOT", "other@example.com", PASSWORD);
    assert_eq!(
        (taken.status.code(), stderr(&taken).as_str()),
        (Some(64), "blog-api: username is taken already\n")
    );
    let common = create("b", "b@example.com", "password123");
    assert_eq!(common.status.code(), Some(64), "{}", stderr(&common));
    let invalid = create("a b", "nobody", "short");
    assert_eq!(invalid.status.code(), Some(64));
    for field in ["username", "email", "password"] {
        assert!(stderr(&invalid).contains(field), "{}", stderr(&invalid));
    }
    assert!(!stderr(&create("b", "b@example.com", "")).is_empty());
}

#[test]
fn mail_that_cannot_be_sent_stops_the_boot() {
    for (name, value) in
        [("MAIL_URL", "smtp://user:hunter2@"), ("MAIL_URL", "pigeon:hunter2"), ("MAIL_FROM", "nobody")]
    {
        let variables = [("DATABASE_URL", "postgres://u:p@localhost/d"), (name, value)];
        let output = run(&[], &variables, "");
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(78), "{message}");
        assert!(message.contains(name) && !message.contains("hunter2"), "{message}");
    }
}

#[tokio::test]
async fn users_are_managed_from_the_command_line() {
    let app = TestApp::start().await;
    let (url, admin, user) = (app.database_url(), app.admin().await, app.author().await);
    let command = |arguments: &[&str], input: &str| run(arguments, &[("DATABASE_URL", &url)], input);
    let says = |output: Output, code: i32| {
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        if code == 0 { String::from_utf8(output.stdout).unwrap() } else { stderr(&output) }
    };

    let listed = says(command(&["users", "list"], ""), 0);
    let line = |id, role, username| format!("{id}\t{role}\t{username}\n");
    let (first, second) = (line(admin.id, "admin", &admin.username), line(user.id, "author", &user.username));
    assert!(listed.contains(&first) && listed.contains(&second), "{listed}");
    assert!(!listed.contains('@'), "{listed}");
    assert_eq!(says(command(&["users", "list", "--role", "admin"], ""), 0), first);

    let refused = says(command(&["users", "set-role", &admin.username, "reader"], ""), 64);
    assert!(refused.contains("is the last admin"), "{refused}");
    says(command(&["users", "set-role", &user.username.to_uppercase(), "admin"], ""), 0);
    app.get("/v1/users").by(&user).expect(200).await;
    says(command(&["users", "set-role", &admin.username, "reader"], ""), 0);
    app.get("/v1/users").by(&admin).expect(403).await;

    let new = "another long password";
    says(command(&["users", "set-password", &user.username], "short\n"), 64);
    app.get("/v1/users/me").by(&user).expect(200).await;
    says(command(&["users", "set-password", &user.username], &format!("{new}\n")), 0);
    app.get("/v1/users/me").by(&user).expect(401).await;
    let sign_in = json!({"email": user.email, "password": new});
    let session = app.post("/v1/sessions").json(&sign_in).expect(201).await.json();
    for arguments in
        [["users", "set-role", "nobody", "admin"].as_slice(), &["users", "set-password", "nobody"]]
    {
        assert_eq!(says(command(arguments, new), 64), "blog-api: there is no user nobody\n");
    }

    let audit = app.get("/v1/audit").token(session["token"].as_str().unwrap()).expect(200).await;
    assert_eq!(audit.items("action"), ["user.updated", "user.role_changed", "user.role_changed"]);
    assert_eq!(audit.json()["items"][1]["details"], json!({"from": "admin", "to": "reader"}));
}

#[tokio::test]
async fn a_statement_is_run_from_the_command_line() {
    let app = TestApp::start().await;
    let (url, user) = (app.database_url(), app.author().await);
    let query = |arguments: &[&str]| run(&[&["query"], arguments].concat(), &[("DATABASE_URL", &url)], "");
    let rows = query(&["select username, null as nothing, 1 as one from users; select 2 as two"]);
    let expected = format!("username\tnothing\tone\n{}\t\t1\n(1 rows)\ntwo\n2\n(1 rows)\n", user.username);
    assert_eq!(String::from_utf8(rows.stdout).unwrap(), expected);

    let update = "update users set bio = 'x'";
    let refused = query(&[update]);
    assert_eq!(refused.status.code(), Some(64));
    assert!(stderr(&refused).contains("read-only transaction"), "{}", stderr(&refused));
    assert_eq!(query(&["--write", update]).stdout, b"(1 rows)\n");
    assert_eq!(query(&["selec"]).status.code(), Some(64));
}

#[test]
fn a_configuration_error_names_the_variable_and_exits_78() {
    for (variables, message) in [
        (vec![("PORT", "http")], "PORT must be a port number, not `http`"),
        (vec![("ENVIRONMENT", "production")], "DB_SECRET_ID or DATABASE_URL is required in production"),
        (vec![("DB_HOST", "db.example")], "DB_HOST needs DB_SECRET_ID, which has the credentials"),
    ] {
        let output = run(&[], &variables, "");
        assert_eq!(output.status.code(), Some(78), "{}", stderr(&output));
        assert_eq!(stderr(&output), format!("blog-api: {message}\n"));
    }
}

#[tokio::test]
async fn migrating_twice_is_as_good_as_once_and_an_absent_database_exits_69() {
    let database = TestDatabase::create().await;
    for _ in 0..2 {
        let output = run(&["migrate"], &[("DATABASE_URL", &database.url())], "");
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let output = run(&["migrate"], &[("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")], "");
    assert_eq!(output.status.code(), Some(69));
    assert!(stderr(&output).starts_with("blog-api: cannot migrate the database: "), "{}", stderr(&output));
}

#[tokio::test]
async fn the_health_check_tells_a_healthy_server_from_none() {
    let app = TestApp::start().await;
    let port = app.address.port().to_string();
    let check =
        |port: String| tokio::task::spawn_blocking(move || run(&["healthcheck"], &[("PORT", &port)], ""));
    assert!(check(port).await.unwrap().status.success());
    let nobody = check("1".into()).await.unwrap();
    assert_eq!(nobody.status.code(), Some(1));
    assert!(stderr(&nobody).starts_with("blog-api: unhealthy: "), "{}", stderr(&nobody));
}

#[test]
fn the_document_is_printed() {
    let output = run(&["openapi"], &[], "");
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), blog_api::router::document());
}

/// Keeps the URL honest: it must lead to where the options do.
#[tokio::test]
async fn a_test_database_has_a_url() {
    let database = TestDatabase::create().await;
    let options: PgConnectOptions = database.url().parse().unwrap();
    let mut connection = sqlx::PgConnection::connect_with(&options).await.unwrap();
    let name: String =
        sqlx::query_scalar("select current_database()").fetch_one(&mut connection).await.unwrap();
    assert_eq!(Some(name.as_str()), database.options.get_database());
}
