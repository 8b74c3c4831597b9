//! `ETag` and `Last-Modified` of the feeds and the sitemap: they change with the document, whatever changes it, and
//! with nothing else.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::support::{Reply, TestApp, TestUser};

/// What happens to a blog, once each.
struct World {
    app: TestApp,
    author: TestUser,
    editor: TestUser,
    admin: TestUser,
    post: String,
    draft: String,
}

impl World {
    async fn new() -> Self {
        let app = TestApp::start_with(&[("PUBLIC_URL", "https://blog.example")]).await;
        let (author, editor, admin) = (app.author().await, app.editor().await, app.admin().await);
        let body = json!({"title": "Hello", "body": "*Text*.", "tags": ["rust"], "status": "published"});
        let post = app.post("/v1/posts").by(&author).json(&body).expect(201).await.id();
        let draft = app.draft_by(&author).await;
        app.advance(TimeDelta::minutes(1));
        Self { app, author, editor, admin, post, draft }
    }

    fn documents(&self) -> [String; 7] {
        let (author, month) = (self.author.id, self.app.now().format("%Y-%m"));
        [
            "/feed.xml".into(),
            "/feed.json".into(),
            "/sitemap.xml".into(),
            "/feed.xml?tag=rust".into(),
            format!("/feed.json?author={author}"),
            format!("/feed.xml?tag=rust&author={author}"),
            format!("/sitemap.xml?month={month}"),
        ]
    }

    async fn read(&self) -> Vec<Reply> {
        let mut replies = Vec::new();
        for document in self.documents() {
            replies.push(self.app.get(&document).send().await);
        }
        replies
    }

    async fn patch(&self, path: &str, by: &TestUser, change: Value) {
        self.app.patch(path).by(by).json(&change).expect(200).await;
    }

    async fn patch_post(&self, change: Value) {
        self.patch(&format!("/v1/posts/{}", self.post), &self.author, change).await;
    }

    async fn patch_author(&self, change: Value) {
        self.patch(&format!("/v1/users/{}", self.author.id), &self.author, change).await;
    }

    async fn sql(&self, sql: &'static str) {
        sqlx::raw_sql(sql).execute(&mut self.app.db.acquire().await.unwrap()).await.unwrap();
    }

    async fn happen(&self, event: &str) {
        let Self { app, author, editor, admin, post, draft } = self;
        match event {
            "nothing" => {}
            "a draft is written" => drop(app.draft_by(author).await),
            "a draft is changed" => {
                self.patch(&format!("/v1/posts/{draft}"), author, json!({"body": "Still not."})).await;
            }
            "a draft is deleted" => {
                app.delete(&format!("/v1/posts/{draft}")).by(author).expect(204).await;
            }
            "a post is scheduled" => {
                let body = json!({"title": "Later", "body": "x", "status": "scheduled",
                                  "published_at": app.now() + TimeDelta::days(1)});
                app.post("/v1/posts").by(author).json(&body).expect(201).await;
            }
            "a scheduled post appears" => {
                self.sql(
                    "update posts set published_at = updated_at + interval '1 minute' where title = 'Later'",
                )
                .await;
            }
            "a post is liked" => {
                app.put(&format!("/v1/posts/{post}/like")).by(editor).expect(204).await;
            }
            "a post is commented on" => drop(app.comment_by(editor, post, None).await),
            "somebody signs up" => drop(app.author().await),
            "the author writes a bio" => self.patch_author(json!({"bio": "Writes."})).await,
            "the author is renamed" => self.patch_author(json!({"display_name": "Ada"})).await,
            "the author is renamed unseen" => self.patch_author(json!({"username": "ada"})).await,
            "the author is renamed again" => self.patch_author(json!({"display_name": null})).await,
            "a post is changed" => self.patch_post(json!({"body": "More."})).await,
            "a tag is added" => self.patch_post(json!({"tags": ["rust", "web"]})).await,
            "the address of a post changes" => self.patch_post(json!({"slug": "elsewhere"})).await,
            "texts are rendered anew" => self.sql("update posts set body_html = '<p>More!</p>'").await,
            "another post is published" => drop(app.post_by(editor).await),
            "a post is withdrawn" => self.patch_post(json!({"status": "draft"})).await,
            "a post is published again" => self.patch_post(json!({"status": "published"})).await,
            "the site is renamed" => self.patch("/v1/site", admin, json!({"title": "Notes"})).await,
            "the comments close" => self.patch("/v1/site", admin, json!({"comments_policy": "closed"})).await,
            "the author is erased" => {
                app.delete(&format!("/v1/users/{}", author.id)).by(author).expect(204).await;
            }
            "the post is deleted" => {
                app.delete(&format!("/v1/posts/{post}")).by(editor).expect(204).await;
            }
            _ => panic!("{event}"),
        }
    }
}

const EVENTS: [&str; 24] = [
    "nothing",
    "a draft is written",
    "a draft is changed",
    "a draft is deleted",
    "a post is scheduled",
    "a scheduled post appears",
    "a post is liked",
    "a post is commented on",
    "somebody signs up",
    "the author writes a bio",
    "the author is renamed",
    "the author is renamed unseen",
    "the author is renamed again",
    "a post is changed",
    "a tag is added",
    "the address of a post changes",
    "texts are rendered anew",
    "another post is published",
    "a post is withdrawn",
    "a post is published again",
    "the site is renamed",
    "the comments close",
    "the author is erased",
    "the post is deleted",
];

fn date(reply: &Reply) -> Option<DateTime<Utc>> {
    let text = Some(reply.header("last-modified")).filter(|text| !text.is_empty())?;
    Some(DateTime::parse_from_rfc2822(text).unwrap().into())
}

/// What a reader who has `known` is told once `reply` is how it is.
async fn check(app: &TestApp, document: &str, event: &str, known: &Reply, reply: &Reply) {
    let what = format!("{event}: {document}");
    let is_same = known.body == reply.body;
    assert_eq!(known.header("etag") == reply.header("etag"), is_same, "{what}");
    let status = if is_same { 304 } else { 200 };
    app.get(document).header("if-none-match", known.header("etag")).expect(status).await;
    let Some(known_date) = date(known) else { return };
    app.get(document).header("if-modified-since", known.header("last-modified")).expect(status).await;
    if is_same {
        assert_eq!(date(reply), Some(known_date), "{what}");
    } else if let Some(date) = date(reply) {
        assert!(date > known_date, "{what}: {date} after {known_date}");
    }
}

#[tokio::test]
async fn validators_change_with_the_document_and_with_nothing_else() {
    let world = World::new().await;
    let documents = world.documents();
    let mut known = world.read().await;
    for event in EVENTS {
        world.happen(event).await;
        // The task itself keeps what it has answered for ten seconds.
        world.app.advance(TimeDelta::seconds(11));
        let replies = world.read().await;
        for (document, (known, reply)) in documents.iter().zip(known.iter().zip(&replies)) {
            if known.status == 200 && reply.status == 200 {
                check(&world.app, document, event, known, reply).await;
            }
        }
        let whole = replies.iter().take(3).map(|reply| (reply.status.as_u16(), date(reply).is_some()));
        assert_eq!(whole.collect::<Vec<_>>(), [(200, true); 3], "{event}");
        known = replies;
    }
}

#[tokio::test]
async fn another_configuration_makes_another_document() {
    let app = TestApp::start_with(&[("PUBLIC_URL", "https://blog.example")]).await;
    app.post_by(&app.author().await).await;
    app.advance(TimeDelta::minutes(1));
    for document in ["/feed.xml", "/feed.json", "/sitemap.xml"] {
        app.advance(TimeDelta::seconds(11));
        let known = app.get(document).expect(200).await;
        let moved = app.start_beside(&[("PUBLIC_URL", "https://moved.example")]);
        let ask = moved.get(document).header("if-modified-since", known.header("last-modified"));
        let reply = ask.expect(200).await;
        assert!(date(&reply) > date(&known), "{reply}");
        // And back.
        app.advance(TimeDelta::seconds(11));
        app.get(document).header("if-modified-since", reply.header("last-modified")).expect(200).await;
    }
}

#[tokio::test]
async fn changes_in_one_second_are_told_apart() {
    let app = TestApp::start().await;
    let author = app.author().await;
    let post = app.post_by(&author).await;
    app.advance(TimeDelta::minutes(1));
    let mut seconds = Vec::new();
    for n in 0..5 {
        let change = json!({"title": n.to_string()});
        app.patch(&format!("/v1/posts/{post}")).by(&author).json(&change).expect(200).await;
        app.get("/feed.xml").expect(200).await;
        let mut connection = app.db.acquire().await.unwrap();
        let kept: DateTime<Utc> = sqlx::query_scalar("select changed_at from feed_versions")
            .fetch_one(&mut connection)
            .await
            .unwrap();
        seconds.push(kept.timestamp());
    }
    assert!(seconds.is_sorted_by(|a, b| a < b), "{seconds:?}");
    // None is told before it is over.
    app.advance(TimeDelta::seconds(11));
    assert_eq!(date(&app.get("/feed.xml").expect(200).await).unwrap().timestamp(), seconds[4]);
}

#[tokio::test]
async fn dates_are_compared_and_not_their_letters() {
    let app = TestApp::start().await;
    app.post_by(&app.author().await).await;
    app.advance(TimeDelta::minutes(1));
    for document in ["/feed.xml", "/feed.json", "/sitemap.xml"] {
        let changed = date(&app.get(document).expect(200).await).unwrap();
        let (day, second) = (TimeDelta::days(1), TimeDelta::seconds(1));
        let forms = [
            "%a, %d %b %Y %H:%M:%S GMT",
            "%A, %d-%b-%y %H:%M:%S GMT",
            "%a %b %e %H:%M:%S %Y",
            "%a, %d %b %Y %H:%M:%S +0000",
        ];
        for form in forms {
            for (time, status) in [
                (changed, 304),
                (changed + second, 304),
                (changed + day, 304),
                (changed - second, 200),
                (changed - day, 200),
            ] {
                let since = time.format(form).to_string();
                app.get(document).header("if-modified-since", &since).expect(status).await;
            }
        }
        for nonsense in ["yesterday", "0", "", "2100-01-01"] {
            app.get(document).header("if-modified-since", nonsense).expect(200).await;
        }
    }
}

#[tokio::test]
async fn a_feed_of_nothing_leaves_no_trace() {
    let app = TestApp::start().await;
    app.post_by(&app.author().await).await;
    for n in 0..3 {
        let reply = app.get(&format!("/feed.xml?tag=nobody-has-{n}")).expect(200).await;
        assert_eq!(reply.header("last-modified"), "");
    }
    app.get("/feed.xml").expect(200).await;
    let mut connection = app.db.acquire().await.unwrap();
    let names: Vec<String> =
        sqlx::query_scalar("select name from feed_versions").fetch_all(&mut connection).await.unwrap();
    assert_eq!(names, ["feed"]);
}
