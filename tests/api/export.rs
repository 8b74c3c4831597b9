//! A user's own data: exported whole, as of one moment, or visibly not; and erased wherever it is.
//!
//! [`REFERENCES`], [`OTHER_TABLES`] and [`WITHHELD`] say for everything in the schema what becomes of it. A
//! new table, a new reference to a user or a new column in what is exported fails a test until it is there.

mod erasure;
mod stream;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use sqlx::Row;

use crate::support::{TestApp, TestUser};

/// Every column that refers to a user: the field of the export that has its rows, and whether the row goes
/// with the user (`c`, cascade) or stays without them (`n`, set null).
const REFERENCES: [(&str, &str, char); 22] = [
    ("api_tokens.user_id", "api_tokens", 'c'),
    ("audit_log.actor_id", "actions", 'n'),
    ("comments.author_id", "comments", 'n'),
    ("follows.followed_id", "followers", 'c'),
    ("follows.follower_id", "following", 'c'),
    ("idempotency_keys.user_id", "idempotency_keys", 'c'),
    ("jobs.user_id", "jobs", 'c'),
    ("media.owner_id", "media", 'n'),
    ("media_uploads.owner_id", "media_uploads", 'c'),
    // How much that is.
    ("media_usage.user_id", "media", 'c'),
    ("muted_posts.user_id", "muted_posts", 'c'),
    ("notification_settings.user_id", "notification_settings", 'c'),
    ("notifications.user_id", "notifications", 'c'),
    ("one_time_tokens.user_id", "one_time_tokens", 'c'),
    ("post_likes.user_id", "likes", 'c'),
    ("post_revisions.editor_id", "revisions", 'n'),
    ("posts.author_id", "posts", 'n'),
    ("reports.reporter_id", "reports", 'n'),
    ("reports.resolver_id", "decided_reports", 'n'),
    ("sessions.user_id", "sessions", 'c'),
    ("sign_ups.inviter_id", "invitations", 'c'),
    ("webhooks.created_by", "webhooks", 'n'),
];

/// The tables that refer to no user, and why they need not.
const OTHER_TABLES: [(&str, &str); 16] = [
    ("_sqlx_migrations", "of the schema"),
    ("attempts", "hashes, which end within an hour"),
    ("feed_versions", "hashes of what feeds show, and times"),
    ("media_objects", "hashes of what is stored, which end within two hours of the last that has them"),
    ("media_variants", "of the pictures, with which they go"),
    ("post_media", "of the posts, with which they go"),
    ("post_months", "counts"),
    (
        "post_stats",
        "counts, which triggers correct when a like goes, and what lists need of the post, as `post_tags`",
    ),
    ("post_tags", "of the posts, whose author a trigger takes away when the post stays without them"),
    ("sign_up_tokens", "hashes, which go with the sign-up or the invitation"),
    ("site", "the site's own"),
    ("tags", "names and counts"),
    ("users", "the account itself: exported as `account`, deleted by erasure"),
    ("webhook_attempts", "of the deliveries, with which they go"),
    ("webhook_deliveries", "of the events, with which they go"),
    ("webhook_events", "ids of what has happened, for 30 days; of who was erased, that they were"),
];

/// The columns that an exported row does not show. `user_id` and its like are the caller; what is made from
/// other columns, secrets, counters for conditional requests, and other people are left out.
const WITHHELD: [(&str, &str, &[&str]); 23] = [
    (
        "account",
        "users",
        &["avatar_id", "credentials_version", "email_key", "password_hash", "pending_email_key", "version"],
    ),
    ("sessions", "sessions", &["user_id", "token_hash"]),
    ("api_tokens", "api_tokens", &["user_id", "token_hash"]),
    (
        "posts",
        "posts",
        &[
            "author_id",
            "cover_alt",
            "search",
            "search_text",
            "toc",
            "excerpt",
            "reading_minutes",
            "renderer",
            "title_key",
            "version",
        ],
    ),
    ("revisions", "post_revisions", &["editor_id"]),
    ("comments", "comments", &["author_id", "renderer", "thread", "version"]),
    ("likes", "post_likes", &["user_id"]),
    ("muted_posts", "muted_posts", &["user_id"]),
    ("notification_settings", "notification_settings", &["unsubscribe_key", "at_once_mails", "version"]),
    ("notifications", "notifications", &["user_id", "thread", "delivery", "mail_at", "mail_job"]),
    ("jobs", "jobs", &["key", "payload", "user_id", "holder", "due_at"]),
    (
        "one_time_tokens",
        "one_time_tokens",
        &["hash", "user_id", "email_key", "version", "code_hash", "tries_left"],
    ),
    ("invitations", "sign_ups", &["email_key", "inviter_id", "username", "display_name", "bio"]),
    ("media", "media", &["owner_id", "object", "color", "stored_bytes", "unused_since", "version"]),
    ("media_uploads", "media_uploads", &["owner_id", "object"]),
    // The other of the two is shown as `user_id`.
    ("following", "follows", &["follower_id", "followed_id"]),
    ("followers", "follows", &["follower_id", "followed_id"]),
    ("reports", "reports", &["reporter_id", "resolver_id", "version"]),
    (
        "decided_reports",
        "reports",
        &["reporter_id", "resolver_id", "reason", "note", "version", "created_at"],
    ),
    (
        "idempotency_keys",
        "idempotency_keys",
        &["key_hash", "fingerprint", "user_id", "headers", "body", "people"],
    ),
    (
        "webhooks",
        "webhooks",
        &[
            "place",
            "created_by",
            "secret",
            "previous_secret",
            "previous_secret_until",
            "enabled",
            "disabled_reason",
            "failing_since",
            "version",
        ],
    ),
    ("actions", "audit_log", &["actor_id"]),
    ("actions_on_account", "audit_log", &["actor_id"]),
];

#[tokio::test]
async fn every_table_and_every_reference_to_a_user_is_accounted_for() {
    let app = TestApp::start().await;
    let mut connection = app.db.acquire().await.unwrap();
    let found = sqlx::query(
        "select c.conrelid::regclass || '.' || a.attname, c.confdeltype::text
         from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = any(c.conkey)
         where c.contype = 'f' and c.confrelid = 'users'::regclass",
    );
    let found: BTreeSet<(String, String)> = found
        .fetch_all(&mut connection)
        .await
        .unwrap()
        .into_iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let known = REFERENCES.map(|(column, _, erasure)| (column.to_owned(), erasure.to_string()));
    assert_eq!(found, BTreeSet::from(known));

    let tables = "select table_name::text from information_schema.tables
                  where table_schema = 'public' and table_type = 'BASE TABLE'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
    let referring = REFERENCES.iter().map(|(column, ..)| column.split('.').next().unwrap());
    let known: BTreeSet<&str> = referring.chain(OTHER_TABLES.iter().map(|(table, _)| *table)).collect();
    assert_eq!(tables.iter().map(String::as_str).collect::<BTreeSet<_>>(), known);
}

#[tokio::test]
async fn every_column_of_what_is_exported_is_shown_or_withheld() {
    let app = TestApp::start().await;
    for (field, table, withheld) in WITHHELD {
        let columns = "select column_name::text from information_schema.columns where table_name = $1";
        let columns: BTreeSet<String> = sqlx::query_scalar(columns)
            .bind(table)
            .fetch_all(&mut app.db.acquire().await.unwrap())
            .await
            .unwrap()
            .into_iter()
            .collect();
        let shown: BTreeSet<String> =
            shape()[field].iter().filter(|key| columns.contains(*key)).cloned().collect();
        let withheld: BTreeSet<String> = withheld.iter().map(|column| (*column).to_owned()).collect();
        assert_eq!(shown.intersection(&withheld).collect::<Vec<_>>(), Vec::<&String>::new(), "{field}");
        assert_eq!(shown.union(&withheld).cloned().collect::<BTreeSet<_>>(), columns, "{field}");
    }
    let fields: BTreeSet<_> = WITHHELD.iter().map(|(field, ..)| (*field).to_owned()).collect();
    assert_eq!(fields, shape().into_keys().collect());
}

/// The fields of the export by its schema, each with the fields of its rows.
fn shape() -> BTreeMap<String, BTreeSet<String>> {
    let document: Value = serde_json::from_str(blog_api::router::document()).unwrap();
    let properties = |schema: &Value| {
        let name = schema["$ref"].as_str().unwrap().trim_start_matches('#');
        document.pointer(name).unwrap()["properties"].as_object().unwrap().clone()
    };
    let fields = properties(&json!({"$ref": "#/components/schemas/Export"}));
    let rows = fields.into_iter().filter(|(name, _)| name != "exported_at");
    rows.map(|(name, schema)| {
        let row = if schema["items"].is_null() { &schema } else { &schema["items"] };
        (name, properties(row).into_iter().map(|(key, _)| key).collect())
    })
    .collect()
}

/// Fails unless every part of the export has exactly the fields of its schema.
fn assert_shape(export: &Value) {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
    let expected: BTreeSet<_> = shape().into_keys().chain(["exported_at".to_owned()]).collect();
    assert_eq!(keys(export), expected);
    for (field, expected) in shape() {
        let rows = export[&field].as_array().cloned().unwrap_or_else(|| vec![export[&field].clone()]);
        for row in rows {
            assert_eq!(keys(&row), expected, "{field}");
        }
    }
}

async fn export(app: &TestApp, user: &TestUser) -> Value {
    let export = app.get("/v1/users/me/export").by(user).expect(200).await.json();
    assert_shape(&export);
    export
}

/// The values of `key` in a list of the export.
fn values(export: &Value, list: &str, key: &str) -> Vec<String> {
    export[list].as_array().unwrap().iter().map(|row| row[key].to_string().replace('"', "")).collect()
}

async fn execute(app: &TestApp, sql: &str) {
    // Much is written at once, on machines that do other things.
    let sql = sqlx::AssertSqlSafe(format!("set local statement_timeout = 0; {sql}"));
    sqlx::raw_sql(sql).execute(&mut app.db.acquire().await.unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_new_account_is_a_whole_document_and_a_file() {
    let app = TestApp::start().await;
    let user = app.reader().await;
    let reply = app.get("/v1/users/me/export").by(&user).expect(200).await;
    let name = format!("attachment; filename=\"{}-{}.json\"", user.username, app.now().date_naive());
    assert_eq!(reply.header("content-disposition"), name);
    assert_eq!(reply.header("content-type"), "application/json");
    assert!(reply.header("cache-control").ends_with("no-store"), "{:?}", reply.headers);
    let export = export(&app, &user).await;
    assert_eq!(export["account"]["email"], user.email);
    assert_eq!(export["account"]["id"], user.id.to_string());
    for (list, rows) in export.as_object().unwrap().iter().filter(|(_, value)| value.is_array()) {
        assert_eq!(rows.as_array().unwrap().len(), usize::from(list == "sessions"), "{list}");
    }
    assert!(!reply.to_string().contains("$argon2") && !reply.to_string().contains(&user.token), "{reply}");
}

#[tokio::test]
async fn who_is_banned_gets_their_data_too() {
    let app = TestApp::start().await;
    let user = app.author().await;
    let ban =
        format!("update users set banned_until = 'infinity', ban_reason = 'Spam.' where id = '{}'", user.id);
    execute(&app, &ban.replace("infinity", "2999-01-01")).await;
    let export = export(&app, &user).await;
    assert_eq!(export["account"]["ban_reason"], "Spam.");
    app.delete(&format!("/v1/users/{}", user.id)).by(&user).expect(204).await;
}

/// Several batches of each kind of row: each row once.
#[tokio::test]
async fn nothing_is_left_out_or_given_twice() {
    let app = TestApp::start().await;
    let (user, other) = (app.author().await, app.author().await);
    let post = app.post_by(&other).await;
    execute(
        &app,
        &format!(
            "insert into sessions select gen_random_uuid(), '{user}', sha256(i::text::bytea), null, null,
               now(), now(), now() from generate_series(1, 450) i;
             insert into posts (id, author_id, slug, title, body, body_html, created_at, updated_at, published_at)
               select gen_random_uuid(), '{user}', 'bulk-' || i, 'T', 'B', 'H', '2026-01-01', now(),
                 case when i % 3 > 0 then timestamptz '2026-01-01' end from generate_series(1, 65) i;
             insert into post_revisions select id, n, '{user}', 'T', null, 'B', '{{}}', now()
               from posts, generate_series(101, 105) n where slug like 'bulk-%';
             insert into comments (id, post_id, author_id, thread, body, body_html, status, created_at, updated_at)
               select id, '{post}', '{user}', uuid_send(id), 'B', 'H', 'approved', now(), now()
               from (select gen_random_uuid() as id from generate_series(1, 450)) ids;
             insert into post_likes select id, '{user}', now() from posts;
             insert into media_objects (name, announced_at) values (repeat('a', 64) || '.png', now());
             insert into media (id, owner_id, object, content_type, bytes, width, height, color, stored_bytes,
                 created_at, updated_at)
               select gen_random_uuid(), '{user}', repeat('a', 64) || '.png', 'image/png', 1, 1, 1, '#000000', 1,
                 now(), now() from generate_series(1, 450);
             insert into idempotency_keys select sha256(i::text::bytea), '', '{user}', 201, '{{}}', '', now()
               from generate_series(1, 450) i;
             insert into audit_log select gen_random_uuid(), '{user}', 'a', 'post', null, '{{}}', now()
               from generate_series(1, 450);",
            user = user.id,
        ),
    )
    .await;
    let export = export(&app, &user).await;
    let unique =
        |list: &str, key: &str| values(&export, list, key).into_iter().collect::<BTreeSet<_>>().len();
    for (list, key, count) in [
        ("sessions", "id", 451),
        ("posts", "id", 65),
        ("comments", "id", 450),
        ("likes", "post_id", 66),
        ("media", "id", 450),
        ("actions", "id", 450),
    ] {
        assert_eq!((unique(list, key), values(&export, list, key).len()), (count, count), "{list}");
    }
    assert_eq!(values(&export, "idempotency_keys", "status").len(), 450);
    let versions: Vec<_> = values(&export, "revisions", "post_id")
        .into_iter()
        .zip(values(&export, "revisions", "number"))
        .filter(|(_, number)| number.starts_with("10"))
        .collect();
    assert_eq!((versions.len(), versions.into_iter().collect::<BTreeSet<_>>().len()), (325, 325));
}
