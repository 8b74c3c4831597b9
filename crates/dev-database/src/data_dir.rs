//! The folder of a private server, and the processes that work in it: as an unprivileged user where this
//! one is root, because PostgreSQL refuses to run as root.

use std::fs::{File, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::unistd::{User, chown, geteuid};

use crate::binaries::Binaries;
use crate::error::{Error, failed};

/// The superuser of the server.
pub(crate) const USER: &str = "blog";

pub(crate) const STOP_TIMEOUT: Duration = Duration::from_secs(20);

const SOCKET: &str = ".s.PGSQL.5432";

/// The longest path of a socket that every platform takes, in bytes.
const MAX_SOCKET_PATH: usize = 103;

/// For this machine alone; and details of errors name what is unique, such as e-mail addresses.
const SETTINGS: [&str; 4] =
    ["listen_addresses=", "unix_socket_permissions=0700", "port=5432", "log_error_verbosity=terse"];

/// Runs the server (`"$@"`) until it ends or the pipe on standard input does; removes `$REMOVE` if set.
const SUPERVISOR: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null &
server=$!
( read -r _ <&3; kill -INT $server ) 2>/dev/null &
watcher=$!
wait $server
status=$?
kill $watcher 2>/dev/null
if [ -n "$REMOVE" ]; then rm -rf "$REMOVE"; fi
exit $status
"#;

/// The folder of a server: `data`, `log`, `lock`, and the socket.
pub(crate) struct DataDir {
    dir: PathBuf,
    /// Whom the server runs as: PostgreSQL refuses to run as root.
    owner: Option<User>,
}

impl DataDir {
    pub(crate) fn prepare(dir: &Path) -> Result<Self, Error> {
        let owner = if geteuid().is_root() { Some(unprivileged_user()?) } else { None };
        let mut dir = std::path::absolute(dir).map_err(failed("find the working directory"))?;
        if owner.is_some() && !is_reachable(&dir) {
            let name = dir.to_string_lossy().trim_start_matches('/').replace('/', "-");
            dir = Path::new("/var/lib/blog-api-dev").join(name);
        }
        let data_dir = Self { dir, owner };
        data_dir.make_private(&data_dir.dir)?;
        Ok(data_dir)
    }

    /// PostgreSQL's own part of it, its `PGDATA`.
    pub(crate) fn pgdata(&self) -> PathBuf {
        self.dir.join("data")
    }

    fn log(&self) -> PathBuf {
        self.dir.join("log")
    }

    /// In the folder itself, or in the system's temporary folder where that path would be too long.
    pub(crate) fn socket_dir(&self) -> Result<PathBuf, Error> {
        if self.dir.join(SOCKET).as_os_str().len() <= MAX_SOCKET_PATH {
            return Ok(self.dir.clone());
        }
        let mut hasher = DefaultHasher::new();
        self.dir.hash(&mut hasher);
        let dir = std::env::temp_dir().join(format!("blog-api-{:016x}", hasher.finish()));
        self.make_private(&dir)?;
        Ok(dir)
    }

    fn make_private(&self, dir: &Path) -> Result<(), Error> {
        std::fs::create_dir_all(dir).map_err(failed(format!("make {}", dir.display())))?;
        if let Some(owner) = &self.owner {
            chown(dir, Some(owner.uid), Some(owner.gid))
                .map_err(|errno| failed(format!("give {} to {}", dir.display(), owner.name))(errno.into()))?;
        }
        std::fs::set_permissions(dir, Permissions::from_mode(0o700))
            .map_err(failed(format!("make {} private", dir.display())))
    }

    pub(crate) fn lock(&self) -> Result<File, Error> {
        let path = self.dir.join("lock");
        let action = || format!("lock {}", path.display());
        let mut file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed(action()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut pid = String::new();
                file.read_to_string(&mut pid).map_err(failed(action()))?;
                return Err(Error::InUse { dir: self.dir.clone(), pid: pid.trim().to_owned() });
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(failed(action())(error)),
        }
        file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed(action()))?;
        Ok(file)
    }

    /// The server of a run that was killed may still be stopping: it answers on its socket until it is
    /// done. Its process id alone says nothing, because after a crash another process may have it.
    pub(crate) async fn wait_for_previous(&self) -> Result<(), Error> {
        let socket = self.socket_dir()?.join(SOCKET);
        let started = Instant::now();
        while UnixStream::connect(&socket).is_ok() {
            if started.elapsed() > STOP_TIMEOUT {
                let pid_file =
                    std::fs::read_to_string(self.pgdata().join("postmaster.pid")).unwrap_or_default();
                return Err(Error::Orphan(pid_file.lines().next().unwrap_or_default().to_owned()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Makes the data folder, under another name until it is whole.
    pub(crate) fn init(&self, binaries: &Binaries, options: &[&str]) -> Result<(), Error> {
        if self.pgdata().exists() {
            return Ok(());
        }
        let unfinished = self.dir.join("data.unfinished");
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished)
                .map_err(failed(format!("remove {}", unfinished.display())))?;
        }
        let output = self
            .command(&binaries.command("initdb"))
            .arg("-D")
            .arg(&unfinished)
            .args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
            .args(options)
            .output()
            .map_err(failed("run initdb"))?;
        if !output.status.success() {
            let cause = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(Error::Failed { action: "run initdb".into(), cause });
        }
        std::fs::rename(&unfinished, self.pgdata()).map_err(failed("name the data folder"))
    }

    pub(crate) fn spawn(&self, binaries: &Binaries, settings: &[&str], remove: bool) -> Result<Child, Error> {
        let log = File::create(self.log()).map_err(failed(format!("write {}", self.log().display())))?;
        let mut command = self.command(Path::new("/bin/sh"));
        command.args(["-c", SUPERVISOR, "blog-api-postgres"]).arg(binaries.command("postgres"));
        command.arg("-D").arg(self.pgdata()).arg("-k").arg(self.socket_dir()?);
        for setting in SETTINGS.iter().chain(settings) {
            command.args(["-c", setting]);
        }
        command
            .env("REMOVE", if remove { self.dir.as_path() } else { Path::new("") })
            .stdin(Stdio::piped())
            .stdout(log.try_clone().map_err(failed("share the log"))?)
            .stderr(log)
            // A Ctrl-C at the terminal is for this process, which stops the server when it is done with it.
            .process_group(0)
            .spawn()
            .map_err(failed("run PostgreSQL"))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.dir).env("LC_ALL", "C");
        if let Some(owner) = &self.owner {
            command.uid(owner.uid.as_raw()).gid(owner.gid.as_raw());
        }
        command
    }

    pub(crate) fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        format!(
            "{}\n(the whole log: {})",
            lines[lines.len().saturating_sub(8)..].join("\n"),
            self.log().display()
        )
    }
}

fn unprivileged_user() -> Result<User, Error> {
    ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten()).ok_or_else(
        || {
            let cause = "there is neither a user `postgres` nor a user `nobody`".to_owned();
            Error::Failed { action: "run PostgreSQL as root".into(), cause }
        },
    )
}

/// Whether others than the owner can get to `dir`.
fn is_reachable(dir: &Path) -> bool {
    let closed = |dir: &Path| dir.metadata().is_ok_and(|dir| dir.permissions().mode() & 0o001 == 0);
    !dir.ancestors().skip(1).any(closed)
}
