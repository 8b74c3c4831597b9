//! The HTTP limit: axum with nothing around it, which answers from memory, with bodies as long as the service's.

use axum::{Router, body::Bytes, http::header, routing::get};

type Error = Box<dyn std::error::Error>;

/// A route whose response has that many bytes.
fn reply(bytes: usize) -> axum::routing::MethodRouter {
    let body = Bytes::from(vec![b'x'; bytes]);
    get(move || async move { ([(header::CONTENT_TYPE, "application/json")], body) })
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let numbers: Vec<usize> = std::env::args().skip(1).map(|argument| argument.parse()).collect::<Result<_, _>>()?;
    let &[port, list, post, comments] = numbers.as_slice() else {
        return Err("usage: limit PORT LIST POST COMMENTS, the last three in bytes".into());
    };
    let app = Router::new()
        .route("/health", reply(15))
        .route("/v1/posts", reply(list))
        .route("/v1/posts/{post}", reply(post))
        .route("/v1/posts/{post}/comments", reply(comments));
    axum::serve(tokio::net::TcpListener::bind(("127.0.0.1", u16::try_from(port)?)).await?, app).await?;
    Ok(())
}
