//! Finds PostgreSQL's server binaries on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;

/// The oldest major version that the schema is tested with.
const MIN_MAJOR: u32 = 15;

/// A folder with `initdb` and `postgres`, and their major version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binaries {
    pub(crate) dir: PathBuf,
    pub(crate) major: u32,
}

impl Binaries {
    /// Those with the major version that `pgdata` was made by, if it was made already, else the newest.
    pub(crate) fn find(pgdata: &Path) -> Result<Self, Error> {
        let found = installed();
        let made_by =
            std::fs::read_to_string(pgdata.join("PG_VERSION")).ok().and_then(|text| text.trim().parse().ok());
        if let Some(major) = made_by {
            let same = found.into_iter().find(|binaries| binaries.major == major);
            return same.ok_or_else(|| Error::OtherVersion { data: pgdata.to_owned(), major });
        }
        found
            .into_iter()
            .filter(|binaries| binaries.major >= MIN_MAJOR)
            .max_by_key(|binaries| binaries.major)
            .ok_or(Error::NoBinaries)
    }

    pub(crate) fn command(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }
}

fn installed() -> Vec<Binaries> {
    let mut dirs: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        dirs.push(String::from_utf8_lossy(&output.stdout).trim().into());
    }
    for parent in [
        "/usr/lib/postgresql",
        "/usr",
        "/opt/homebrew/opt",
        "/usr/local/opt",
        "/home/linuxbrew/.linuxbrew/opt",
    ] {
        let Ok(entries) = std::fs::read_dir(parent) else {
            continue;
        };
        dirs.extend(entries.flatten().map(|entry| entry.path().join("bin")));
    }
    dirs.into_iter().filter_map(probe).collect()
}

fn probe(dir: PathBuf) -> Option<Binaries> {
    if !dir.join("initdb").is_file() || !dir.join("postgres").is_file() {
        return None;
    }
    let output = Command::new(dir.join("postgres")).arg("--version").output().ok()?;
    let major = major_version(&String::from_utf8_lossy(&output.stdout))?;
    Some(Binaries { dir, major })
}

/// From `postgres (PostgreSQL) 17.2 (Debian 17.2-1)`, or `18beta1`.
fn major_version(text: &str) -> Option<u32> {
    let version = text.split_once(") ")?.1;
    let end = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    version[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_prints() {
        assert_eq!(major_version("postgres (PostgreSQL) 17.2 (Debian 17.2-1.pgdg)\n"), Some(17));
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_version("EnterpriseDB"), None);
    }
}
