//! A few users, posts and comments to look at, for a development database that has none.

use crate::db::Connection;

use crate::auth::password::Password;
use crate::comments::store as comments;
use crate::error::ApiError;
use crate::identity::Role;
use crate::language::Language;
use crate::markdown;
use crate::posts::model::{Publication, Slug};
use crate::posts::store as posts;
use crate::state::AppState;
use crate::users::model::{Email, Username};
use crate::users::store as users;

/// The password of every demo user.
pub const PASSWORD: &str = "correct horse battery";

const USERS: [(&str, &str, Role); 3] = [
    ("ada", "Ada Lovelace", Role::Admin),
    ("grace", "Grace Hopper", Role::Author),
    ("alan", "Alan Turing", Role::Reader),
];

/// Title, summary, tags, text.
const POSTS: [(&str, &str, &[&str], &str); 3] = [
    (
        "Notes on the engine",
        "What a machine for numbers can do beyond numbers.",
        &["engines", "history"],
        "The engine weaves *algebraic patterns* just as the loom weaves flowers and leaves.\n\n\
         1. Numbers may stand for anything.\n2. So may the operations on them.\n",
    ),
    (
        "The first bug",
        "It had wings.",
        &["debugging"],
        "> First actual case of bug being found.\n\nIt was taped into the log book:\n\n\
         | time | relay | finding |\n|---|---|---|\n| 15:45 | 70, panel F | moth |\n",
    ),
    (
        "Why compilers",
        "Let the machine do the work.",
        &["compilers", "engines"],
        "People said a machine could only do arithmetic. It could also write programs.\n\n\
         ```\nDISPLAY \"Hello, world\"\n```\n",
    ),
];

/// Fills an empty database; false if it is not empty.
///
/// # Errors
/// When the database does not take it; then it stays empty.
pub async fn fill(state: &AppState) -> Result<bool, ApiError> {
    if users::exist(&mut state.db.acquire().await?).await? {
        return Ok(false);
    }
    let password_hash = state.passwords.hash(Password::from(PASSWORD.to_owned())).await?;
    let mut transaction = state.db.begin().await?;
    let mut ids = Vec::new();
    for (username, display_name, role) in USERS {
        let new = users::NewUser {
            username: &Username::from(username.to_owned()),
            email: &Email::from(format!("{username}@example.com")),
            password_hash: &password_hash,
            role,
            display_name: Some(display_name),
            bio: None,
        };
        ids.push(users::insert(&mut transaction, new, state.clock.now()).await?.id);
    }
    for (i, (title, summary, tags, body)) in POSTS.into_iter().enumerate() {
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let new = posts::NewPost {
            author_id: ids[i.min(1)],
            title,
            summary: Some(summary),
            body,
            rendered: &markdown::render(body).await?,
            tags: &tags,
            comments_open: true,
            language: Language::English,
            comments_policy: None,
            publication: Publication::Now,
        };
        let post = posts::insert(&mut transaction, &Slug::from_title(title), &new, state.clock.now()).await?;
        if let Some(post_id) = post {
            let question =
                comment(&mut transaction, state, post_id, ids[2], None, "Can it *think*, though?").await?;
            comment(&mut transaction, state, post_id, ids[i.min(1)], question, "Ask it.").await?;
        }
    }
    transaction.commit().await?;
    Ok(true)
}

async fn comment(
    connection: &mut Connection,
    state: &AppState,
    post_id: uuid::Uuid,
    author_id: uuid::Uuid,
    parent_id: Option<uuid::Uuid>,
    body: &str,
) -> Result<Option<uuid::Uuid>, ApiError> {
    let body_html = markdown::render_fragment(body).await?;
    let new = comments::NewComment {
        post_id,
        author_id,
        author_is_editor: false,
        parent_id,
        body,
        body_html: &body_html,
    };
    Ok(comments::insert(connection, &new, state.clock.now()).await?)
}
