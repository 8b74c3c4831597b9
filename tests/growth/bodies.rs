//! JSON bodies that repeat one part, read as the body of a new post and answered when they are refused.

use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use blog_api::http::extract::Json;
use blog_api::posts::routes::CreatePost;
use http_body_util::BodyExt;

/// A part, again and again, between a beginning and an end. A `#` in the part is its number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body {
    begin: &'static str,
    part: &'static str,
    end: &'static str,
}

const fn body(begin: &'static str, part: &'static str, end: &'static str) -> Body {
    Body { begin, part, end }
}

const TAGS: &str = r#"{"title":"a","body":"a","tags":["#;
const REST: &str = r#","title":"a","body":"a"}"#;

/// What a client may send, valid and not.
const BODIES: [Body; 36] = [
    // Tags: refused one by one, equal, different, of other types, long.
    body(TAGS, r#""","#, r#""a"]}"#),
    body(TAGS, r#""\n","#, r#""a"]}"#),
    body(TAGS, r#""a","#, r#""a"]}"#),
    body(TAGS, r##""#","##, r#""a"]}"#),
    body(TAGS, r#""ǅ#","#, r#""a"]}"#),
    body(TAGS, "1,", "1]}"),
    body(TAGS, r#""a",["#, "1"),
    body(TAGS, "null,", "1]}"),
    body(r#"{"title":"a","body":"a","tags":[""#, "a", r#""]}"#),
    body(r#"{"title":"a","body":"a","tags":[""#, "İ", r#""]}"#),
    // Texts: escapes, pairs of surrogates and halves of them, what is long, blank or forbidden.
    body(r#"{"title":""#, "a", r#"","body":"a"}"#),
    body(r#"{"title":""#, r"\u0041", r#"","body":"a"}"#),
    body(r#"{"title":""#, r"\ud83d\ude00", r#"","body":"a"}"#),
    body(r#"{"title":""#, r"\ud83d", r#"","body":"a"}"#),
    body(r#"{"title":""#, " ", r#"","body":"a"}"#),
    body(r#"{"title":""#, r"\u0000", r#"","body":"a"}"#),
    body(r#"{"title":"a","body":""#, r"\n", r#""}"#),
    body(r#"{"title":"a","body":""#, "e\u{301}", r#""}"#),
    body(r#"{"slug":""#, "a-", r#"a","title":"a","body":"a"}"#),
    body(r#"{"published_at":""#, "2", r#"","title":"a","body":"a"}"#),
    body(r#"{"language":""#, "de", r#"","title":"a","body":"a"}"#),
    body(r#"{"status":""#, "published", r#"","title":"a","body":"a"}"#),
    // Fields: given twice, unknown, with long names.
    body("{", r#""title":"a","#, r#""body":"a"}"#),
    body("{", r#""unknown":"a","#, r#""body":"a"}"#),
    body("{", r#""unknown#":"a","#, r#""body":"a"}"#),
    body(r#"{""#, "a", r#"":1,"title":"a","body":"a"}"#),
    body(r#"{""#, "`, ", r#"":1,"title":"a","body":"a"}"#),
    // Shapes: deep, of other types, numbers of many digits, white space, cut off.
    body(r#"{"tags":"#, "[", "]}"),
    body("", r#"{"tags":"#, "1}"),
    body("[", "{},", "1]"),
    body("[", "[", "]"),
    body("", " ", "1"),
    body(r#"{"title":"#, "1", "}"),
    body(r#"{"title":1e"#, "9", "}"),
    body(r#"{"comments_open":true"#, "\n", REST),
    body(r#"{"comments_open":"#, "t", "}"),
];

impl Body {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        BODIES.into_iter()
    }

    pub(crate) fn of(self, length: usize) -> String {
        let mut text = self.begin.to_owned();
        for number in 0.. {
            if text.len() + self.end.len() >= length {
                break;
            }
            text += &self.part.replace('#', &number.to_string());
        }
        text + self.end
    }
}

/// Reads the body of a new post as its handler does; a refusal is written as the client gets it.
pub(crate) async fn read(body: &str) {
    let request = Request::post("/v1/posts").header(CONTENT_TYPE, "application/json");
    let request = request.body(axum::body::Body::from(body.to_owned())).unwrap();
    match Json::<CreatePost>::from_request(request, &()).await {
        Ok(Json(post)) => {
            std::hint::black_box(post);
        }
        Err(refusal) => {
            let body = refusal.into_response().into_body().collect().await.unwrap();
            std::hint::black_box(body);
        }
    }
}
