//! The company as its administrator sets it up: people with attributes and passwords, API keys, accounts of the
//! console, the certificate authority, the holders of the key that lifts pseudonyms.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use writ_base::Sensitive;
use writ_base::keys::KeyPurpose;
use writ_ca::{Extension, Folder, Root, RootName, listed};
use writ_identity::{Hashing, Passwords, Role as Duty};
use writ_model::{Currency, Term, Value as _, Who};
use writ_proxy::callers::labels_for;
use writ_sim::company::{Company, Member, Role};
use writ_sim::services::ProviderKeys;
use writ_store::personal::new_reveal_key;
use writ_store::state::{ApiKeyKind, Attributes, LOCAL_SOURCE, Login, NewApiKey, ProviderCredential};

use super::PROVIDERS;
use super::files::Files;
use crate::config::Config;
use crate::policy_file;
use crate::wiring::Home;

/// The login of whoever watches the demo.
pub(crate) const YOU: &str = "you";
/// Groups whose members hold a protected office.
pub(crate) const PROTECTED: &[&str] = &["works-council", "data-protection"];

/// Somebody whom a visitor can be, or who has an account of the console.
pub(crate) struct Cast {
    pub(crate) login: &'static str,
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    group: &'static str,
    duties: &'static [Duty],
    /// Whether a visitor can be this person on the chat page.
    pub(crate) chats: bool,
}

/// The people of the tours, beside the seeded company.
pub(crate) const CAST: &[Cast] = &[
    Cast { login: YOU, name: "You", title: "nurse on ward 3", group: "Clinic", duties: &[Duty::Employee], chats: true },
    Cast {
        login: "council",
        name: "Jonas Weber",
        title: "works council, a protected office",
        group: "works-council",
        duties: &[Duty::Employee, Duty::PrivacyOfficer],
        chats: true,
    },
    Cast {
        login: "security",
        name: "Security engineer",
        title: "runs Writ",
        group: "Security",
        duties: &[Duty::Admin, Duty::Analyst, Duty::PolicyOwner, Duty::HelpDesk],
        chats: false,
    },
    Cast {
        login: "counsel",
        name: "Counsel",
        title: "data protection officer",
        group: "data-protection",
        duties: &[Duty::PrivacyOfficer, Duty::PolicyOwner],
        chats: false,
    },
];

/// Secrets that only the demo keeps, for its next start: Writ itself holds digests of them.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct People {
    /// API keys by login.
    keys: BTreeMap<String, String>,
    /// Proxy passwords by login.
    passwords: BTreeMap<String, String>,
    /// Shares of the reveal key, by holder.
    shares: BTreeMap<String, String>,
}

impl People {
    /// The API key of a login.
    pub(crate) fn key_of(&self, login: &str) -> Option<&str> {
        self.keys.get(login).map(String::as_str)
    }

    /// The proxy password of a login; empty if it has none.
    pub(crate) fn password_of(&self, login: &str) -> String {
        self.passwords.get(login).cloned().unwrap_or_default()
    }

    /// The share of a holder: `counsel`, `council` or `board`.
    pub(crate) fn share_of(&self, holder: &str) -> String {
        self.shares.get(holder).cloned().unwrap_or_default()
    }
}

/// Sets everything up at the first start; later starts go on with what is there.
///
/// # Errors
/// If the data directory or a file refuses.
pub(crate) async fn set_up(config: &Config, files: &Files, company: &Company) -> anyhow::Result<People> {
    let home = Home::open(config).await?;
    let people = set_up_in(&home, config, files, company).await;
    home.close().await?;
    people
}

async fn set_up_in(home: &Home, config: &Config, files: &Files, company: &Company) -> anyhow::Result<People> {
    if let Ok(text) = std::fs::read_to_string(&files.secrets) {
        return serde_json::from_str(&text)
            .with_context(|| format!("`{}` is damaged; remove the demo's folder", files.secrets.display()));
    }
    provider_credentials(home).await?;
    authority(home, config, files, company)?;
    let mut people = People::default();
    hold_reveal_key(home, files, &mut people).await?;
    let passwords = Passwords::new(Hashing::default(), &*home.randomness);
    for member in &company.members {
        let who = Who::named(member.role.word()).unwrap_or(Who::Unknown);
        let groups: Vec<String> = member.groups().into_iter().map(str::to_owned).collect();
        let person = Person { login: &member.login, name: &member.name, who, groups: &groups };
        person.make(home, &passwords, &member.password, &mut people).await?;
        api_key(home, &person, agent_of(member), &mut people).await?;
    }
    for cast in CAST {
        let groups = [cast.group.to_owned()];
        let person = Person { login: cast.login, name: cast.name, who: Who::Employee, groups: &groups };
        let password = writ_identity::passwords::first_password(&*home.randomness);
        person.make(home, &passwords, password.expose(), &mut people).await?;
        api_key(home, &person, None, &mut people).await?;
        account(home, cast, &password).await?;
    }
    files.write(&files.secrets, &serde_json::to_string_pretty(&people)?)?;
    Ok(people)
}

/// Credentials of the company at the simulated model APIs.
async fn provider_credentials(home: &Home) -> anyhow::Result<()> {
    let ProviderKeys { openai, anthropic, gemini } = ProviderKeys::default();
    let secrets = [openai.clone(), anthropic, gemini, openai];
    for ((name, service, ..), secret) in PROVIDERS.iter().zip(secrets) {
        let credential = ProviderCredential { service: (*service).into(), name: (*name).into(), secret: secret.into() };
        home.state.set_provider_credential(&credential, "admin", &home.ledger).await?;
    }
    Ok(())
}

/// A root for this demo and its intermediates. The root's key is not kept: nothing more can be signed with it.
fn authority(home: &Home, config: &Config, files: &Files, company: &Company) -> anyhow::Result<()> {
    let catalog = policy_file::catalog(&config.services)?;
    let name = RootName {
        organisation: company.name.to_owned(),
        common_name: format!("{} AI services root (demo)", company.name),
    };
    let now = home.clock.now();
    let root = Root::create(&name, 1, now, &*home.randomness)?;
    let (_, key) = home.keys.current(KeyPurpose::Authority)?;
    let listed = listed(&catalog);
    let extension = Extension { hosts: &listed.hosts, days: 180, renew: false };
    writ_ca::extend(&Folder::new(&files.authority), &root, &extension, &key, now, &*home.randomness)?;
    files.write(&files.root, &root.anchor_pem())
}

/// Splits the key that lifts pseudonyms between three holders, of whom two are needed.
async fn hold_reveal_key(home: &Home, files: &Files, people: &mut People) -> anyhow::Result<()> {
    const HOLDERS: [&str; 3] = ["counsel", "council", "board"];
    let (public, shares) = new_reveal_key(3, &*home.randomness)?;
    std::fs::create_dir_all(&files.shares)
        .with_context(|| format!("cannot make the folder `{}`", files.shares.display()))?;
    for (holder, share) in HOLDERS.iter().zip(&shares) {
        files.write(&files.shares.join(format!("{holder}.txt")), &share.to_text())?;
        people.shares.insert((*holder).to_owned(), share.to_text());
    }
    home.keys.add_reveal(public, &home.ledger, home.clock.now(), &*home.randomness).await?;
    Ok(())
}

/// A person or program, as a directory would describe it.
struct Person<'a> {
    login: &'a str,
    name: &'a str,
    who: Who,
    groups: &'a [String],
}

fn login(name: &str) -> Login {
    Login { source: "login".into(), name: Sensitive::new(name.to_owned()) }
}

impl Person<'_> {
    async fn make(
        &self,
        home: &Home,
        passwords: &Passwords,
        password: &str,
        people: &mut People,
    ) -> anyhow::Result<()> {
        let identity = Sensitive::new(self.name.to_owned());
        let state = &home.state;
        let principal = state.identify(&login(self.login), self.who.as_str(), &identity, &home.ledger).await?.principal;
        let attributes = Attributes {
            who: self.who,
            groups: self.groups.iter().map(|group| Term::from(group.as_str())).collect(),
            entity: Term::UNKNOWN,
            region: Term::UNKNOWN,
            training: Currency::NotApplicable,
            attestation: Currency::NotApplicable,
            updated: home.clock.now(),
            source: LOCAL_SOURCE.to_owned(),
        };
        state.set_attributes(principal, &attributes, "admin", &home.ledger).await?;
        let hash = passwords.hash(&Sensitive::new(password.to_owned()), &*home.randomness).await;
        let hash = hash.ok().context("a password cannot be hashed at the moment; try again")?;
        state.set_password(principal, &hash, "admin", &home.ledger).await?;
        people.passwords.insert(self.login.to_owned(), password.to_owned());
        Ok(())
    }
}

fn agent_of(member: &Member) -> Option<&str> {
    member.on_behalf_of.as_deref().filter(|_| member.role == Role::Agent)
}

async fn api_key(home: &Home, person: &Person<'_>, of: Option<&str>, people: &mut People) -> anyhow::Result<()> {
    let owner = home.state.find_login(&login(person.login)).await?.context("the person was made before")?;
    let on_behalf_of = match of {
        Some(person) => home.state.find_login(&login(person)).await?,
        None => None,
    };
    let kind = if person.who == Who::Agent { ApiKeyKind::Agent } else { ApiKeyKind::Person };
    let labels = labels_for(Some(person.who), person.groups, None, false);
    let new = NewApiKey { kind, owner, on_behalf_of, labels };
    let (_, key) = home.state.create_api_key(new, "admin", &home.ledger).await?;
    people.keys.insert(person.login.to_owned(), key.expose().clone());
    Ok(())
}

async fn account(home: &Home, cast: &Cast, password: &Sensitive<String>) -> anyhow::Result<()> {
    let principal = home.state.find_login(&login(cast.login)).await?.context("the person was made before")?;
    let duties: BTreeSet<Duty> = cast.duties.iter().copied().collect();
    let name = Sensitive::new(cast.login.to_owned());
    home.accounts().create_for(&name, principal, &duties, password, false, Duty::Admin).await?;
    Ok(())
}
