//! Opens a temporary home with a week of records and serves the console, to look at its pages:
//! `cargo run -p writ-console --example preview -- 8080`. Prints one sign-in link for each role, and a stop's page.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a tool for whoever works on the pages"
)]

#[path = "../tests/it/world.rs"]
#[expect(dead_code, reason = "tests use more of it")]
mod world;

use std::sync::Arc;
use std::time::Duration;

use world::{Person, Shifted, World};
use writ_base::{Clock as _, Sensitive};
use writ_identity::Role;
use writ_model::standing::{Ring, RolloutEntry, RolloutId};
use writ_model::values::Step;
use writ_model::{Account, Channel, Who};
use writ_store::state::{AskReveal, CaseKind, NewCase};

const DAYS: u32 = 7;
const PROMPTS: &[(&str, &str, Account, Channel, &str)] = &[
    (
        "chatgpt",
        "enterprise",
        Account::Corporate,
        Channel::Browser,
        "Please polish this e-mail about the team lunch on Friday.",
    ),
    ("chatgpt", "enterprise", Account::Corporate, Channel::Browser, "What does a good meeting agenda look like?"),
    (
        "chatgpt",
        "enterprise",
        Account::Corporate,
        Channel::Browser,
        "Translate to German: the delivery arrives on Tuesday.",
    ),
    (
        "chatgpt",
        "enterprise",
        Account::Corporate,
        Channel::Browser,
        "Summarise: John Smith, MRN 4451299, admitted 3 May with type 2 diabetes.",
    ),
    ("chatgpt", "free", Account::Personal, Channel::Browser, "Give me five ideas for a birthday present."),
    ("claude", "unknown", Account::Unknown, Channel::Browser, "Explain the difference between TCP and UDP."),
    (
        "care-copilot",
        "unknown",
        Account::Corporate,
        Channel::Browser,
        "Patient Jane Doe, MRN 8812345, has asthma. Write a discharge note.",
    ),
    (
        "openai-api",
        "standard",
        Account::Corporate,
        Channel::Cli,
        "Why does this fail? export AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY and AKIAIOSFODNN7EXAMPLE",
    ),
    (
        "openai-api",
        "standard",
        Account::Corporate,
        Channel::Ide,
        "fn main() { println!(\"hello\"); } // add error handling",
    ),
    ("gemini-api", "paid", Account::Corporate, Channel::Api, "List the capitals of Europe."),
    (
        "chatgpt",
        "enterprise",
        Account::Corporate,
        Channel::Browser,
        "Charge card 4111 1111 1111 1111, expiry 04/28, for the booking of Mrs Miller.",
    ),
    ("deepseek", "unknown", Account::Unknown, Channel::Browser, "Write a haiku about rain."),
];

#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(8080);
    let clock = Arc::new(Shifted::behind(Duration::from_secs(u64::from(DAYS) * 86_400)));
    let world = World::new(clock.clone(), port).await;
    let mut people = Vec::new();
    for number in 0..14 {
        let who = if number % 7 == 6 { Who::Contractor } else { Who::Employee };
        people.push(world.person(&format!("person-{number}"), who).await);
    }
    let entry = RolloutEntry {
        id: RolloutId::new(clock.now(), &*world.parts.randomness),
        clause: "health".into(),
        ring: Ring::Share(2000),
        step: Step::Enforce,
        from: clock.now(),
        until: clock.now().after(Duration::from_secs(60 * 86_400)),
        approved_by: "policy-owner".into(),
    };
    let observe = RolloutEntry {
        id: RolloutId::new(clock.now(), &*world.parts.randomness),
        ring: Ring::Everyone,
        step: Step::Coach,
        ..entry.clone()
    };
    let mut stopped = None;
    let rounds = DAYS * 24;
    for round in 0..rounds {
        let busy = if (8..18).contains(&(round % 24)) { 6 } else { 1 };
        for turn in 0..busy {
            let at = (round * 7 + turn * 5) as usize;
            let person: &Person = &people[(at * 3 + turn as usize) % people.len()];
            let (service, tier, account, channel, text) = PROMPTS[at % PROMPTS.len()];
            let asked = world.ask(person, (service, tier, account), channel, &format!("{text} ({at})")).await;
            if asked.reference.is_some() && service == "chatgpt" && person.who == Who::Employee && text.contains("MRN")
            {
                stopped = asked.reference.map(|reference| (reference, person.clone(), asked.interaction));
            }
        }
        let left = clock.behind_now();
        clock.advance(left / (rounds - round));
    }
    world.state.set_rollout(&entry, "policy-owner", &world.ledger).await.unwrap();
    world.state.set_rollout(&observe, "policy-owner", &world.ledger).await.unwrap();
    world.reload().await;
    let (reference, person, interaction) = stopped.unwrap();
    cases(&world, &reference, &person, &interaction).await;
    world.catch_up().await;
    for role in Role::ALL {
        let owner =
            if *role == Role::Employee { person.clone() } else { world.person(role.as_str(), Who::Employee).await };
        let id = world.account(&owner, &[*role]).await;
        for _ in 0..40 {
            let ticket = world.accounts.make_ticket(id, Duration::from_secs(86_400), Role::Admin).await.unwrap();
            println!("{role} http://{}/enter/{}", world.host, ticket.expose());
        }
    }
    println!("stop http://{}/r/{reference}?k={}", world.host, world.engine.page_token(&reference));
    println!("interaction {interaction}");
    println!("login with a role's name and the password `{}`", world::PASSWORD);
    loop {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let at = usize::try_from(clock.now().seconds()).unwrap_or(0);
        let (service, tier, account, channel, text) = PROMPTS[at % PROMPTS.len()];
        world.ask(&people[at % people.len()], (service, tier, account), channel, &format!("{text} ({at})")).await;
        world.catch_up().await;
    }
}

async fn cases(world: &World, reference: &str, person: &Person, interaction: &str) {
    let new = |kind, hours: u64, message: &str| NewCase {
        kind,
        reference: Some(reference.to_owned()),
        interaction: interaction.parse().ok(),
        clause: Some("health".into()),
        service: "chatgpt".into(),
        principal: Some(person.principal),
        due: world.clock.now().after(Duration::from_secs(hours * 3600)),
        owner: "policy-owner".into(),
        deputy: "deputy policy owner".into(),
        message: Some(Sensitive::new(message.to_owned())),
        may_see_marks: true,
    };
    let objection = NewCase {
        owner: "privacy-officer".into(),
        deputy: "deputy privacy officer".into(),
        ..new(CaseKind::Objection, 20, "These were invented names for a training course.")
    };
    let done = world.state.open_case(&objection, &world.ledger).await.unwrap();
    let answer = Sensitive::new(
        "You are right, the names were invented. We have told the people who keep the detectors.".to_owned(),
    );
    world.state.answer_case(done, true, &answer, "privacy-officer", &world.ledger).await.unwrap();
    for case in [
        objection,
        new(CaseKind::ExceptionRequest, 4, "The ward needs summaries for the handover tonight."),
        new(CaseKind::VettingRequest, 200, "For slides."),
    ] {
        world.state.open_case(&case, &world.ledger).await.unwrap();
    }
    let asker = world.person("asker", Who::Employee).await;
    let account = world.account(&asker, &[Role::PrivacyOfficer]).await;
    let pseudonym = world.state.pseudonym(person.principal).unwrap();
    let purpose = Sensitive::new("A patient asked who saw their data; we need to ask this colleague.".to_owned());
    let ask =
        AskReveal { pseudonym: &pseudonym, purpose: &purpose, asked_by: account, valid: Duration::from_secs(86_400) };
    let id = world.state.ask_reveal(&ask, "privacy-officer", &world.ledger).await.unwrap();
    world.state.approve_reveal(id, account, &world.shares[0], "privacy-officer", &world.ledger).await.unwrap();
}
