//! A few users, posts and comments to look at, for a development database that has none; and what they are told of them.

use std::io::Cursor;

use blog_api::auth::password::Password;
use blog_api::comments::store as comments;
use blog_api::config::media::QuotaConfig;
use blog_api::db::Connection;
use blog_api::error::ApiError;
use blog_api::identity::Role;
use blog_api::language::Language;
use blog_api::mail::MailLanguage;
use blog_api::media::model::Media;
use blog_api::media::storage::Storage;
use blog_api::media::store as media;
use blog_api::media::upload::{self, StoredPicture};
use blog_api::notifications::model::Event;
use blog_api::notifications::store as notifications;
use blog_api::posts::model::{PostRef, Publication, Slug};
use blog_api::posts::store::{self as posts, Cover, Text};
use blog_api::state::AppState;
use blog_api::users::model::{Email, Username};
use blog_api::users::store as users;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use uuid::Uuid;

/// The password of every demo user.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// As for everybody.
const NO_QUOTA: QuotaConfig = QuotaConfig { files: i64::MAX, bytes: i64::MAX };

const USERS: [(&str, &str, Role, MailLanguage); 3] = [
    ("ada", "Ada Lovelace", Role::Admin, MailLanguage::English),
    ("grace", "Grace Hopper", Role::Author, MailLanguage::German),
    ("alan", "Alan Turing", Role::Reader, MailLanguage::English),
];

/// What the covers of the first posts show.
const PICTURES: [&str; 2] =
    ["Blue and beige threads, woven into steps", "Red and white threads, woven into wide steps"];

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

/// Fills an empty database; false if it is not empty. If that fails, it stays empty.
pub(crate) async fn fill(state: &AppState) -> Result<bool, ApiError> {
    if users::exist(&mut state.db.acquire().await?).await? {
        return Ok(false);
    }
    let pictures = match &state.storage.0 {
        Some(storage) => vec![picture(state, storage, 0).await?, picture(state, storage, 1).await?],
        None => Vec::new(),
    };
    let password_hash = state.passwords.hash(None, Password::from(PASSWORD.to_owned())).await?;
    let mut transaction = state.db.begin().await?;
    let mut ids = Vec::new();
    for (username, display_name, role, language) in USERS {
        let new = users::NewUser {
            username: &Username::from(username.to_owned()),
            email: &Email::from(format!("{username}@example.com")),
            email_verified_at: Some(state.clock.now()),
            password_hash: &password_hash,
            role,
            display_name: Some(display_name),
            bio: None,
            language,
        };
        ids.push(users::insert(&mut transaction, new, state.clock.now()).await?.id);
    }
    users::follow(&mut transaction, ids[2], ids[1], state.clock.now()).await?;
    let mut covers = Vec::new();
    for (i, stored) in pictures.into_iter().enumerate() {
        let alt = Some(PICTURES[i].to_owned());
        let new = stored.into_new(Uuid::now_v7(), ids[i], alt);
        media::insert(&mut transaction, &new, NO_QUOTA, state.clock.now()).await?;
        let shown = state.storage.0.as_ref().map(|storage| new.shown(storage, state.clock.now()));
        covers.extend(shown.and_then(Media::into_image));
    }
    for (i, (title, summary, tags, body)) in POSTS.into_iter().enumerate() {
        let tags: Vec<String> = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let id = Uuid::now_v7();
        let new = posts::NewPost {
            id,
            author_id: ids[i.min(1)],
            title,
            summary: Some(summary),
            body,
            text: &Text { rendered: state.renderer.post(id, body).await?, media: Vec::new() },
            cover: covers.get(i).map(|image| Cover { image, alt: None }),
            tags: &tags,
            comments_open: true,
            language: Language::English,
            comments_policy: None,
            publication: Publication::Now,
        };
        let post =
            posts::insert(&mut transaction, &Slug::from_title(title, new.language), &new, state.clock.now())
                .await?;
        if let Some(post_id) = post {
            let event = Event::Post { id: post_id, at: state.clock.now() };
            notifications::queue(&mut transaction, event, new.author_id, state.clock.now()).await?;
            let question =
                comment(&mut transaction, state, post_id, ids[2], None, "Can it *think*, though?").await?;
            comment(&mut transaction, state, post_id, ids[i.min(1)], question, "Ask it.").await?;
        }
    }
    transaction.commit().await?;
    Ok(true)
}

/// A woven pattern, for each number another.
async fn picture(state: &AppState, storage: &Storage, number: usize) -> Result<StoredPicture, ApiError> {
    const COLORS: [[[u8; 3]; 2]; 2] = [[[34, 60, 92], [226, 208, 170]], [[110, 44, 40], [238, 226, 200]]];
    const STEPS: [(u32, u32); 2] = [(24, 3), (40, 5)];
    let (size, threads) = STEPS[number];
    let image = RgbImage::from_fn(1200, 630, |x, y| {
        let is_above = (x / size + y / size * (threads - 1)) % threads < threads / 2 + 1;
        Rgb(COLORS[number][usize::from(is_above)])
    });
    let mut file = Cursor::new(Vec::new());
    DynamicImage::from(image)
        .write_to(&mut file, ImageFormat::Png)
        .map_err(|error| ApiError::Internal(error.into()))?;
    upload::store(&state.db, storage, file.into_inner(), state.clock.now()).await
}

async fn comment(
    connection: &mut Connection,
    state: &AppState,
    post_id: Uuid,
    author_id: Uuid,
    parent_id: Option<Uuid>,
    body: &str,
) -> Result<Option<Uuid>, ApiError> {
    let id = Uuid::now_v7();
    let body_html = state.renderer.comment(id, body).await?;
    let new = comments::NewComment {
        id,
        post: &PostRef::Id(post_id),
        author_id,
        author_is_editor: false,
        author_writes: true,
        parent_id,
        body,
        body_html: &body_html,
    };
    let comment = comments::insert(connection, &new, state.clock.now()).await?;
    Ok(comment.map(|comment| comment.id()))
}
