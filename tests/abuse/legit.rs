//! What looks like an attack and is none: all of it must succeed.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::docker::sql;
use crate::http::Call;
use crate::stage::{Stage, new_session, sign_up};

/// The longest posts that are allowed, of natural texts, and each is found.
pub(crate) async fn long_texts(stage: Stage) -> String {
    let texts = [
        (
            "Donaudampfschifffahrt",
            "Die **Wörter** dieses [Satzes](https://example.com) über Häuser, für Leser.\n\n",
        ),
        (
            "lighthouse",
            "世界上有很多**重要**的事情,我们应该认真地阅读每一篇文章。今天的天气很好,大家都在公园里散步,孩子们在草地上玩耍,\
             老人们坐在长椅上聊天,谁也不着急回家。\n\n",
        ),
        ("borrowchecker", "    let x = map.get(&key).unwrap_or(&0) << 2; // `x` < y && \"z\"\n"),
    ];
    for (word, paragraph) in texts {
        let body: String = format!("{word}\n\n{}", paragraph.repeat(8_000)).chars().take(199_000).collect();
        stage.post(&stage.editor, &body).await;
        let found = stage.at("192.0.5.1").get(&format!("/v1/posts?q={word}")).await;
        assert_eq!(found.status, 200, "{word}: {found:?}");
        assert_eq!(found.json["items"].as_array().map(Vec::len), Some(1), "{word} is not found");
    }
    format!("{} posts of 199,000 characters", texts.len())
}

/// Different people, at addresses of their own, within ten seconds.
pub(crate) async fn a_hundred_sign_in(stage: Stage) -> String {
    sign_up(&stage.base, "people", "192.0.6.1", "reader").await;
    sql("insert into users (id, username, email, password_hash, role, created_at, updated_at) \
         select gen_random_uuid(), 'person' || n, 'person' || n || '@example.com', password_hash, role, now(), now() \
         from users, generate_series(0, 99) n where username = 'people'")
    .await;
    let people = (0..100).map(|n| {
        let client = stage.at(&format!("192.0.7.{n}"));
        async move {
            tokio::time::sleep(Duration::from_millis(100 * n)).await;
            client.send(Call::post("/v1/sessions", &new_session(&format!("person{n}")))).await.status
        }
    });
    let refused: Vec<_> = join_all(people).await.into_iter().filter(|status| *status != 201).collect();
    assert!(refused.is_empty(), "{} of 100 were refused: {refused:?}", refused.len());
    "100 signed in".into()
}

pub(crate) async fn long_thread(stage: Stage) -> String {
    let post = stage.post(&stage.editor, "To be commented on.").await;
    let path = format!("/v1/posts/{post}/comments");
    let first = stage.editor.send(Call::post(&path, &json!({"body": "First."}))).await;
    assert_eq!(first.status, 201, "{first:?}");
    sql(&format!(
        "insert into comments (id, post_id, author_id, thread, body, body_html, status, created_at, updated_at) \
         select id, post_id, author_id, uuid_send(id), 'More.', '<p>More.</p>', 'approved', now(), now() \
         from (select gen_random_uuid() id, post_id, author_id from comments, generate_series(2, 1000) \
               where comments.id = '{}') more",
        first.json["id"].as_str().unwrap()
    ))
    .await;
    let reader = stage.at("192.0.8.1");
    let (mut read, mut cursor) = (0, String::new());
    loop {
        let page = reader.get(&format!("{path}?limit=100{cursor}")).await;
        assert_eq!(page.status, 200, "{page:?}");
        read += page.json["items"].as_array().unwrap().len();
        let Some(next) = page.json["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(read, 1000);
    "1000 comments read".into()
}
