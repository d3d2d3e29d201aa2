//! The door from both sides: the same orders with and without a server, and whatever else somebody sends.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::watch;
use writ_base::{Clock as _, Sensitive, SystemClock};
use writ_console::standing::{Approver, DAY, NewException};
use writ_model::record::{AdminAct, EntryKind};
use writ_model::standing::Ring;
use writ_model::values::Step;
use writ_model::{Term, Who};
use writ_store::ledger::LedgerReader;
use writ_store::storage::FileStorage;

use super::standing::{Grant, ListExceptions, ListStages, MoveStage, Withdraw};
use super::*;
use crate::config::Config;
use crate::serve::{Extras, Server};

pub(crate) const POLICY: &str = r#"---
writ: 1
title: Small policy
organisation: Northwind
language: en
version: 1
owners:
  security: head of security
posture: employee coach, other block
situation: employee at chatgpt, identity password, channel api, action submit, status approved
---

# Small policy

## 1 What may go where {#matrix}

| What is in it | approved | other |
|---------------|----------|-------|
| plain         | allow    | coach |
| contact, pii  | redact   | block |

Rule table: data by status. Severity: moderate.

## 2 Payment {#payment}

```rule
data:     payment
then:     block
severity: serious
why:      Whoever has a card number can use it.
```

```prove
always: action submit, data payment, at least block
```

## 3 Words {#words}

```define
groups: pilot, research
means: groups of the directory
```

```rule
signal:   opaque
then:     block
severity: minor
why:      What cannot be read cannot be checked.
```
"#;

/// A folder with a configuration and a policy.
pub(crate) fn folder(name: &str) -> (TempDir, Config) {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join(name);
    std::fs::create_dir_all(&inner).unwrap();
    let text = "data-directory = \"data\"\npolicy = \"policy.md\"\nkey-encryption = { file = \"writ.key\" }\n\n\
                [console]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(inner.join("writ.toml"), text).unwrap();
    std::fs::write(inner.join("policy.md"), POLICY).unwrap();
    let config = Config::load(&inner.join("writ.toml")).unwrap();
    (folder, config)
}

/// A server, and what stops it.
struct Running {
    server: Server,
    stop: watch::Sender<bool>,
}

impl Running {
    async fn start(config: &Config) -> Self {
        let (stop, stopped) = watch::channel(false);
        let server = Server::start(config.clone(), None, Extras::default(), stopped).await.unwrap();
        Self { server, stop }
    }

    /// Waits until what runs is as it should be; a change is taken over by a task of its own.
    async fn until(&self, holds: impl Fn(&writ_engine::Snapshot) -> bool) {
        for _ in 0..2_000 {
            if holds(&self.server.live().snapshot()) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("the change was not taken over");
    }

    async fn end(self) {
        self.stop.send(true).unwrap();
        self.server.finish().await.unwrap();
    }
}

fn exception(keys: &[(&str, &str)]) -> Grant {
    Grant(NewException {
        clause: Term::fixed("matrix"),
        keys: keys.iter().map(|(key, values)| ((*key).to_owned(), (*values).to_owned())).collect(),
        owner: "head of research".to_owned(),
        reason: "a trial".to_owned(),
        compensating_control: "public data only".to_owned(),
        approved_by: Approver::owner("security"),
        from: None,
        until: SystemClock.now().after(DAY),
    })
}

fn step(step: Option<Step>, advance: bool) -> MoveStage {
    MoveStage {
        clause: Term::fixed("payment"),
        ring: Ring::Group(Term::fixed("pilot")),
        advance,
        step,
        from: None,
        until: SystemClock.now().after(DAY),
        approved_by: Approver { role: "security".to_owned(), deputy: true },
    }
}

/// The acts in the ledger, in their order.
fn acts(config: &Config) -> Vec<String> {
    let storage = FileStorage::new(&DataDirectory::new(&config.data_directory).ledger()).unwrap();
    let entries = LedgerReader::new(std::sync::Arc::new(storage), 0).map(Result::unwrap);
    let acts = entries.filter(|entry| entry.header.kind == EntryKind::AdminAct);
    acts.map(|entry| entry.parse::<AdminAct>().unwrap().act).collect()
}

/// What both ways do alike.
async fn exceptions_and_stages(config: &Config) {
    let row = carry_out(config, exception(&[("group", "research")])).await.unwrap();
    assert_eq!((row.clause_name.as_str(), row.in_force), ("1 What may go where", true));
    assert_eq!(row.grant.approved_by, "security (head of security)");
    let listed = carry_out(config, ListExceptions {}).await.unwrap();
    assert_eq!(listed.len(), 1);
    let refused = |keys: &[(&str, &str)]| {
        let order = exception(keys);
        async move { format!("{:#}", carry_out(config, order).await.unwrap_err()) }
    };
    let beyond = refused(&[("data", "payment")]).await;
    assert!(beyond.contains("the exception reaches beyond clause `matrix` in `data`"), "{beyond}");
    let group = refused(&[("group", "reserch")]).await;
    assert!(group.contains("did you mean `research`?"), "{group}");
    let mut broken = exception(&[("group", "research")]);
    broken.0.clause = Term::fixed("payment");
    let broken = format!("{:#}", carry_out(config, broken).await.unwrap_err());
    let asserted = "with this exception `always action submit, data payment, at least block` does not hold";
    assert!(broken.contains("does not hold") && broken.contains("with this exception"), "{asserted}: {broken}");
    let mut nobody = exception(&[]);
    nobody.0.approved_by = Approver::owner("marketing");
    let nobody = format!("{:#}", carry_out(config, nobody).await.unwrap_err());
    assert!(nobody.contains("no owner `marketing` who could approve"), "{nobody}");
    let mut long = exception(&[]);
    long.0.until = SystemClock.now().after(DAY * 400);
    assert!(format!("{:#}", carry_out(config, long).await.unwrap_err()).contains("366 days are the most"));

    let moved = carry_out(config, step(Some(Step::Observe), false)).await.unwrap();
    assert_eq!((moved.before, moved.row.entry.step), (Step::Enforce, Step::Observe));
    assert_eq!(moved.row.entry.approved_by, "deputy of security (head of security)");
    let moved = carry_out(config, step(None, true)).await.unwrap();
    assert_eq!((moved.before, moved.row.entry.step), (Step::Observe, Step::Coach));
    let wrong = format!("{:#}", carry_out(config, step(Some(Step::Observe), true)).await.unwrap_err());
    assert!(wrong.contains("use `writ rollout back`"), "{wrong}");
    assert_eq!(carry_out(config, ListStages {}).await.unwrap().len(), 1, "one entry for each clause and ring");

    carry_out(config, Withdraw { id: row.grant.id }).await.unwrap();
    let again = format!("{:#}", carry_out(config, Withdraw { id: row.grant.id }).await.unwrap_err());
    assert!(again.contains("there is no exception"), "{again}");
}

const ACTS: [&str; 5] = ["exception-grant", "rollout-set", "rollout-set", "rollout-remove", "exception-withdraw"];

#[tokio::test]
async fn orders_are_carried_out_without_a_server() {
    let (_folder, config) = folder("a");
    exceptions_and_stages(&config).await;
    assert_eq!(acts(&config), ACTS, "what is refused is no act");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_are_carried_out_by_the_server_that_runs() {
    let (_folder, config) = folder("a");
    let running = Running::start(&config).await;
    let row = carry_out(&config, exception(&[("group", "pilot")])).await.unwrap();
    running.until(|snapshot| snapshot.policy.standing().exceptions.len() == 1).await;
    carry_out(&config, Withdraw { id: row.grant.id }).await.unwrap();
    exceptions_and_stages(&config).await;
    running.until(|snapshot| snapshot.policy.standing().exceptions.is_empty()).await;
    running.until(|snapshot| snapshot.policy.standing().rollout.iter().any(|it| it.step == Step::Coach)).await;
    running.end().await;
    let expected: Vec<&str> = ["exception-grant", "exception-withdraw"].into_iter().chain(ACTS).collect();
    assert_eq!(acts(&config), expected);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_and_keys_go_through_the_door() {
    let (_folder, config) = folder("a");
    let running = Running::start(&config).await;
    let add = || people::AddAccount { login: "ana".to_owned(), roles: ["admin".to_owned()].into() };
    let refused = format!("{:#}", carry_out(&config, add()).await.unwrap_err());
    assert!(refused.contains("there is no `reveal` key yet"), "{refused}");
    let home = running.server.home();
    let (public, _) = writ_store::personal::new_reveal_key(2, &*home.randomness).unwrap();
    home.keys.add_reveal(public, &home.ledger, home.clock.now(), &*home.randomness).await.unwrap();
    let made = carry_out(&config, add()).await.unwrap();
    assert!(made.password.expose().len() > 8 && !format!("{made:?}").contains(made.password.expose()));
    let rows = carry_out(&config, people::ListAccounts {}).await.unwrap();
    assert_eq!((rows.len(), rows[0].id), (1, made.id));
    let caller = access::AddCaller {
        login: "bot".to_owned(),
        who: Who::ServiceAccount,
        groups: vec!["pilot".to_owned()],
        entity: None,
        team: None,
        on_behalf_of: None,
        chat: false,
    };
    let added = carry_out(&config, caller).await.unwrap();
    let facts = carry_out(&config, access::DescribeCaller { login: "bot".to_owned() }).await.unwrap();
    assert_eq!(facts.who.known(), Some(&Who::ServiceAccount));
    let disabled =
        carry_out(&config, access::DisableCaller { key: None, login: Some("bot".to_owned()) }).await.unwrap();
    assert_eq!(disabled, [added.id]);
    running.end().await;
}

/// What the door says to these bytes.
async fn said(config: &Config, bytes: &[u8]) -> String {
    let (_, socket) = place(&DataDirectory::new(&config.data_directory));
    let mut stream = UnixStream::connect(socket).await.unwrap();
    // What is too long is not read to its end.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).await;
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_else_is_sent_is_refused_and_the_door_stays_open() {
    let (_folder, config) = folder("a");
    let running = Running::start(&config).await;
    for (bytes, expected) in [
        (&b""[..], "not whole"),
        (b"{\"version\": 1}", "not whole"),
        (b"nonsense\n", "not of the expected form"),
        (b"{\"version\":1,\"order\":\"exception-list\",\"body\":{},\"more\":1}\n", "not of the expected form"),
        (b"{\"version\":2,\"order\":\"exception-list\",\"body\":{}}\n", "version 1 of the door, the command version 2"),
        (b"{\"version\":1,\"order\":\"erase-everything\",\"body\":{}}\n", "does not know this order"),
        (b"{\"version\":1,\"order\":\"exception-withdraw\",\"body\":{\"id\":\"x\"}}\n", "not of the expected form"),
    ] {
        let answer = said(&config, bytes).await;
        assert!(answer.contains(expected), "{answer}");
    }
    let long = vec![b'x'; REQUEST.value() + 1];
    let answer = said(&config, &long).await;
    assert!(answer.is_empty() || answer.contains("longer than"), "{answer}");
    assert!(carry_out(&config, ListExceptions {}).await.unwrap().is_empty());
    assert!(acts(&config).is_empty(), "nothing that was refused is an act");
    running.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_socket_is_for_its_owner_and_goes_with_the_server() {
    // Longer than an address of a socket holds.
    let (_folder, config) = folder(&"long-name-".repeat(12));
    let (inner, socket) = place(&DataDirectory::new(&config.data_directory));
    // What a server that was killed left behind.
    std::fs::create_dir_all(&inner).unwrap();
    std::fs::write(&socket, "").unwrap();
    let running = Running::start(&config).await;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&inner), mode(&socket)), (0o700, 0o600));
    assert!(carry_out(&config, ListStages {}).await.unwrap().is_empty());
    running.end().await;
    assert!(!socket.exists());
    assert!(carry_out(&config, ListStages {}).await.unwrap().is_empty(), "and without it the command acts itself");
}

#[test]
fn names_are_unique_and_secrets_print_nothing() {
    let names: std::collections::BTreeSet<_> = NAMES.iter().collect();
    assert_eq!(names.len(), NAMES.len());
    let secret = Secret::from(Sensitive::new("hunter2".to_owned()));
    let order = access::SetCredential { service: "s".to_owned(), name: "n".to_owned(), secret };
    assert!(!format!("{order:?}").contains("hunter2"));
    let wire: BTreeMap<String, String> = serde_json::from_value(serde_json::to_value(&order).unwrap()).unwrap();
    assert_eq!(wire.get("secret").map(String::as_str), Some("hunter2"));
}
