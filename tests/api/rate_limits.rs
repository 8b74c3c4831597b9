//! How often a client may ask: by address and by account in each task, sign-in and sign-up in all together.

use blog_api::auth::login_throttle::store::delete_expired;
use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Reply, TestApp};

/// A service behind one proxy, with these limits.
async fn limited(address: &str, account: &str, attempts: &str) -> TestApp {
    TestApp::start_with(&[
        ("RATE_LIMIT_ADDRESS", address),
        ("RATE_LIMIT_ACCOUNT", account),
        ("ATTEMPT_LIMITS", attempts),
        ("TRUSTED_PROXY_HOPS", "1"),
    ])
    .await
}

/// Asks for something cheap as the proxy forwards it.
async fn ask(app: &TestApp, forwarded_for: &str) -> Reply {
    app.get("/v1/posts").header("x-forwarded-for", forwarded_for).send().await
}

async fn sign_in(app: &TestApp, from: &str, email: &str, password: &str) -> Reply {
    let body = json!({"email": email, "password": password});
    app.post("/v1/sessions").header("x-forwarded-for", from).json(&body).send().await
}

async fn sign_up(app: &TestApp, from: &str, name: &str) -> Reply {
    let body = json!({"username": name, "email": format!("{name}@example.com"), "password": PASSWORD});
    app.post("/v1/users").header("x-forwarded-for", from).json(&body).send().await
}

/// Fails unless it is refused by `policy` for so many seconds.
fn assert_refused(reply: &Reply, policy: &str, retry_after: &str) {
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (429, &json!("rate_limited")), "{reply}");
    assert_eq!(reply.header("retry-after"), retry_after, "{reply}");
    let (name, _) = reply.header("ratelimit").rsplit_once(";r=").unwrap();
    assert!(name.ends_with(&format!("\"{policy}\"")), "{:?}", reply.headers);
    assert!(reply.header("ratelimit").ends_with(&format!(";r=0;t={retry_after}")), "{:?}", reply.headers);
}

#[tokio::test]
async fn an_address_is_refused_when_its_quota_is_spent_and_not_for_longer() {
    let app = limited("4", "off", "off").await;
    for remaining in [3, 2, 1, 0] {
        let reply = ask(&app, "203.0.113.7").await;
        assert_eq!(reply.status, 200, "{reply}");
        assert_eq!(reply.header("ratelimit-policy"), "\"address\";q=4;w=60");
        assert_eq!(reply.header("ratelimit"), format!("\"address\";r={remaining};t=15"));
    }
    assert_refused(&ask(&app, "203.0.113.7").await, "address", "15");
    assert_eq!(ask(&app, "203.0.113.8").await.status, 200);
    // Another task counts for itself.
    let variables = [("RATE_LIMIT_ADDRESS", "4"), ("TRUSTED_PROXY_HOPS", "1")];
    assert_eq!(ask(&app.start_beside(&variables), "203.0.113.7").await.status, 200);

    app.advance(TimeDelta::milliseconds(14_500));
    assert_refused(&ask(&app, "203.0.113.7").await, "address", "1");
    app.advance(TimeDelta::milliseconds(500));
    assert_eq!(ask(&app, "203.0.113.7").await.status, 200);
    assert_refused(&ask(&app, "203.0.113.7").await, "address", "15");
    app.advance(TimeDelta::minutes(1));
    assert_eq!(ask(&app, "203.0.113.7").await.header("ratelimit"), "\"address\";r=3;t=15");
}

#[tokio::test]
async fn what_cannot_be_found_or_read_counts_and_health_does_not() {
    let app = limited("3", "off", "off").await;
    for (path, status) in [("/nowhere", 404), ("/v1/posts?limit=0", 422), ("/openapi.json", 200)] {
        assert_eq!(app.get(path).expect(status).await.header("ratelimit-policy"), "\"address\";q=3;w=60");
    }
    for path in ["/nowhere", "/v1/posts?limit=0", "/openapi.json", "/docs/"] {
        app.get(path).expect_problem(429, "rate_limited").await;
    }
    for path in ["/health", "/ready"].repeat(3) {
        let reply = app.get(path).expect(200).await;
        assert!(!reply.headers.contains_key("ratelimit"), "{:?}", reply.headers);
    }
}

#[tokio::test]
async fn without_limits_there_are_no_headers() {
    let app = limited("off", "off", "off").await;
    let reply = ask(&app, "203.0.113.7").await;
    assert!(!reply.headers.contains_key("ratelimit") && !reply.headers.contains_key("ratelimit-policy"));
}

#[tokio::test]
async fn scripts_of_allowed_origins_can_read_the_headers() {
    let app = TestApp::start_with(&[("CORS_ALLOWED_ORIGINS", "https://blog.example")]).await;
    let reply = app.get("/v1/posts").header("origin", "https://blog.example").expect(200).await;
    let exposed = reply.header("access-control-expose-headers").to_lowercase();
    for name in ["ratelimit", "ratelimit-policy", "retry-after"] {
        assert!(exposed.split(',').any(|exposed| exposed.trim() == name), "{name}: {exposed}");
    }
}

#[tokio::test]
async fn nobody_evades_or_spends_the_quota_of_another_with_a_forged_address() {
    let app = limited("3", "off", "off").await;
    let long = format!("{}, 203.0.113.7", vec!["6.6.6.6"; 500].join(", "));
    for forged in ["6.6.6.1, 203.0.113.7", "::ffff:203.0.113.7", long.as_str()] {
        assert_eq!(ask(&app, forged).await.status, 200, "{forged}");
    }
    for forged in
        ["203.0.113.7", "6.6.6.2, 203.0.113.7", "6.6.6.1,::ffff:203.0.113.7", "nonsense, 203.0.113.7:4711"]
    {
        assert_refused(&ask(&app, forged).await, "address", "20");
    }
    let twice =
        app.get("/v1/posts").header("x-forwarded-for", "6.6.6.3").header("x-forwarded-for", "203.0.113.7");
    assert_refused(&twice.send().await, "address", "20");
    // Those whose names were used have lost nothing.
    for framed in ["6.6.6.6", "6.6.6.1", "6.6.6.3"] {
        assert_eq!(ask(&app, framed).await.header("ratelimit"), "\"address\";r=2;t=20", "{framed}");
    }
    // Without a usable header it is the peer that is counted.
    assert_eq!(app.get("/v1/posts").send().await.header("ratelimit"), "\"address\";r=2;t=20");
    assert_eq!(ask(&app, "").await.header("ratelimit"), "\"address\";r=1;t=20");
    assert_eq!(ask(&app, "6.6.6.6, unknown").await.header("ratelimit"), "\"address\";r=0;t=20");
    assert_refused(&ask(&app, "6.6.6.6, nonsense").await, "address", "20");
}

#[tokio::test]
async fn the_header_is_ignored_where_no_proxy_is_trusted() {
    let app = TestApp::start_with(&[("RATE_LIMIT_ADDRESS", "2")]).await;
    assert_eq!(ask(&app, "203.0.113.1").await.status, 200);
    assert_eq!(ask(&app, "203.0.113.2").await.status, 200);
    assert_refused(&ask(&app, "203.0.113.3").await, "address", "30");
}

#[tokio::test]
async fn a_network_of_ipv6_is_one_client() {
    let app = limited("2", "off", "off").await;
    assert_eq!(ask(&app, "2001:db8:0:1::1").await.status, 200);
    assert_eq!(ask(&app, "2001:db8:0:1:ffff:ffff:ffff:ffff").await.status, 200);
    assert_refused(&ask(&app, "[2001:db8:0:1::2]:443").await, "address", "30");
    assert_eq!(ask(&app, "2001:db8:0:2::1").await.status, 200);
}

#[tokio::test]
async fn an_account_is_counted_across_its_tokens_and_addresses() {
    let app = limited("10", "3", "off").await;
    let (user, other) = (app.author().await, app.author().await);
    let second = sign_in(&app, "203.0.113.1", &user.email, PASSWORD).await.json();
    let second = second["token"].as_str().unwrap();
    let me = |token: &str, from: &str| app.get("/v1/users/me").token(token).header("x-forwarded-for", from);

    let reply = me(&user.token, "203.0.113.1").expect(200).await;
    assert_eq!(reply.header("ratelimit-policy"), "\"address\";q=10;w=60, \"account\";q=3;w=60");
    assert_eq!(reply.header("ratelimit"), "\"address\";r=8;t=6, \"account\";r=2;t=20");
    me(second, "203.0.113.2").expect(200).await;
    me(&user.token, "203.0.113.3").expect(200).await;
    assert_refused(&me(second, "203.0.113.4").send().await, "account", "20");
    assert_refused(&me(&user.token, "203.0.113.1").send().await, "account", "20");
    me(&other.token, "203.0.113.1").expect(200).await;
    app.advance(TimeDelta::seconds(20));
    me(second, "203.0.113.4").expect(200).await;
    assert_refused(&me(&user.token, "203.0.113.4").send().await, "account", "20");
}

#[tokio::test]
async fn of_many_at_once_exactly_the_quota_passes() {
    let app = limited("10", "off", "off").await;
    let replies = join_all((0..40).map(|_| ask(&app, "203.0.113.7"))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 10);
    assert_eq!(replies.iter().filter(|reply| reply.status == 429).count(), 30);
}

#[tokio::test]
async fn ten_guesses_at_an_account_from_an_address_in_all_tasks_together() {
    let app = limited("off", "off", "on").await;
    let other = app.start_beside(&[("ATTEMPT_LIMITS", "on"), ("TRUSTED_PROXY_HOPS", "1")]);
    let user = app.author().await;
    // An account that does not exist is answered no differently.
    for email in [&user.email, "nobody@example.com"] {
        for (guess, task) in [&app, &other].repeat(5).into_iter().enumerate() {
            let email = if guess == 3 { email.to_uppercase() } else { email.to_owned() };
            let reply = sign_in(task, "203.0.113.7", &email, "wrong password").await;
            assert_eq!(reply.status, 401, "{reply}");
            assert_eq!(reply.header("ratelimit-policy"), "\"sign-in\";q=10;w=900");
            assert_eq!(reply.header("ratelimit"), format!("\"sign-in\";r={};t=900", 9 - guess));
        }
        for task in [&app, &other] {
            assert_refused(&sign_in(task, "203.0.113.7", email, PASSWORD).await, "sign-in", "900");
        }
    }
    assert_eq!(sign_in(&app, "203.0.113.8", &user.email, PASSWORD).await.status, 201);
    for task in [&app, &other] {
        task.advance(TimeDelta::minutes(15));
    }
    assert_eq!(sign_in(&app, "203.0.113.7", &user.email, PASSWORD).await.status, 201);
}

#[tokio::test]
async fn who_signs_in_is_forgiven_the_guesses_before() {
    let app = limited("off", "off", "on").await;
    let user = app.author().await;
    for _ in 0..2 {
        for _ in 0..9 {
            assert_eq!(sign_in(&app, "203.0.113.7", &user.email, "wrong password").await.status, 401);
        }
        assert_eq!(sign_in(&app, "203.0.113.7", &user.email, PASSWORD).await.status, 201);
    }
}

#[tokio::test]
async fn refused_guesses_do_not_use_up_what_the_account_and_the_address_have_left() {
    let app = limited("off", "off", "on").await;
    let user = app.author().await;
    let replies =
        join_all((0..25).map(|_| sign_in(&app, "203.0.113.7", &user.email, "wrong password"))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 401).count(), 10);
    assert_eq!(replies.iter().filter(|reply| reply.status == 429).count(), 15);
    let counts: Vec<i32> = sqlx::query_scalar("select count from attempts order by count")
        .fetch_all(&mut app.db.acquire().await.unwrap())
        .await
        .unwrap();
    assert_eq!(counts, [10, 10, 11]);
}

#[tokio::test]
async fn a_hundred_guesses_by_an_address_or_at_an_account() {
    let app = limited("off", "off", "on").await;
    let guess = async |from, email| sign_in(&app, from, email, "wrong password").await;
    assert_eq!(guess("203.0.113.1", "ada@example.com").await.status, 401);
    // As if there had been 99 more, at other accounts and from other addresses.
    let spent = "update attempts set count = 100 where key in
        (select sha256(convert_to(lower(subject), 'UTF8')) from unnest($1::text[]) subject)";
    let subjects = ["sign-in by address\n203.0.113.1", "sign-in by account\nada@example.com"];
    let updated = sqlx::query(spent).bind(&subjects[..]).execute(&mut app.db.acquire().await.unwrap()).await;
    assert_eq!(updated.unwrap().rows_affected(), 2);
    let by_address = guess("203.0.113.1", "grace@example.com").await;
    assert_refused(&by_address, "sign-in", "900");
    assert_eq!(by_address.header("ratelimit-policy"), "\"sign-in\";q=100;w=900");
    assert_refused(&guess("203.0.113.2", "Ada@Example.com").await, "sign-in", "900");
    assert_eq!(guess("203.0.113.2", "grace@example.com").await.status, 401);
}

#[tokio::test]
async fn twenty_accounts_an_hour_from_an_address() {
    let app = limited("off", "off", "on").await;
    for i in 0..20 {
        let reply = sign_up(&app, "2001:db8::1", &format!("user{}", i / 2)).await;
        assert_eq!(reply.status, [201, 409][i % 2], "{reply}");
        assert_eq!(reply.header("ratelimit"), format!("\"sign-up\";r={};t=3600", 19 - i));
    }
    assert_refused(&sign_up(&app, "2001:db8::2", "late").await, "sign-up", "3600");
    // What is not acceptable is no attempt.
    let reply = app.post("/v1/users").header("x-forwarded-for", "2001:db8::1").json(&json!({})).send().await;
    assert_eq!(reply.status, 422, "{reply}");
    assert_eq!(sign_up(&app, "2001:db8:1::1", "elsewhere").await.status, 201);
    app.advance(TimeDelta::hours(1));
    assert_eq!(sign_up(&app, "2001:db8::1", "late").await.status, 201);
}

#[tokio::test]
async fn attempts_hold_no_personal_data_and_are_forgotten() {
    let app = limited("off", "off", "on").await;
    sign_in(&app, "203.0.113.7", "ada\0@example.com", "wrong password").await;
    sign_up(&app, "203.0.113.7", "ada").await;
    let mut connection = app.db.acquire().await.unwrap();
    let keys: Vec<Vec<u8>> =
        sqlx::query_scalar("select key from attempts").fetch_all(&mut connection).await.unwrap();
    assert_eq!(keys.iter().map(Vec::len).collect::<Vec<_>>(), [32; 4]);

    assert_eq!(delete_expired(&mut connection, app.now(), 10).await.unwrap(), 0);
    let later = app.now() + TimeDelta::minutes(15);
    assert_eq!(delete_expired(&mut connection, later, 2).await.unwrap(), 2);
    assert_eq!(delete_expired(&mut connection, later, 2).await.unwrap(), 1);
    assert_eq!(delete_expired(&mut connection, later, 2).await.unwrap(), 0);
    assert_eq!(delete_expired(&mut connection, app.now() + TimeDelta::hours(1), 2).await.unwrap(), 1);
}

/// The line in the access log, under the request id that the client was given.
#[tokio::test]
async fn a_refusal_is_logged_like_any_answer() {
    let app = limited("1", "off", "off").await;
    ask(&app, "203.0.113.7").await;
    let reply = ask(&app, "203.0.113.7").await;
    assert_refused(&reply, "address", "60");
    let lines = crate::support::logs::of_request(reply.header("x-request-id"));
    assert_eq!((lines.len(), &lines[0]["status"]), (1, &Value::from(429)), "{lines:?}");
}
