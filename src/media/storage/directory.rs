//! Objects as files of one folder, for development.

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use axum::body::Body;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tokio::fs;
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use super::Object;
use crate::media::model::file::File;

/// Files that are not whole yet have other names than objects.
const UNFINISHED: &str = "unfinished-";

/// Where the object is. Fails for what is no object's name, such as another path.
fn path(dir: &Path, name: &str) -> Result<PathBuf> {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-/".contains(&byte);
    let is_name = name.len() > 64
        && name.bytes().take(64).all(|byte| byte.is_ascii_hexdigit())
        && name.bytes().all(is_of_name)
        && !name.contains("..");
    if is_name { Ok(dir.join(name)) } else { Err(Error::from(ErrorKind::NotFound)) }
}

/// A file that has another name until it is whole, and is gone if it never is, also if nobody waits for it any more.
struct Unfinished(PathBuf);

impl Unfinished {
    async fn new(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).await?;
        Ok(Self(dir.join(format!("{UNFINISHED}{}", Uuid::now_v7()))))
    }

    async fn finish(self, path: &Path) -> Result<()> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).await?;
        }
        fs::File::open(&self.0).await?.sync_all().await?;
        fs::rename(&self.0, path).await
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

pub(super) async fn put(dir: &Path, object: &Object) -> Result<()> {
    let path = path(dir, &object.name)?;
    let unfinished = Unfinished::new(dir).await?;
    fs::write(&unfinished.0, &object.bytes).await?;
    unfinished.finish(&path).await
}

/// The headers of a request whose body is [received](receive).
pub(super) fn headers(file: &File) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("content-length".to_owned(), file.bytes.to_string()),
        ("content-type".to_owned(), file.content_type.as_str().to_owned()),
    ])
}

/// Stores a body as the object that its SHA-256 names; false if it is another.
pub(super) async fn receive(dir: &Path, name: &str, bytes: i64, body: Body) -> Result<bool> {
    let path = path(dir, name)?;
    let unfinished = Unfinished::new(dir).await?;
    let hash = write(&unfinished.0, bytes, body).await?;
    if !hash.is_some_and(|hash| name.starts_with(&hash)) {
        return Ok(false);
    }
    unfinished.finish(&path).await?;
    Ok(true)
}

/// The SHA-256 of what was written, if it has so many bytes.
async fn write(path: &Path, bytes: i64, body: Body) -> Result<Option<String>> {
    let mut file = fs::File::create(path).await?;
    let mut stream = body.into_data_stream();
    let (mut hash, mut left) = (Sha256::new(), u64::try_from(bytes).unwrap_or_default());
    while let Some(chunk) = stream.next().await {
        let Ok(chunk) = chunk else { return Ok(None) };
        match left.checked_sub(chunk.len() as u64) {
            Some(rest) => left = rest,
            None => return Ok(None),
        }
        hash.update(&chunk);
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    Ok((left == 0).then(|| hex::encode(hash.finalize())))
}

pub(super) async fn open(dir: &Path, name: &str) -> Result<fs::File> {
    fs::File::open(path(dir, name)?).await
}

pub(super) async fn has(dir: &Path, name: &str, bytes: i64) -> Result<bool> {
    match fs::metadata(path(dir, name)?).await {
        Ok(metadata) => Ok(i64::try_from(metadata.len()) == Ok(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) async fn delete(dir: &Path, name: &str) -> Result<()> {
    let path = path(dir, name)?;
    match fs::remove_file(&path).await {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    if name.contains('/')
        && let Some(of_bytes) = path.parent()
    {
        // Unless the same bytes are there under another name.
        drop(fs::remove_dir(of_bytes).await);
    }
    Ok(())
}
