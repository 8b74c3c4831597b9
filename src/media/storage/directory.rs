//! Objects as files of one folder, for development.

use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use tokio::fs;
use uuid::Uuid;

use super::Object;

/// Files that are not whole yet have other names than objects.
const UNFINISHED: &str = "unfinished-";

/// Where the object is. Fails for what is no object's name, such as a path.
fn path(dir: &Path, name: &str) -> Result<PathBuf> {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        && name.len() > 64
        && !name.contains("..");
    if is_name { Ok(dir.join(name)) } else { Err(Error::from(ErrorKind::NotFound)) }
}

pub(super) async fn put(dir: &Path, object: &Object) -> Result<()> {
    let path = path(dir, &object.name)?;
    fs::create_dir_all(dir).await?;
    let unfinished = dir.join(format!("{UNFINISHED}{}", Uuid::now_v7()));
    let written = async {
        fs::write(&unfinished, &object.bytes).await?;
        fs::File::open(&unfinished).await?.sync_all().await?;
        fs::rename(&unfinished, path).await
    };
    match written.await {
        Ok(()) => Ok(()),
        Err(error) => {
            // What is left of it is in nobody's way.
            drop(fs::remove_file(&unfinished).await);
            Err(error)
        }
    }
}

pub(super) async fn read(dir: &Path, name: &str) -> Result<Vec<u8>> {
    fs::read(path(dir, name)?).await
}

pub(super) async fn delete(dir: &Path, name: &str) -> Result<()> {
    match fs::remove_file(path(dir, name)?).await {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
