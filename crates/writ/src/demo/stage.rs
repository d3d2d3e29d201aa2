//! What visitors can break and try, behind the buttons of the tours. Each does to the running Writ what life does:
//! a detector that fails, a service that is gone, a policy file that is damaged.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use parking_lot::Mutex;
use serde_json::json;
use writ_base::Sensitive;
use writ_engine::BeforeScan;
use writ_identity::Role;
use writ_sim::services::{Pulled, UpstreamSwitch};
use writ_store::ledger::{Trust, verify};
use writ_store::personal::Share;
use writ_store::state::{Login, RevealState};
use writ_store::storage::FileStorage;

use super::BANK;
use super::company::YOU;
use super::files::Files;
use super::traffic::{Answered, Traffic};
use crate::serve::{Running, Server};
use crate::wiring::Home;

/// The stage on which tours play.
pub(crate) struct Stage {
    policy: PathBuf,
    spoiled: Mutex<Option<String>>,
    detector_dead: Arc<AtomicBool>,
    switch: UpstreamSwitch,
    open: Mutex<Option<Open>>,
}

/// What there is once the server runs.
#[derive(Clone)]
struct Open {
    home: Arc<Home>,
    running: Arc<Running>,
    traffic: Arc<Traffic>,
}

/// How often, and how many times, the stage looks whether Writ took note of a file.
const LOOK: Duration = Duration::from_millis(50);
const LOOKS: usize = 60;

/// Waits until Writ took note of what was done, so that the page that is shown next says so; not for ever.
async fn taken_note_of(noted: impl Fn() -> bool) {
    for _ in 0..LOOKS {
        if noted() {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

impl Stage {
    /// Before the server is there.
    pub(crate) fn new(files: &Files, switch: UpstreamSwitch) -> Self {
        Self {
            policy: files.policy.clone(),
            spoiled: Mutex::default(),
            detector_dead: Arc::default(),
            switch,
            open: Mutex::default(),
        }
    }

    /// What the engine calls before each scan: a dead detector takes its thread's work with it.
    pub(crate) fn before_scan(&self) -> BeforeScan {
        let dead = Arc::clone(&self.detector_dead);
        Arc::new(move |_text| {
            if dead.load(Ordering::Relaxed) {
                std::panic::resume_unwind(Box::new("a visitor of the demo killed the detector"));
            }
        })
    }

    /// The server runs.
    pub(crate) fn set(&self, server: &Server, traffic: Arc<Traffic>) {
        let (home, running) = (Arc::clone(server.home()), Arc::clone(server.running()));
        *self.open.lock() = Some(Open { home, running, traffic });
    }

    /// The server ends; a policy that a visitor spoiled is mended.
    pub(crate) fn clear(&self) {
        *self.open.lock() = None;
        if let Err(error) = self.mend_policy() {
            tracing::warn!("the policy that a visitor spoiled could not be mended: {error:#}");
        }
    }

    fn open(&self) -> anyhow::Result<Open> {
        self.open.lock().clone().context("the demo is not running yet; try again in a moment")
    }

    /// An agent's long tool run with a key in the middle: the turn is stopped, and the run goes on without it.
    pub(crate) async fn agent_run(&self, key: &str) -> anyhow::Result<String> {
        let traffic = self.open()?.traffic;
        let mut said = Vec::new();
        for (step, messages) in
            [("reads the code", agent_turn(0)), ("reads .env", agent_turn(1)), ("goes on", agent_turn(2))]
        {
            let headers = [("authorization", format!("Bearer {key}")), ("content-type", "application/json".to_owned())];
            let body = json!({ "model": "gpt-4o", "messages": messages }).to_string();
            let answer = traffic.ask_gateway("/openai/v1/chat/completions", &headers, body).await?;
            said.push(format!("{step}: {}", outcome(&answer)));
        }
        Ok(said.join("\n"))
    }

    /// Sends one harmless prompt as the visitor.
    pub(crate) async fn harmless(&self, key: &str) -> anyhow::Result<String> {
        let traffic = self.open()?.traffic;
        let headers = [("authorization", format!("Bearer {key}")), ("content-type", "application/json".to_owned())];
        let prompt = "Draft a friendly note to thank a colleague for covering my shift.";
        let body = json!({ "model": "gpt-4o", "messages": [{ "role": "user", "content": prompt }] }).to_string();
        Ok(outcome(&traffic.ask_gateway("/openai/v1/chat/completions", &headers, body).await?))
    }

    /// Kills the detector, or brings it back.
    pub(crate) async fn detector(&self, dead: bool, key: &str) -> anyhow::Result<String> {
        self.detector_dead.store(dead, Ordering::Relaxed);
        let now = if dead { "The detector panics now." } else { "The detector is back." };
        Ok(format!("{now} A harmless prompt: {}", self.harmless(key).await?))
    }

    /// Pulls the AI services, or brings them back.
    pub(crate) async fn upstream(&self, gone: bool, key: &str) -> anyhow::Result<String> {
        if gone {
            self.switch.pull(Pulled::Refused).await;
        } else {
            self.switch.restore().await?;
        }
        let now = if gone { "The AI services are gone." } else { "The AI services are back." };
        Ok(format!("{now} A harmless prompt: {}", self.harmless(key).await?))
    }

    /// Damages the policy file as a slip of the keyboard would.
    pub(crate) async fn spoil_policy(&self) -> anyhow::Result<String> {
        let text = tokio::fs::read_to_string(&self.policy).await?;
        let spoiled = text.replacen("then:     block", "then:     blokc", 1);
        if spoiled == text {
            bail!("the policy has no rule that this demo knows how to spoil");
        }
        self.spoiled.lock().get_or_insert(text);
        tokio::fs::write(&self.policy, spoiled).await?;
        let running = self.open()?.running;
        taken_note_of(|| running.refused().is_some()).await;
        Ok("One word of the policy file is wrong now. Look at the first lines of this page: the change is not taken \
            over, and the last good policy goes on."
            .to_owned())
    }

    /// Puts the policy back as it was before it was spoiled.
    pub(crate) fn mend_policy(&self) -> anyhow::Result<String> {
        let Some(text) = self.spoiled.lock().take() else { return Ok("The policy was not spoiled.".to_owned()) };
        std::fs::write(&self.policy, text).with_context(|| format!("cannot write `{}`", self.policy.display()))?;
        Ok("The policy file is as it was.".to_owned())
    }

    /// Changes one word in the table of clause 4.2: payment data is stopped instead of redacted, or back.
    pub(crate) async fn edit_table(&self, stricter: bool) -> anyhow::Result<String> {
        let (from, to) = if stricter { ("| redact ", "| block  ") } else { ("| block  ", "| redact ") };
        let text = tokio::fs::read_to_string(&self.policy).await?;
        let mut done = false;
        let lines: Vec<String> = text
            .lines()
            .map(|line| {
                if !done && line.starts_with("| pii, payment") && line.contains(from) {
                    done = true;
                    line.replacen(from, to, 1)
                } else {
                    line.to_owned()
                }
            })
            .collect();
        if !done {
            bail!("the row `pii, payment` says that already");
        }
        let running = self.open()?.running;
        let before = running.policy();
        tokio::fs::write(&self.policy, format!("{}\n", lines.join("\n"))).await?;
        taken_note_of(|| !Arc::ptr_eq(&before, &running.policy())).await;
        let (word, becomes) = if stricter { ("block", "are stopped") } else { ("redact", "go without details") };
        Ok(format!(
            "In clause 4.2, personal and payment data {becomes} at approved tools now: the file says “{word}” in the row \
             “pii, payment”. The printed table is the rule."
        ))
    }

    /// Verifies the ledger as a stranger would: from its files, without a key.
    pub(crate) async fn verify(&self) -> anyhow::Result<String> {
        let folder = self.open()?.home.directory.ledger();
        let storage = FileStorage::new(&folder)?;
        let verified = tokio::task::spawn_blocking(move || verify(Arc::new(storage), &Trust::default())).await??;
        Ok(format!(
            "Whole: {} entries, {} signed checkpoint(s), root {}. Keep a checkpoint, and nobody can shorten or rewrite this \
             ledger unnoticed.",
            verified.entries, verified.checkpoints, verified.root
        ))
    }

    /// Connects to an AI service and to a bank through the proxy, and says who signed what arrived.
    pub(crate) async fn certificates(&self) -> anyhow::Result<String> {
        let traffic = self.open()?.traffic;
        let mut said = Vec::new();
        for (what, host) in [
            ("an AI service", "chatgpt.com"),
            ("a bank", BANK),
            ("web mail", super::MAIL),
            ("a union site", super::UNION),
        ] {
            said.push(format!("{what} ({host}): signed by {}", traffic.issuer(host, YOU).await?));
        }
        Ok(said.join("\n"))
    }

    /// The second holder agrees, with her own account and share, to what was asked last.
    pub(crate) async fn second_holder(&self, share: &str) -> anyhow::Result<String> {
        let home = self.open()?.home;
        let found = home.state.account_by_login(&Sensitive::new("council".to_owned())).await?;
        let (council, _) = found.context("the account of the works council is gone")?;
        let asked = home.state.reveals().await?;
        let waiting = asked.iter().find(|reveal| reveal.state(home.clock.now()) == RevealState::Asked);
        let Some(waiting) = waiting else {
            return Ok("Nobody has asked yet: ask for a pseudonym first, with a purpose.".to_owned());
        };
        let share = share.parse::<Share>()?;
        home.state.approve_reveal(waiting.id, council.id, &share, Role::PrivacyOfficer.as_str(), &home.ledger).await?;
        Ok(format!(
            "The works council agreed to lift {}. With your own share it can be opened, once.",
            waiting.pseudonym
        ))
    }

    /// What somebody with all files could try to name a person, and what each attempt comes to.
    pub(crate) async fn try_to_name(&self) -> anyhow::Result<String> {
        let home = self.open()?.home;
        let mut said = Vec::new();
        let folder = home.directory.ledger();
        let files = std::fs::read_dir(&folder)?.filter_map(|entry| std::fs::read(entry.ok()?.path()).ok());
        let state = std::fs::read(home.directory.state())?;
        let names = ["Jonas Weber", "Security engineer", "works.council", "nurse"];
        let everything: Vec<Vec<u8>> = files.chain([state]).collect();
        let found = names.iter().filter(|name| everything.iter().any(|bytes| contains(bytes, name.as_bytes()))).count();
        said.push(format!("searching ledger and database for known names: {found} found"));
        let (_, public) = home.keys.reveal_public().context("the demo has a reveal key")?;
        said.push(format!(
            "opening an identity with the server's half of the key ({}): it only seals, it does not open",
            public.short()
        ));
        let you = Login { source: "login".to_owned(), name: Sensitive::new("you".to_owned()) };
        let principal = home.state.find_login(&you).await?.context("the visitor is known")?;
        let (sealed, _) = home.state.sealed_identity(principal).await?;
        let random = writ_base::keys::SecretKey::generate(&*home.randomness);
        let guessed = Share::split(&random, 2, 2, &*home.randomness)?;
        let opened = writ_store::personal::open_identity(&sealed, &principal.to_string(), &guessed);
        let word = if opened.is_ok() { "it opened" } else { "refused" };
        said.push(format!("opening it with two shares that do not fit: {word}"));
        said.push(
            "asking the console for a name: no page and no API has a field for one before two holders agreed"
                .to_owned(),
        );
        Ok(said.join("\n"))
    }
}

fn contains(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window == word)
}

/// A file with the keys of a whole system, made up.
const KEYS: &str = "DB_HOST=db.internal
AWS_ACCESS_KEY_ID=AKIAV3HN6TYS7QPD2LCE
REPORTS_ACCESS_KEY_ID=AKIAX5RB2KFM4WGU6ZJA
BACKUP_ACCESS_KEY_ID=AKIAT6LP3CZQ5NVH7YDB
IMAGING_ACCESS_KEY_ID=AKIAW2GM7XDR6KSE4TUC
ARCHIVE_ACCESS_KEY_ID=AKIAS4YJ5QHB3ZPT2MVF
BILLING_ACCESS_KEY_ID=AKIAU7FC6NLX2RDW5KGH
LAB_ACCESS_KEY_ID=AKIAR3VT4BSM7YEQ6PJL
MAIL_ACCESS_KEY_ID=AKIAQ6ZD2WKG5HXN3FCT
PORTAL_ACCESS_KEY_ID=AKIAP5MU7RYL4JTB2SVE
SCHEDULE_ACCESS_KEY_ID=AKIAZ7QK4MWR2XLB5NTD
";

/// The conversation of an agent up to its turn `last`: it reads code, then a file with a key, then goes on.
fn agent_turn(last: usize) -> serde_json::Value {
    let mut messages = vec![
        json!({ "role": "system", "content": "You are a coding agent. Use the tools, one step at a time." }),
        json!({ "role": "user", "content": "Find out why the nightly import fails, and propose a fix." }),
    ];
    let calls = [
        (
            "read_file",
            "src/import.py",
            "def run():\n    rows = load(\"rates.csv\")\n    for row in rows:\n        save(row)\n",
        ),
        ("read_file", ".env", KEYS),
        ("run_tests", "tests/", "2 passed, 1 failed: test_empty_file: IndexError: list index out of range\n"),
    ];
    for (number, (tool, argument, result)) in calls.iter().enumerate().take(last + 1) {
        let id = format!("call_{number}");
        messages.push(json!({ "role": "assistant", "content": null, "tool_calls": [{
            "id": id, "type": "function",
            "function": { "name": tool, "arguments": json!({ "path": argument }).to_string() } }] }));
        messages.push(json!({ "role": "tool", "tool_call_id": id, "content": result }));
    }
    json!(messages)
}

/// An answer in one line.
fn outcome(answer: &Answered) -> String {
    let reference = answer.headers.get("writ-reference").and_then(|value| value.to_str().ok());
    match (answer.status, reference) {
        (200, None) => "answered".to_owned(),
        (200, Some(code)) => format!("stopped with a message, code {code}"),
        (status, Some(code)) => format!("stopped ({status}), code {code}: {}", message(answer)),
        (status, None) => format!("no answer ({status}): {}", message(answer)),
    }
}

/// The message of an error, at most a line.
fn message(answer: &Answered) -> String {
    let body: Option<serde_json::Value> = serde_json::from_str(&answer.body).ok();
    let text = body.as_ref().and_then(|body| body.pointer("/error/message")?.as_str()).unwrap_or(&answer.body);
    text.chars().take(220).collect()
}
