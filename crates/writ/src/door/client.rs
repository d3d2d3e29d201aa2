//! Asks at the door of a running server, or acts alone where none runs.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use writ_store::backup::DataDirectory;

use super::{ANSWER, Desk, Order, Reply, Request, VERSION, place, server};
use crate::config::Config;
use crate::wiring::Home;

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(60);

/// Carries an order out: in the server that runs on this data directory, or here.
///
/// # Errors
/// If it is refused, or neither can be reached.
pub(crate) async fn carry_out<O: Order>(config: &Config, order: O) -> anyhow::Result<O::Answer> {
    let (folder, socket) = place(&DataDirectory::new(&config.data_directory));
    if let Some(stream) = connect(&folder, &socket).await? {
        let asked = tokio::time::timeout(WITHIN, ask(stream, &order)).await;
        return asked.context("the server that runs does not answer; see its log")?;
    }
    let desk = Desk::alone(Home::open(config).await?, config);
    let answer = order.act(&desk).await;
    desk.close().await?;
    answer
}

/// A connection to the server that runs; nothing if none does.
async fn connect(folder: &Path, socket: &Path) -> anyhow::Result<Option<UnixStream>> {
    let owner = match std::fs::metadata(folder) {
        Ok(metadata) => metadata.uid(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot look at `{}`", folder.display())),
    };
    let reached = server::reach(folder, socket).with_context(|| format!("cannot look at `{}`", folder.display()))?;
    let stream = match UnixStream::connect(reached.path()).await {
        Ok(stream) => stream,
        // Nobody listens: what a server that was killed left behind.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => return Ok(None),
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            bail!("the data directory belongs to user {owner}; run the command as that user")
        }
        Err(error) => return Err(error).with_context(|| format!("cannot reach `{}`", socket.display())),
    };
    if stream.peer_cred().map(|peer| peer.uid()).ok() != Some(owner) {
        bail!("whoever listens at `{}` is not the owner of the data directory; nothing was sent", socket.display());
    }
    Ok(Some(stream))
}

async fn ask<O: Order>(mut stream: UnixStream, order: &O) -> anyhow::Result<O::Answer> {
    let request = Request { version: VERSION, order: O::NAME.to_owned(), body: serde_json::to_value(order)? };
    let mut line = serde_json::to_vec(&request)?;
    line.push(b'\n');
    // A server that refuses early closes before it has read everything; its answer says why.
    let _ = stream.write_all(&line).await;
    let mut bytes = Vec::new();
    let most = u64::try_from(ANSWER.value()).unwrap_or(u64::MAX);
    stream.take(most).read_to_end(&mut bytes).await.context("the server that runs broke off")?;
    match serde_json::from_slice(&bytes).context("the server that runs does not answer in this version's words")? {
        Reply::Done(value) => Ok(serde_json::from_value(value)?),
        Reply::Refused(text) => bail!("{text}"),
    }
}
