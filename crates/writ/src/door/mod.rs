//! The door for commands: where a server runs, commands that change state ask it to act, over a Unix-domain socket in
//! the data directory; where none runs, they open the data directory themselves. Either way the same function acts.
//!
//! * [`Order`]: what can be asked, as data, with the type of its answer;
//! * [`desk`]: what an order needs, of a running server or of an open data directory;
//! * [`people`], [`access`], [`standing`]: the orders;
//! * [`server`]: answers orders while a server runs; [`client`]: asks.
//!
//! One request a connection: a line of JSON each way, `{"version": 1, "order": NAME, "body": ...}` and
//! `{"done": ...}` or `{"refused": TEXT}`. The socket lies in a folder of mode 700, has mode 600, and whoever connects
//! must have the server's user id: whoever may ask could open the data directory as well.

pub(crate) mod access;
mod client;
pub(crate) mod desk;
pub(crate) mod people;
mod secret;
mod server;
pub(crate) mod standing;

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use writ_base::Limit;
use writ_identity::Role;
use writ_store::backup::DataDirectory;

pub(crate) use client::carry_out;
pub(crate) use desk::Desk;
pub(crate) use secret::Secret;
pub(crate) use server::Door;

/// Bytes of a request.
pub(crate) static REQUEST: Limit = Limit::new("door.request", "bytes", 256 << 10);
/// Bytes of an answer.
pub(crate) static ANSWER: Limit = Limit::new("door.answer", "bytes", 64 << 20);
/// Orders at once.
pub(crate) static CONNECTIONS: Limit = Limit::new("door.connections", "connections", 8);

/// The role in whose name orders act: whoever may open the data directory keeps the system.
const ROLE: Role = Role::Admin;

/// The version of the protocol. Command and server are of one binary; another version is refused in words.
const VERSION: u32 = 1;

/// What can be asked at the door.
pub(crate) trait Order: Serialize + DeserializeOwned + Send {
    /// Its name on the wire.
    const NAME: &'static str;
    /// What comes back.
    type Answer: Serialize + DeserializeOwned + Send;

    /// Acts.
    fn act(self, desk: &Desk) -> impl Future<Output = anyhow::Result<Self::Answer>> + Send;
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    version: u32,
    order: String,
    body: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Reply {
    Done(Value),
    Refused(String),
}

/// All orders: the door answers nothing that does not stand here.
macro_rules! orders {
    ($($order:ty),+ $(,)?) => {
        /// Carries out the order with this name; nothing if there is none.
        async fn answer(name: &str, body: Value, desk: &Desk) -> Option<anyhow::Result<Value>> {
            $(if name == <$order as Order>::NAME {
                return Some(answer_one::<$order>(body, desk).await);
            })+
            None
        }

        #[cfg(test)]
        const NAMES: &[&str] = &[$(<$order as Order>::NAME),+];
    };
}

orders!(
    access::AddCaller,
    access::ListCallers,
    access::DisableCaller,
    access::DescribeCaller,
    access::SetCredential,
    people::SetPerson,
    people::AddAccount,
    people::ListAccounts,
    people::ResetAccount,
    people::LinkAccount,
    people::DisableAccount,
    standing::Grant,
    standing::ListExceptions,
    standing::Withdraw,
    standing::ListStages,
    standing::MoveStage,
    standing::InForce,
);

async fn answer_one<O: Order>(body: Value, desk: &Desk) -> anyhow::Result<Value> {
    let order: O =
        serde_json::from_value(body).map_err(|_| anyhow::anyhow!("the order is not of the expected form"))?;
    Ok(serde_json::to_value(order.act(desk).await?)?)
}

/// The folder of the socket, and the socket in it.
fn place(directory: &DataDirectory) -> (PathBuf, PathBuf) {
    let folder = directory.door();
    let socket = folder.join("commands");
    (folder, socket)
}

/// All limits of this door, for the metrics page.
pub(crate) static LIMITS: &[&Limit] = &[&REQUEST, &ANSWER, &CONNECTIONS];

#[cfg(test)]
pub(crate) mod tests;
