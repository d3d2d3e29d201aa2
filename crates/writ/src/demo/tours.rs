//! Three walks over live pages, each of at most eight stops: for the security engineer, for counsel and works council,
//! for everyone.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use writ_base::Sensitive;
use writ_console::{Tour, TourAct, TourFuture, TourOutcome, TourStop, TourVisitor, Tours};
use writ_identity::Role;

use super::Options;
use super::company::{People, YOU};
use super::stage::Stage;
use crate::serve::Server;

/// How long the printed links sign in.
const LINK: Duration = Duration::from_secs(12 * 3600);

/// The tours: id, account, first page, for whom.
const WALKS: [(&str, &str, &str, &str); 3] = [
    ("security", "security", "overview", "the security engineer"),
    ("counsel", "counsel", "policy", "counsel and works council"),
    ("everyone", YOU, "me", "everyone"),
];

/// A printed link.
pub(crate) struct Link {
    /// For whom.
    pub(crate) whom: &'static str,
    /// The address; it signs in once.
    pub(crate) address: String,
}

/// Links that sign in once and begin a tour.
///
/// # Errors
/// If an account is missing, or ledger or database refuse.
pub(crate) async fn links(server: &Server) -> anyhow::Result<Vec<Link>> {
    let console = server.console.context("the demo serves a console")?;
    let accounts = server.home().accounts();
    let mut links = Vec::new();
    for (id, login, page, whom) in WALKS {
        let found = server.home().state.account_by_login(&Sensitive::new(login.to_owned())).await?;
        let (account, _) = found.with_context(|| format!("the demo's account `{login}` is gone; remove its folder"))?;
        let ticket = accounts.make_ticket(account.id, LINK, Role::Admin).await?;
        let address = format!("http://{console}/enter/{}?next=%2F{page}%3Ftour%3D{id}%26stop%3D1", ticket.expose());
        links.push(Link { whom, address });
    }
    Ok(links)
}

/// The tours of this demo.
pub(crate) fn tours(options: &Options, stage: &Arc<Stage>, people: &Arc<People>) -> Arc<dyn Tours> {
    let chat = format!("http://127.0.0.1:{}/chat", options.port.saturating_add(11));
    Arc::new(Walks {
        all: vec![security(), counsel(people), everyone(&chat)],
        stage: Arc::clone(stage),
        people: Arc::clone(people),
    })
}

struct Walks {
    all: Vec<Tour>,
    stage: Arc<Stage>,
    people: Arc<People>,
}

impl Tours for Walks {
    fn tours(&self) -> Vec<Tour> {
        self.all.clone()
    }

    fn act<'a>(&'a self, _tour: &'a str, name: &'a str, _visitor: TourVisitor) -> TourFuture<'a> {
        Box::pin(async move {
            let said = self.play(name).await.unwrap_or_else(|error| format!("That did not work: {error:#}"));
            TourOutcome { said, link: None }
        })
    }
}

impl Walks {
    async fn play(&self, name: &str) -> anyhow::Result<String> {
        let key = |login: &str| self.people.key_of(login).unwrap_or_default().to_owned();
        let (you, agent) = (key(YOU), key("coding-agent"));
        match name {
            "agent-run" => self.stage.agent_run(&agent).await,
            "kill-detector" => self.stage.detector(true, &you).await,
            "revive-detector" => self.stage.detector(false, &you).await,
            "pull-upstream" => self.stage.upstream(true, &you).await,
            "restore-upstream" => self.stage.upstream(false, &you).await,
            "spoil-policy" => self.stage.spoil_policy().await,
            "mend-policy" => self.stage.mend_policy(),
            "edit-stricter" => self.stage.edit_table(true).await,
            "edit-back" => self.stage.edit_table(false).await,
            "verify" => self.stage.verify().await,
            "certificates" => self.stage.certificates().await,
            "second-holder" => self.stage.second_holder(&self.people.share_of("council")).await,
            "break-promise" => self.stage.try_to_name().await,
            _ => anyhow::bail!("there is no such button"),
        }
    }
}

fn stop(title: &str, text: &str, link: &str, acts: &[(&str, &str)]) -> TourStop {
    let act =
        |(name, label): &(&str, &str)| TourAct { name: (*name).to_owned(), label: (*label).to_owned(), needs: None };
    TourStop {
        title: title.to_owned(),
        text: text.to_owned(),
        link: link.to_owned(),
        acts: acts.iter().map(act).collect(),
    }
}

fn security() -> Tour {
    Tour {
        id: "security".into(),
        title: "In the path".into(),
        for_whom: "the security engineer".into(),
        stops: vec![
            stop(
                "What happens right now",
                "An invented company is at work. Each request to an AI service was judged before it left. Look at the \
                 share that was *not* inspected: it is never hidden.",
                "/overview",
                &[],
            ),
            stop(
                "An agent reads a file with keys in it",
                "Let a coding agent run: it reads code, then an `.env` with the keys of a whole system, then goes on. The \
                 turn with the keys is stopped with one error that an agent understands; the next turn passes, because \
                 the stopped one is taken out of its history.",
                "/live",
                &[("agent-run", "Let the agent run")],
            ),
            stop(
                "Break it: the detector",
                "Kill the detector. What cannot be read is not sent; each attempt has a record. Then bring it back.",
                "/live",
                &[("kill-detector", "Kill the detector"), ("revive-detector", "Bring it back")],
            ),
            stop(
                "Break it: the AI services",
                "Pull the upstream. Nobody waits: the client gets an error that it may retry, and the record says that \
                 the verdict was to allow.",
                "/live",
                &[("pull-upstream", "Pull the services"), ("restore-upstream", "Bring them back")],
            ),
            stop(
                "Break it: the policy file",
                "Damage one word of the policy. A policy that does not run never replaces one that does: the page System says so, \
                 loudly, and the last good one goes on.",
                "/system",
                &[("spoil-policy", "Spoil the file"), ("mend-policy", "Mend it")],
            ),
            stop(
                "Edit a clause",
                "The table that staff sign is the rule that runs. Change one word of clause 4.2 and look at the text \
                 here: it, its hash and what is enforced change together.",
                "/policy",
                &[("edit-stricter", "Make a cell stricter"), ("edit-back", "Change it back")],
            ),
            stop(
                "A ring of 20, and back",
                "A clause need not bite everybody at once. Begin with a ring, watch what it would have done to the \
                 others, advance, or take it back in one click. What is signed does not change.",
                "/rollout",
                &[],
            ),
            stop(
                "Verify the ledger",
                "Entries form a chain; checkpoints are signed. Whoever kept an earlier checkpoint notices every change. \
                 No key is needed for that.",
                "/system",
                &[("verify", "Verify it now")],
            ),
        ],
    }
}

fn counsel(people: &People) -> Tour {
    let lift = format!(
        "Ask with a purpose, then agree with your own share: `{}`. The other holder sits in the works council: press the \
         button to let him agree too. The name is shown once, and the person sees that it was.",
        people.share_of("counsel")
    );
    Tour {
        id: "counsel".into(),
        title: "What it cannot do".into(),
        for_whom: "counsel and works council".into(),
        stops: vec![
            stop(
                "One document",
                "What people sign is what runs. The hashes at the head name the text, the compiled rules, and the \
                 detection packs with the list of services. The same hashes stand in each record.",
                "/policy",
                &[],
            ),
            stop(
                "A record, as a reviewer sees it",
                "Open one. There is a code instead of a name, kinds of data instead of content. What was typed is not \
                 kept anywhere.",
                "/live",
                &[],
            ),
            stop(
                "Try to name this person",
                "Press the button: it tries what an administrator with all files could try. Each attempt fails.",
                "/live",
                &[("break-promise", "Try to name somebody")],
            ),
            stop(
                "Lift a pseudonym with two holders",
                &lift,
                "/reveal",
                &[("second-holder", "The second holder agrees")],
            ),
            stop(
                "What is not opened",
                "A bank, web mail and a union site arrive with their own certificates, because their connections are \
                 not opened. An AI service arrives with one of this organisation's.",
                "/tools",
                &[("certificates", "Connect to all four")],
            ),
            stop(
                "The list of what could be opened",
                "The certificate authority can answer for the listed names only; browsers and programs check that by \
                 themselves. [The file that browsers load](/proxy.pac) to find the proxy has the same list: other names \
                 go directly, and Writ does not see them.",
                "/tools",
                &[],
            ),
            stop(
                "Requests and objections",
                "Somebody who was stopped can object or ask for an exception. Each case has an owner, a deputy and a \
                 time by which it is answered.",
                "/inbox",
                &[],
            ),
        ],
    }
}

/// What a visitor sends, percent-encoded: it fills the chat's box.
const MAIL: &str =
    "Please%20polish%3A%20Thanks%20for%20covering%20my%20shift%20on%20Friday%2C%20it%20helped%20a%20lot.";
const NOTE: &str =
    "Summarise%3A%20Mr%20John%20Smith%2C%20MRN%204451299%2C%20admitted%203%20May%20with%20type%202%20diabetes.";

fn everyone(chat: &str) -> Tour {
    let mail = format!(
        "You are a nurse. [Open ChatGPT]({chat}/chatgpt#text={MAIL}) and send the friendly e-mail that stands there. The \
         first time, your organisation says that it looks, and at what. After that, nothing happens: most things are \
         fine."
    );
    let note = format!(
        "Now something that must not go there. [Open ChatGPT with a patient note]({chat}/chatgpt#text={NOTE}) and send \
         it. The answer comes from your organisation, not from the AI, and says what you can do."
    );
    let mistake = format!(
        "[Send the note once more]({chat}/chatgpt#text={NOTE}) and choose *This was a mistake*. A person answers, by a \
         time that you are told. You decide whether a reviewer may see the marked words."
    );
    let without = "In that answer choose *Send it without those details*, go back to the chat and press *Send again*. \
                   What ChatGPT gets has placeholders (it is the last line of `arrived.jsonl` in the demo's folder); \
                   what you read has the names back.";
    let go_on = "Care Copilot is cleared for health information. The answer offers to go on there, and your text comes \
                 along.";
    let record = "All that is stored about you, and who looked at it. It says the kind of data and the clause, and not \
                  what you wrote.";
    Tour {
        id: "everyone".into(),
        title: "A working day".into(),
        for_whom: "everyone".into(),
        stops: vec![
            stop("An e-mail to polish", &mail, "/me", &[]),
            stop("A patient note", &note, "/me", &[]),
            stop("Without details", without, "/me", &[]),
            stop("Continue where it is allowed", go_on, "/me", &[]),
            stop("This was a mistake", &mistake, "/me", &[]),
            stop("My record", record, "/me", &[]),
        ],
    }
}
