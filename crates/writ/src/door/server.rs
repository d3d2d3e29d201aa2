//! Answers orders while a server runs.

use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use writ_store::backup::DataDirectory;

use super::{ANSWER, CONNECTIONS, Desk, REQUEST, Reply, Request, VERSION, answer, place};

/// How long a command may take to ask.
const WITHIN: Duration = Duration::from_secs(10);

/// The longest path that the address of a socket holds on Linux, without its end (`sockaddr_un`, unix(7)).
const PATH_BYTES_MAX: usize = 107;

/// The door of a running server, open.
pub(crate) struct Door {
    listener: UnixListener,
    socket: PathBuf,
    /// The only user who may ask.
    owner: u32,
}

/// A path to a socket that its address can hold: one that is too long goes through the open folder.
pub(super) struct Reached {
    path: PathBuf,
    _folder: Option<std::fs::File>,
}

impl Reached {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// Finds the path; the folder must exist.
pub(super) fn reach(folder: &Path, socket: &Path) -> io::Result<Reached> {
    if socket.as_os_str().len() <= PATH_BYTES_MAX {
        return Ok(Reached { path: socket.to_owned(), _folder: None });
    }
    let open = std::fs::File::open(folder)?;
    let name = socket.file_name().unwrap_or_default();
    let path = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd())).join(name);
    Ok(Reached { path, _folder: Some(open) })
}

impl Door {
    /// Opens the door. Whoever calls holds the ledger's lock, so that a socket which is there already is nobody's.
    ///
    /// # Errors
    /// If the folder or the socket cannot be made.
    pub(crate) fn open(directory: &DataDirectory) -> anyhow::Result<Self> {
        let (folder, socket) = place(directory);
        let failed = || format!("cannot open the door for commands at `{}`", socket.display());
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).with_context(failed)?;
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).with_context(failed)?;
        match std::fs::remove_file(&socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error).with_context(failed),
            _ => {}
        }
        let reached = reach(&folder, &socket).with_context(failed)?;
        let listener = UnixListener::bind(reached.path()).with_context(failed)?;
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600)).with_context(failed)?;
        let owner = std::fs::metadata(&socket).with_context(failed)?.uid();
        Ok(Self { listener, socket, owner })
    }

    /// Answers until `stop` is true.
    pub(crate) async fn serve(self, desk: Desk, mut stop: watch::Receiver<bool>) {
        let (desk, places) = (Arc::new(desk), Arc::new(Semaphore::new(CONNECTIONS.value())));
        let mut open = tokio::task::JoinSet::new();
        loop {
            let accepted = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                accepted = self.listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                // The process has no descriptors left; it gets some when connections end.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                CONNECTIONS.hit();
                continue;
            };
            let (desk, owner) = (Arc::clone(&desk), self.owner);
            open.spawn(async move {
                serve_one(stream, &desk, owner).await;
                drop(place);
            });
            while open.try_join_next().is_some() {}
        }
        while open.join_next().await.is_some() {}
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// One order. Whatever goes wrong is said, or ends the connection; it never ends the server.
async fn serve_one(mut stream: UnixStream, desk: &Desk, owner: u32) {
    let reply = match stream.peer_cred() {
        Ok(peer) if peer.uid() == owner => match tokio::time::timeout(WITHIN, read(&mut stream)).await {
            Ok(Ok(request)) => carried_out(request, desk).await,
            Ok(Err(refused)) => Reply::Refused(refused),
            Err(_) => Reply::Refused("the order did not arrive in time".to_owned()),
        },
        Ok(_) => Reply::Refused(format!("this server runs as user {owner}; run the command as that user")),
        Err(_) => return,
    };
    let mut bytes = serde_json::to_vec(&reply).unwrap_or_default();
    if !ANSWER.admits(bytes.len()) {
        let refused = Reply::Refused(format!("the answer is larger than the limit `{}` allows", ANSWER.name()));
        bytes = serde_json::to_vec(&refused).unwrap_or_default();
    }
    // A command that went away has no use for the answer.
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

/// Reads the line with the order.
async fn read(stream: &mut UnixStream) -> Result<Request, String> {
    let most = u64::try_from(REQUEST.value()).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    let read = BufReader::new(stream.take(most)).read_until(b'\n', &mut line).await;
    read.map_err(|error| format!("the order cannot be read: {error}"))?;
    if line.last() != Some(&b'\n') {
        REQUEST.hit();
        return Err(format!("the order is not whole, or longer than {} bytes", REQUEST.value()));
    }
    serde_json::from_slice(&line).map_err(|_| "the order is not of the expected form".to_owned())
}

async fn carried_out(request: Request, desk: &Desk) -> Reply {
    if request.version != VERSION {
        let given = request.version;
        return Reply::Refused(format!(
            "the server that runs speaks version {VERSION} of the door, the command version {given}; restart the server with this binary"
        ));
    }
    match answer(&request.order, request.body, desk).await {
        Some(Ok(value)) => Reply::Done(value),
        Some(Err(error)) => Reply::Refused(format!("{error:#}")),
        None => Reply::Refused("the server that runs does not know this order; restart it with this binary".to_owned()),
    }
}
