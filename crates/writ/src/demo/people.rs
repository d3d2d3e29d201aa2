//! The people and programs of the demo: their API keys, and the requests that they send.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use writ_base::Sensitive;
use writ_model::{Value as _, Who};
use writ_proxy::callers::labels_for;
use writ_sim::company::{Company, Member, Role};
use writ_store::personal::new_reveal_key;
use writ_store::state::{ApiKeyKind, Login, NewApiKey};

use crate::wiring::Home;

/// The login of whoever watches the demo.
pub(crate) const YOU: &str = "you";

/// API keys by login. They are kept beside the demo's data for its next start; only a digest is in the data itself.
pub(crate) struct Keys(BTreeMap<String, Sensitive<String>>);

impl Keys {
    /// The key of a login.
    pub(crate) fn of(&self, login: &str) -> Option<&Sensitive<String>> {
        self.0.get(login)
    }

    /// The keys of an earlier start, or new ones.
    pub(crate) async fn load_or_make(
        home: &Home,
        company: &Company,
        file: &Path,
        reveal: &Path,
    ) -> anyhow::Result<Self> {
        if let Ok(text) = std::fs::read_to_string(file) {
            let kept: BTreeMap<String, String> = serde_json::from_str(&text)
                .with_context(|| format!("`{}` is damaged; remove the demo's folder", file.display()))?;
            return Ok(Self(kept.into_iter().map(|(login, key)| (login, Sensitive::new(key))).collect()));
        }
        if home.keys.reveal_public().is_none() {
            hold_reveal_key(home, reveal).await?;
        }
        let mut keys = BTreeMap::new();
        keys.insert(YOU.to_owned(), make(home, YOU, Who::Employee, "Security", None).await?);
        for member in &company.members {
            keys.insert(member.login.clone(), make_for(home, member).await?);
        }
        let text = serde_json::to_string_pretty(
            &keys.iter().map(|(login, key)| (login, key.expose())).collect::<BTreeMap<_, _>>(),
        )?;
        write_private(file, &text)?;
        Ok(Self(keys))
    }
}

/// Splits the key that lifts pseudonyms between three holders, of whom two are needed.
async fn hold_reveal_key(home: &Home, folder: &Path) -> anyhow::Result<()> {
    let (public, shares) = new_reveal_key(3, &*home.randomness)?;
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
    for share in &shares {
        write_private(&folder.join(format!("holder-{}.txt", share.holder())), &share.to_text())?;
    }
    home.keys.add_reveal(public, &home.ledger, home.clock.now(), &*home.randomness).await?;
    Ok(())
}

async fn make_for(home: &Home, member: &Member) -> anyhow::Result<Sensitive<String>> {
    let who = Who::named(member.role.word()).unwrap_or(Who::Unknown);
    make(
        home,
        &member.login,
        who,
        member.department.group(),
        member.on_behalf_of.as_deref().filter(|_| member.role == Role::Agent),
    )
    .await
}

async fn make(
    home: &Home,
    login: &str,
    who: Who,
    group: &str,
    on_behalf_of: Option<&str>,
) -> anyhow::Result<Sensitive<String>> {
    let login_of = |name: &str| Login { source: "login".into(), name: Sensitive::new(name.to_owned()) };
    let identity = Sensitive::new(login.to_owned());
    let owner = home.state.identify(&login_of(login), who.as_str(), &identity, &home.ledger).await?.principal;
    let on_behalf_of = match on_behalf_of {
        Some(person) => home.state.find_login(&login_of(person)).await?,
        None => None,
    };
    let kind = if who == Who::Agent { ApiKeyKind::Agent } else { ApiKeyKind::Person };
    let labels = labels_for(Some(who), &[group.to_owned()], None, false);
    let (_, key) =
        home.state.create_api_key(NewApiKey { kind, owner, on_behalf_of, labels }, "admin", &home.ledger).await?;
    Ok(key)
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()));
    written.with_context(|| format!("cannot write `{}`", path.display()))
}

/// Sends a request to the gateway and reads the answer to its end. What it says is shown from the ledger.
pub(crate) async fn send(gateway: SocketAddr, path: &str, headers: &[(&'static str, String)], body: String) {
    if let Err(error) = try_send(gateway, path, headers, body).await {
        tracing::warn!("a request of the demo's company failed: {error:#}");
    }
}

async fn try_send(
    gateway: SocketAddr,
    path: &str,
    headers: &[(&'static str, String)],
    body: String,
) -> anyhow::Result<()> {
    let stream = TcpStream::connect(gateway).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let mut request = http::Request::post(path).header("host", gateway.to_string());
    for (name, value) in headers.iter().filter(|(name, _)| *name != "host") {
        request = request.header(*name, value);
    }
    let mut answer = sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
    while let Some(frame) = answer.frame().await {
        frame?;
    }
    Ok(())
}
