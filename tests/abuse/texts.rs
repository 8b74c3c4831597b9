//! Texts that are short to send and long to render, to store or to read.

use axum::http::Method;
use serde_json::json;

use crate::docker::sql;
use crate::flood::{Tally, at_once, flood};
use crate::http::{Answer, Call};
use crate::stage::Stage;

/// What a text repeats. Each has brought a renderer, a sanitizer or a parser to its knees somewhere.
const BOMBS: [&str; 48] = [
    "<!--",
    "-->",
    "</p>",
    "&",
    "<",
    ">",
    "\"",
    "<b x=1>",
    "<i y='",
    "a\n===\n",
    "a\n---\n",
    "[",
    "![",
    "]",
    "](",
    "[a](",
    "`",
    "``a`",
    "*a ",
    "_a ",
    "**a ",
    "~~a ",
    "> ",
    "- ",
    "1. ",
    "<?",
    "<![CDATA[",
    "<!A ",
    "<a href=x>",
    "<table>",
    "<tr><td>",
    "<object></b>",
    "<svg>",
    "<math>",
    "<button>",
    "<select>",
    "<p><b>",
    "[^1]: a\n",
    "[^1]",
    "[a]: b\n",
    "www.a.b ",
    "a@b.c ",
    "&amp;",
    "&#0;",
    "\t",
    "\r\n",
    "|a|b\n|-|-\n",
    "<div a=b c=d><p>",
];

/// `bomb` as often as fits into so many characters.
fn repeated(bomb: &str, characters: usize) -> String {
    bomb.repeat(characters / bomb.len())
}

/// A row of 500 columns, and as many short rows as fit.
fn wide_table(characters: usize) -> String {
    let mut table = format!("{}\n{}\n", "|a".repeat(500), "|-".repeat(500));
    table.push_str(&"|\n".repeat(characters.saturating_sub(table.len()) / 2));
    table
}

fn bombs(characters: usize) -> Vec<String> {
    let mut bombs: Vec<_> = BOMBS.iter().map(|bomb| repeated(bomb, characters)).collect();
    bombs.push(format!("<a title=\"{}\">", "x".repeat(characters - 20)));
    if characters > 10_000 {
        bombs.push(wide_table(characters));
    }
    bombs
}

/// Sends them four at a time, each once, and names each that is answered by a fault or by far more than was sent.
async fn each(stage: &Stage, path: &str, bombs: Vec<String>, more: serde_json::Value) -> String {
    let mut tally = Tally::default();
    let mut wrong = Vec::new();
    for four in bombs.chunks(4) {
        let answers = four.iter().map(|body| {
            let mut fields = more.clone();
            fields["body"] = body.as_str().into();
            stage.attacker.send(Call::post(path, &fields))
        });
        for (answer, body) in futures_util::future::join_all(answers).await.iter().zip(four) {
            tally.add(answer);
            if !tolerable(answer, body.len()) {
                let start: String = body.chars().take(12).collect();
                wrong.push(format!("{start:?}: {} with {} bytes", answer.status, answer.bytes));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {}", wrong.len(), bombs.len(), wrong.join(", "));
    assert!(tally.count(201) > 0, "none was accepted: {tally}");
    tally.to_string()
}

/// Source and HTML, and JSON's escapes of both.
fn tolerable(answer: &Answer, sent: usize) -> bool {
    matches!(answer.status, 201 | 422 | 429 | 503) && answer.bytes <= 16 * sent + (64 << 10)
}

pub(crate) async fn bombs_in_posts(stage: Stage) -> String {
    each(&stage, "/v1/posts", bombs(200_000), json!({"title": "Bomb", "status": "published"})).await
}

pub(crate) async fn bombs_in_comments(stage: Stage) -> String {
    let post = stage.post(&stage.editor, "To be commented on.").await;
    each(&stage, &format!("/v1/posts/{post}/comments"), bombs(10_000), json!({})).await
}

/// What is unclosed in one comment must not be repeated by each paragraph after it.
pub(crate) async fn unclosed_thread(stage: Stage) -> String {
    let post = stage.post(&stage.editor, "To be commented on.").await;
    let path = format!("/v1/posts/{post}/comments");
    // The most of it that is accepted.
    let mut accepted = 0;
    for elements in (1..=250).rev().step_by(3) {
        let body = format!("{}{}", "<b x=1><i><s><u><em>".repeat(elements), "\n\n<p>a</p>".repeat(500));
        while accepted < 25 {
            let answer = stage.attacker.send(Call::post(&path, &json!({"body": body}))).await;
            match answer.status {
                201 => accepted += 1,
                422 => break,
                _ => panic!("{answer:?}"),
            }
        }
    }
    assert_eq!(accepted, 25);
    sql("update comments set status = 'approved' where status = 'pending'").await;
    let reader = |n| (stage.at(&format!("192.0.4.{n}")), Call::get(format!("{path}?limit=100")));
    let tally = at_once((0..10).map(reader).collect()).await.no_faults().at_most(2 << 20);
    assert!(tally.largest > 0 && tally.count(200) == 10, "{tally}");
    tally.to_string()
}

pub(crate) async fn storage(stage: Stage) -> String {
    let size = async || sql("select pg_database_size('blog')").await.parse::<usize>().unwrap();
    let slug = stage.post(&stage.attacker, "To be changed.").await;
    let id = stage.attacker.get(&format!("/v1/posts/{slug}")).await.json["id"].as_str().unwrap().to_owned();
    let before = size().await;
    // Words that compression cannot make small.
    let body =
        |n: usize| (0..5_500).map(|_| uuid::Uuid::now_v7().to_string()).collect::<String>() + &n.to_string();
    let call = |n| Call::of(Method::PATCH, format!("/v1/posts/{id}"), &json!({"body": body(n)}));
    let tally = flood(2, &stage.attacker, |n| call(n).header("if-match", "*")).await.no_faults();
    let accepted = tally.count(200);
    assert!(accepted > 0, "no change was accepted: {tally}");
    let (sent, grown) = (accepted * 198_000, size().await.saturating_sub(before));
    assert!(grown < 10 * sent, "{grown} bytes stored of {sent} sent: {tally}");
    format!("{tally}; {grown} bytes stored of {sent} sent")
}

/// Decisions about the same hundred comments, all at once and one by one, in different orders.
pub(crate) async fn bulk_moderation(stage: Stage) -> String {
    let post = stage.post(&stage.editor, "To be commented on.").await;
    let path = format!("/v1/posts/{post}/comments");
    let mut ids = Vec::new();
    for number in 0..60 {
        let comment = json!({"body": format!("Comment {number}")});
        let answer = stage.editor.send(Call::post(&path, &comment)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        ids.push(answer.json["id"].as_str().unwrap().to_owned());
    }
    let backwards: Vec<_> = ids.iter().rev().collect();
    let call = |n: usize| {
        let one = &ids[n % ids.len()];
        match n % 6 {
            0 => Call::post("/v1/comments/moderation", &json!({"ids": ids, "action": "approve"})),
            1 => Call::post("/v1/comments/moderation", &json!({"ids": backwards, "action": "spam"})),
            2 => Call::of(
                Method::PATCH,
                format!("/v1/comments/{one}"),
                &json!({"body": format!("Changed {n}")}),
            )
            .header("if-match", "*"),
            3 => Call::post("/v1/reports", &json!({"comment_id": one, "reason": "spam"})),
            4 => Call::of(Method::PUT, format!("/v1/posts/{post}/like"), &json!({})),
            5 if n % 60 == 5 => Call::of(Method::DELETE, format!("/v1/comments/{one}"), &json!({})),
            _ => Call::post(&path, &json!({"body": format!("More {n}")})),
        }
    };
    let tally = flood(12, &stage.editor, call).await.no_faults();
    assert_eq!(tally.count(503), 0, "{tally}");
    assert!(tally.count(200) > 0, "no decision was taken: {tally}");
    tally.to_string()
}
