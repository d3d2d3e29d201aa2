//! A PostgreSQL server for the length of one command.
//!
//! The server lives in a temporary folder, listens on a socket there and on a free loopback port, and asks for a
//! password that was made for this run. It never runs as root. A small shell, the keeper, holds it: when the pipe to
//! the keeper closes, because this process is done or because it was killed, the keeper stops the server and removes
//! the folder. So nothing is left behind, and no server is touched that this process did not start.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::ci::Outcome;
use crate::process::{Workspace, capture, find_program, root_user, run};
use crate::setup;

/// Variable that carries the address to the tests; unset, they skip and say so.
pub(crate) const URL_VARIABLE: &str = "WRIT_TEST_POSTGRES_URL";

/// How often and how long the start is watched: 600 times 50 ms are 30 seconds.
const START_POLLS_MAX: u32 = 600;
const START_POLL: Duration = Duration::from_millis(50);
/// Another process may take the free port before the server does.
const START_TRIES_MAX: u32 = 3;

/// Waits for the end of its input, then stops the server in an orderly way. Arguments: folder, server, its arguments.
/// Signals are ignored: Ctrl-C reaches the whole group, and the keeper has to outlive it.
const KEEPER: &str = r#"
trap '' INT TERM HUP
dir=$1; shift
"$@" </dev/null >"$dir/log" 2>&1 &
server=$!
read -r _
kill -INT "$server" 2>/dev/null
wait "$server"
cd /
rm -rf -- "$dir"
"#;

/// The step of the gate: the tests of the store on a real server.
pub(crate) fn step(workspace: &Workspace) -> Result<Outcome> {
    if !workspace.root.join("crates/writ-store/tests/postgres.rs").is_file() {
        return Ok(Outcome::Skipped("crates/writ-store/tests/postgres.rs does not exist"));
    }
    let server = Server::start(workspace)?;
    // The whole workspace is named so that dependencies are those of the test step; only this test is built and run.
    let mut tests = workspace.cargo(&["test", "--workspace", "--test", "postgres"]);
    let result = run(tests.env(URL_VARIABLE, server.url()));
    server.stop()?;
    result.map(|()| Outcome::Passed)
}

/// `cargo xtask postgres PROGRAM ARGUMENTS`: the exit status is the program's.
pub(crate) fn around(workspace: &Workspace, program: &str, arguments: &[String]) -> Result<ExitCode> {
    let server = Server::start(workspace)?;
    let mut command = Command::new(program);
    command.args(arguments).env(URL_VARIABLE, server.url());
    let status = command.status().with_context(|| format!("cannot start `{program}`"));
    server.stop()?;
    let code = status?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}

/// A running server; dropping it stops it too.
struct Server {
    keeper: Child,
    folder: PathBuf,
    url: String,
}

impl Server {
    fn start(workspace: &Workspace) -> Result<Self> {
        let programs = Programs::find_or_install(workspace)?;
        let user = User::for_server()?;
        let mut last = None;
        for _ in 0..START_TRIES_MAX {
            match Self::try_start(&programs, user.as_ref()) {
                Ok(server) => return Ok(server),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("PostgreSQL was not started")))
    }

    fn try_start(programs: &Programs, user: Option<&User>) -> Result<Self> {
        let temporary = temporary_folder(user)?;
        let folder = temporary.path().to_path_buf();
        let password = password()?;
        write_private(&folder.join("password"), &password, user)?;
        capture(user_command(&programs.initdb, user).current_dir(&folder).args([
            "--pgdata=data",
            "--username=writ",
            "--pwfile=password",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        ]))
        .context("cannot make a database cluster")?;
        let port = free_port()?;
        let keeper = keeper(programs, user, &folder, port)?;
        // From here on the keeper removes the folder.
        let folder_kept = temporary.keep();
        let url = format!("postgres://writ:{password}@127.0.0.1:{port}/postgres?sslmode=disable");
        let server = Self { keeper, folder: folder_kept, url };
        server.wait_until_ready()?;
        println!("PostgreSQL {} on 127.0.0.1:{port}", programs.version()?);
        Ok(server)
    }

    /// Address with user and password; goes into the environment of a test, never on the terminal.
    fn url(&self) -> &str {
        &self.url
    }

    /// Stops the server and waits until it and its folder are gone.
    fn stop(mut self) -> Result<()> {
        self.end();
        if self.folder.exists() {
            bail!("the folder `{}` of the PostgreSQL server is still there", self.folder.display());
        }
        println!("PostgreSQL stopped");
        Ok(())
    }

    fn end(&mut self) {
        drop(self.keeper.stdin.take());
        // The keeper ends with the server's status or not at all; the folder tells whether it did its work.
        let _ = self.keeper.wait();
    }

    fn wait_until_ready(&self) -> Result<()> {
        let log = self.folder.join("log");
        for _ in 0..START_POLLS_MAX {
            let state = fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap_or_default();
            if ready(&state) {
                return Ok(());
            }
            let words = fs::read_to_string(&log).unwrap_or_default();
            if let Some(line) = words.lines().find(|line| line.contains("FATAL:")) {
                bail!("PostgreSQL did not start: {line}");
            }
            sleep(START_POLL);
        }
        bail!("PostgreSQL was not ready after 30 seconds")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// The eighth line of `postmaster.pid` is the state of the server; `pg_ctl` reads the same.
fn ready(pid_file: &str) -> bool {
    pid_file.lines().nth(7).is_some_and(|state| state.trim() == "ready")
}

/// The two programs of one PostgreSQL installation.
struct Programs {
    initdb: PathBuf,
    server: PathBuf,
}

impl Programs {
    fn find_or_install(workspace: &Workspace) -> Result<Self> {
        if let Some(programs) = Self::find() {
            return Ok(programs);
        }
        setup::postgres(workspace)?;
        Self::find().context("`initdb` and `postgres` are not in PATH or /usr/lib/postgresql after the installation")
    }

    /// In `PATH`, otherwise the newest of Debian's versions.
    pub(crate) fn find() -> Option<Self> {
        if let (Some(initdb), Some(server)) = (find_program("initdb"), find_program("postgres")) {
            return Some(Self { initdb, server });
        }
        let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
            .ok()?
            .flatten()
            .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
            .filter(|(_, bin)| bin.join("initdb").is_file() && bin.join("postgres").is_file())
            .collect();
        versions.sort();
        let (_, bin) = versions.pop()?;
        Some(Self { initdb: bin.join("initdb"), server: bin.join("postgres") })
    }

    fn version(&self) -> Result<String> {
        let text = capture(Command::new(&self.server).arg("--version"))?;
        Ok(text.split_whitespace().nth(2).unwrap_or("of unknown version").to_owned())
    }
}

/// Whether a server could be started without installing anything.
pub(crate) fn installed() -> bool {
    Programs::find().is_some()
}

/// An unprivileged user, by number.
#[derive(Debug, PartialEq, Eq)]
struct User {
    uid: u32,
    gid: u32,
}

impl User {
    /// PostgreSQL refuses to run as root: root hands over to `postgres`, or to `nobody` where that user is missing.
    fn for_server() -> Result<Option<Self>> {
        if !root_user() {
            return Ok(None);
        }
        let users = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
        let user = Self::named("postgres", &users).or_else(|| Self::named("nobody", &users));
        user.map(Some).context("root needs the user `postgres` or `nobody` to run PostgreSQL as; neither exists")
    }

    fn named(name: &str, users: &str) -> Option<Self> {
        let mut fields = users
            .lines()
            .map(|line| line.split(':'))
            .find_map(|mut fields| (fields.next() == Some(name)).then_some(fields))?;
        Some(Self { uid: fields.nth(1)?.parse().ok()?, gid: fields.next()?.parse().ok()? })
    }
}

/// A command as that user, with an environment that cannot redirect PostgreSQL.
fn user_command(program: &Path, user: Option<&User>) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}

fn keeper(programs: &Programs, user: Option<&User>, folder: &Path, port: u16) -> Result<Child> {
    let mut command = user_command(Path::new("/bin/sh"), user);
    command.current_dir(folder).stdin(Stdio::piped()).args(["-c", KEEPER, "keeper"]).arg(folder).arg(&programs.server);
    command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder).args(["-p", &port.to_string()]);
    // The data is thrown away, so nothing waits for the disk.
    for setting in ["listen_addresses=127.0.0.1", "fsync=off", "synchronous_commit=off", "full_page_writes=off"] {
        command.args(["-c", setting]);
    }
    command.spawn().context("cannot start `/bin/sh` for PostgreSQL")
}

/// The folder, owned by the server's user. Short, because the path of a socket has 107 bytes at most; in `/tmp` when
/// the user changes, because the other user may not enter a private temporary folder.
fn temporary_folder(user: Option<&User>) -> Result<TempDir> {
    let parent = user.map_or_else(std::env::temp_dir, |_| PathBuf::from("/tmp"));
    let folder = tempfile::Builder::new()
        .prefix("writ-postgres-")
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir_in(&parent)
        .with_context(|| format!("cannot make a folder in `{}`", parent.display()))?;
    hand_over(folder.path(), user)?;
    Ok(folder)
}

fn hand_over(path: &Path, user: Option<&User>) -> Result<()> {
    let Some(user) = user else { return Ok(()) };
    chown(path, Some(user.uid), Some(user.gid)).with_context(|| format!("cannot hand `{}` over", path.display()))
}

fn write_private(path: &Path, text: &str, user: Option<&User>) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    hand_over(path, user)
}

/// 128 random bits in hexadecimal.
fn password() -> Result<String> {
    let mut bytes = [0_u8; 16];
    fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str =
        "root:x:0:0:root:/root:/bin/bash\npostgres:x:101:104:PostgreSQL,,,:/var/lib:/bin/bash\nbroken\n";

    #[test]
    fn users_are_found_by_exact_name() {
        assert_eq!(User::named("postgres", USERS), Some(User { uid: 101, gid: 104 }));
        assert_eq!(User::named("post", USERS), None);
        assert_eq!(User::named("broken", USERS), None);
    }

    #[test]
    fn only_the_state_ready_is_ready() {
        let file = "1234\n/data\n1700000000\n5433\n/run\n127.0.0.1\n  123 4\nstarting\n";
        assert!(!ready(""));
        assert!(!ready(file));
        assert!(ready(&file.replace("starting", "ready   ")));
    }

    #[test]
    fn passwords_are_128_bits_and_differ() {
        let first = password().unwrap();
        assert_eq!(first.len(), 32);
        assert_ne!(first, password().unwrap());
    }

    /// Where PostgreSQL is installed, the whole life of a server: it answers, and nothing of it is left.
    #[test]
    fn a_server_starts_answers_and_leaves_nothing() {
        let Some(programs) = Programs::find() else {
            println!("SKIPPED: PostgreSQL is not installed");
            return;
        };
        let server = Server::try_start(&programs, User::for_server().unwrap().as_ref()).unwrap();
        let address = server.url().split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
        let folder = server.folder.clone();
        assert!(std::net::TcpStream::connect(&address).is_ok());
        server.stop().unwrap();
        assert!(std::net::TcpStream::connect(&address).is_err());
        assert!(!folder.exists());
    }
}
