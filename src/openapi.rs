//! The OpenAPI document, generated from the handlers, and the page that shows it. What the extractors and
//! the middleware answer for every route is added here, so that no handler has to repeat it.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Map, Value, json};
use tower_http::decompression::DecompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::cache::{CachePolicy, Scope};
use crate::error::Problem;
use crate::state::AppState;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "blog-api",
        // By its address: of an identifier, the page makes a link to a license of that whole name.
        license(name = "MIT OR Apache-2.0", url = "https://spdx.org/licenses/MIT.html"),
        description = "Users, posts and comments.\n\n\
            Sign in with `POST /v1/sessions` and send the token as `Authorization: Bearer <token>`. \
            Every error is a problem document (RFC 9457) that names each field at fault. \
            Lists have `next_cursor` and a `Link` to the next page. \
            A single resource has an `ETag`: send it as `If-None-Match` to read only what is new, as `If-Match` to \
            change only what you have seen. A `POST` with an `Idempotency-Key` may be sent again. \
            `RateLimit` and `RateLimit-Policy` say how much you may still ask, and how often. \
            Every answer carries `X-Request-Id`, yours if you send one.",
    ),
    components(schemas(Problem)),
    tags(
        (name = "posts", description = "Write, publish and read"),
        (name = "comments", description = "Discuss and moderate"),
        (name = "moderation", description = "Bans, reports by readers, the audit log"),
        (name = "notifications", description = "What users are told, in the API and by mail"),
        (name = "jobs", description = "What is done later"),
        (name = "webhooks", description = "What other programs are told"),
        (name = "media", description = "Upload pictures for posts and profiles"),
        (name = "site", description = "What holds for the whole site"),
        (name = "users", description = "Accounts and public profiles"),
        (name = "sessions", description = "Sign in and out"),
        (name = "tokens", description = "Tokens for machines"),
        (name = "feeds", description = "Posts for feed readers and search engines"),
        (name = "health", description = "For load balancers and operators"),
        (name = "documentation", description = "This document"),
    ),
)]
struct Base;

/// The document without its paths.
#[must_use]
pub fn base() -> utoipa::openapi::OpenApi {
    Base::openapi()
}

#[derive(OpenApi)]
#[openapi(paths(read))]
struct Own;

#[must_use]
pub fn document(mut paths: utoipa::openapi::OpenApi) -> String {
    paths.merge(Own::openapi());
    let document = serde_json::to_value(paths).map(complete);
    document.and_then(|document| serde_json::to_string_pretty(&document)).unwrap_or_default() + "\n"
}

/// Makes the document when it is first read: a task boots without it.
#[derive(Clone, Copy)]
struct Document(fn() -> &'static str);

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "documentation", responses(
    (status = 200, description = "The OpenAPI 3.1 document", content_type = "application/json", body = Object),
))]
async fn read(State(Document(document)): State<Document>) -> Response {
    (UNCHANGING, [(header::CONTENT_TYPE, "application/json")], document()).into_response()
}

/// No write changes the document or its page.
const UNCHANGING: CachePolicy = CachePolicy::showing(Scope::Nothing);

/// `/openapi.json`, and `/docs`: the document as a page, all of whose assets are in the binary.
pub fn routes(document: fn() -> &'static str) -> Router<AppState> {
    Router::new().route("/openapi.json", get(read)).with_state(Document(document)).merge(docs())
}

fn docs() -> Router<AppState> {
    const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                          frame-ancestors 'none'";
    let policy = HeaderValue::from_static(POLICY);
    let config = Config::from("/openapi.json")
        .persist_authorization(true)
        // The other layout shows a badge of a foreign host, and asks which document to show.
        .use_base_layout();
    Router::from(SwaggerUi::new("/docs").config(config))
        .layer(SetResponseHeaderLayer::overriding(header::CONTENT_SECURITY_POLICY, policy))
        .layer(map_response(async |response: Response| (UNCHANGING, response)))
        // They are compressed in the binary; what a client gets is for the middleware to negotiate.
        .layer(DecompressionLayer::new())
}

/// What every handler of a kind can answer besides what its own documentation says.
const COMMON: [(&str, &str, &str); 13] = [
    ("304", "NotModified", "It is what `If-None-Match` names: use what you have"),
    ("400", "Unreadable", "The body, an id or the cursor cannot be read"),
    ("401", "Unauthenticated", "No token where one is needed, or one that is unknown, revoked or expired"),
    ("403", "Forbidden", "Not allowed to, banned, or an API token without the scope"),
    ("409", "Conflict", "A request with the same `Idempotency-Key` is being served"),
    ("412", "PreconditionFailed", "It is no longer what `If-Match` names; `ETag` has what it is now"),
    ("413", "TooLarge", "The body is larger than 1 MiB"),
    ("415", "UnsupportedMediaType", "The body is not `application/json`"),
    ("422", "Invalid", "Fields that are not acceptable; `errors` names each"),
    ("428", "PreconditionRequired", "`REQUIRE_IF_MATCH` is on, and `If-Match` is missing"),
    ("429", "RateLimited", "Too many requests; try again after `Retry-After` seconds"),
    ("500", "Internal", "A defect; the log has the cause under the request id"),
    ("503", "Unavailable", "Too busy, or the database is away; try again after `Retry-After` seconds"),
];

fn complete(mut document: Value) -> Value {
    // The host that the document was read from.
    document["servers"] = json!([{"url": "/"}]);
    let bearer = |description| json!({"type": "http", "scheme": "bearer", "description": description});
    document["components"]["securitySchemes"] = json!({
        "token": bearer(
            "The token of `POST /v1/sessions`, or one of `POST /v1/tokens` with the scope that the operation names. \
             Where it names none, no API token will do.",
        ),
        "mail_events": bearer("The token whose hash is `MAIL_EVENTS_TOKEN_SHA256`."),
    });
    document["components"]["responses"] = COMMON
        .into_iter()
        .map(|(status, name, description)| {
            let mut response = json!({"description": description});
            complete_response(status, &mut response);
            (name.to_owned(), response)
        })
        .collect();
    // The generator writes out what a page is of.
    for (name, schema) in document["components"]["schemas"].as_object_mut().into_iter().flatten() {
        if let Some(item) = name.strip_prefix("Page_") {
            schema["properties"]["items"]["items"] = json!({"$ref": format!("#/components/schemas/{item}")});
        }
    }
    for path in document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        for (method, operation) in path.as_object_mut().into_iter().flatten() {
            add_headers(method, operation);
            complete_operation(method, operation);
        }
    }
    document
}

/// The resources that have an `ETag`.
const TAGGED: [&str; 10] =
    ["Account", "Ban", "Comment", "Media", "Post", "Profile", "Report", "Revision", "Site", "Webhook"];

fn add_headers(method: &str, operation: &mut Value) {
    let response = &operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"];
    let is_tagged = TAGGED.iter().any(|name| *response == format!("#/components/schemas/{name}"));
    match method {
        "get" if is_tagged => add_parameter(
            operation,
            "If-None-Match",
            "The `ETag` of what you have: 304 if that is how it still is",
            &json!({"type": "string"}),
        ),
        // A token is never stored, so signing in cannot be answered again.
        "post" if !shows_token(operation) => add_parameter(
            operation,
            "Idempotency-Key",
            "Your name for this write, best a UUID: sent again within 24 hours, it gets the same answer",
            &json!({"type": "string", "maxLength": 255, "pattern": r#"^("[!#-~]+"|[!#-~]+)$"#}),
        ),
        _ => {}
    }
    let is_keyed = method == "post" && !shows_token(operation);
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        let header = |description: &str| json!({"description": description, "schema": {"type": "string"}});
        if status.starts_with('2') && (is_tagged || method == "patch" || is_keyed) {
            response["headers"]["ETag"] = header("The version of the resource, and a hash of what is shown");
        }
        if status.starts_with('2') && is_keyed {
            response["headers"]["Idempotency-Replayed"] = header("`true` when the answer is given again");
        }
    }
}

/// Whether it answers with a new token, of which only a hash is stored: so the answer is not stored to be given again.
fn shows_token(operation: &Value) -> bool {
    operation["tags"][0] == "sessions" || operation["tags"][0] == "tokens"
}

fn add_parameter(operation: &mut Value, name: &str, description: &str, schema: &Value) {
    if operation["parameters"].is_null() {
        operation["parameters"] = json!([]);
    }
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.push(json!({
            "name": name, "in": "header", "required": false, "description": description, "schema": schema,
        }));
    }
}

fn complete_operation(method: &str, operation: &mut Value) {
    let tag = operation["tags"][0].as_str().unwrap_or_default().to_owned();
    let name = operation["operationId"].as_str().unwrap_or_default();
    operation["operationId"] = format!("{tag}_{name}").into();

    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    let has = |key: &str, value: &str| parameters.iter().any(|parameter| parameter[key] == value);
    let has_body = !operation["requestBody"].is_null();
    let reads_token = !operation["security"].is_null();
    let schemes = operation["security"].as_array().map_or(&[][..], Vec::as_slice);
    let may_be_user = schemes.iter().any(|scheme| !scheme["token"].is_null());
    let applies = |status: &str| match status {
        "304" => method == "get" && has("name", "If-None-Match"),
        "400" => {
            method != "get"
                || has_body
                || has("in", "path")
                || has("name", "cursor")
                || has("name", "Idempotency-Key")
        }
        "401" => reads_token,
        "403" => may_be_user,
        "409" => has("name", "Idempotency-Key"),
        "412" | "428" => has("name", "If-Match"),
        "413" | "415" => has_body,
        "422" => has_body || has("in", "query") || has("name", "Idempotency-Key"),
        _ => tag != "health",
    };
    let mut responses: BTreeMap<String, Value> = COMMON
        .into_iter()
        .filter(|(status, ..)| applies(status))
        .map(|(status, name, _)| {
            (status.to_owned(), json!({"$ref": format!("#/components/responses/{name}")}))
        })
        .collect();
    for (status, response) in operation["responses"].as_object_mut().into_iter().flatten() {
        complete_response(status, response);
        responses.insert(status.clone(), response.take());
    }
    operation["responses"] = responses.into_iter().collect();
    if !reads_token {
        // Said, so that it cannot be taken for forgotten.
        operation["security"] = json!([]);
    }
}

fn complete_response(status: &str, response: &mut Value) {
    if status >= "400" && response["content"].is_null() {
        response["content"] =
            json!({"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}});
    }
    let header = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    let is_page = response["content"]["application/json"]["schema"]["$ref"]
        .as_str()
        .is_some_and(|schema| schema.starts_with("#/components/schemas/Page_"));
    let headers = &mut response["headers"];
    headers["X-Request-Id"] = header("The request's id: yours, or a new one");
    match status {
        "401" => headers["WWW-Authenticate"] = header("`Bearer`"),
        "403" => headers["WWW-Authenticate"] = header("If an API token has not the scope: which it needs"),
        "429" | "503" => headers["Retry-After"] = header("When to try again, in seconds"),
        _ if is_page => headers["Link"] = header("The next page, if there is one: `<path>; rel=\"next\"`"),
        _ => {}
    }
}
