//! From the file that was uploaded to the objects that are stored of it. The row that refers to them is written after that.

use futures_util::future::try_join_all;
use uuid::Uuid;

use super::picture::{Picture, Rejection, Rendition};
use super::storage::{Object, Storage};
use super::store::{self, NewMedia, StoredCopy};
use crate::db::Db;
use crate::error::ApiError;
use crate::workers::PICTURES;
use chrono::{DateTime, Utc};

/// A picture whose objects are stored.
#[derive(Debug)]
pub struct StoredPicture {
    content_type: &'static str,
    color: String,
    original: StoredCopy,
    /// Narrower ones, narrowest first.
    variants: Vec<StoredCopy>,
}

impl StoredPicture {
    #[must_use]
    pub fn into_new(self, id: Uuid, owner_id: Uuid, alt: Option<String>) -> NewMedia {
        let Self { content_type, color, original, variants } = self;
        NewMedia { id, owner_id, content_type, original, variants, color, alt }
    }
}

impl From<Rejection> for ApiError {
    fn from(rejection: Rejection) -> Self {
        let code = match rejection {
            Rejection::UnknownFormat => {
                return Self::UnsupportedMedia("The file is no JPEG, PNG, GIF or WebP.");
            }
            Rejection::Unreadable(..) => "unreadable",
            Rejection::TooManyPixels(..) | Rejection::TooLong(..) | Rejection::TooLargeAnimation(..) => {
                "too_large"
            }
            Rejection::TooMuchMemory | Rejection::TooManyScans | Rejection::TooLongAnimation => "too_complex",
        };
        Self::invalid("file", code, rejection.to_string())
    }
}

/// Makes a picture of a file, when its turn has come, and stores its objects.
pub async fn store(
    db: &Db,
    storage: &Storage,
    file: Vec<u8>,
    now: DateTime<Utc>,
) -> Result<StoredPicture, ApiError> {
    let made = PICTURES.run(file.len(), move || Picture::new(&file).map(objects)).await?;
    let (picture, objects) = made?;
    let names: Vec<_> = objects.iter().map(|object| object.name.clone()).collect();
    if !store::announce_objects(&mut db.acquire().await?, &names, now).await? {
        return Err(ApiError::Overloaded);
    }
    try_join_all(objects.into_iter().map(|object| storage.put(object))).await?;
    Ok(picture)
}

/// What is stored of a picture. Takes the processor for as long as hashing it does.
fn objects(picture: Picture) -> (StoredPicture, Vec<Object>) {
    let Picture { format, rendition, variants, color: [red, green, blue] } = picture;
    let content_type = format.content_type();
    let mut objects = Vec::with_capacity(variants.len() + 1);
    let mut copy = |Rendition { width, height, bytes }: Rendition| {
        let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        let object = Object::new(bytes, content_type, format.extension());
        // No side is longer than what an `i32` holds.
        let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
        let copy = StoredCopy {
            object: object.name.clone(),
            width: side(width),
            height: side(height),
            bytes: length,
        };
        objects.push(object);
        copy
    };
    let picture = StoredPicture {
        content_type,
        color: format!("#{red:02x}{green:02x}{blue:02x}"),
        original: copy(rendition),
        variants: variants.into_iter().map(copy).collect(),
    };
    (picture, objects)
}
