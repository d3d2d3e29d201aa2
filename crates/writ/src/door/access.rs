//! Orders about callers of the gateway and the organisation's credentials for AI services.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use writ_base::keys::KeyPurpose;
use writ_base::{Moment, Sensitive};
use writ_model::interaction::PrincipalId;
use writ_model::{Facts, Value as _, Who};
use writ_proxy::callers::{described, labels_for};
use writ_store::state::{ApiKey, ApiKeyId, ApiKeyKind, Login, NewApiKey, ProviderCredential};

use super::{Desk, Order, ROLE, Secret};
use crate::wiring::Home;

/// Where logins of the command line come from.
const SOURCE: &str = "login";

/// The label with the team that shares a key.
pub(crate) const TEAM: &str = "team";

/// Make an API key.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct AddCaller {
    pub(crate) login: String,
    pub(crate) who: Who,
    pub(crate) groups: Vec<String>,
    pub(crate) entity: Option<String>,
    pub(crate) team: Option<String>,
    pub(crate) on_behalf_of: Option<String>,
    pub(crate) chat: bool,
}

/// A key that was made.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Added {
    pub(crate) id: ApiKeyId,
    pub(crate) key: Secret,
}

/// All API keys, without the keys.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ListCallers {}

/// A key in the list.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct CallerRow {
    pub(crate) id: ApiKeyId,
    pub(crate) prefix: String,
    pub(crate) kind: String,
    pub(crate) pseudonym: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) on_behalf_of_a_person: bool,
    pub(crate) made: Moment,
    pub(crate) disabled: Option<Moment>,
}

/// Disable a key, or all keys of a login.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct DisableCaller {
    pub(crate) key: Option<String>,
    pub(crate) login: Option<String>,
}

/// What the newest enabled key of a login tells about its caller.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DescribeCaller {
    pub(crate) login: String,
}

/// Store a provider's credential.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetCredential {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) secret: Secret,
}

pub(crate) fn login(name: &str) -> Login {
    Login { source: SOURCE.to_owned(), name: Sensitive::new(name.to_owned()) }
}

/// The principal of a login; made if it is new.
pub(crate) async fn principal(data: &Home, name: &str, who: Who) -> anyhow::Result<PrincipalId> {
    if data.keys.reveal_public().is_none() {
        bail!(
            "there is no `{}` key yet, to which identities are sealed; name its holders first: \
             `writ keys rotate reveal --holder NAME --holder NAME --shares DIR`",
            KeyPurpose::Reveal
        );
    }
    let identity = Sensitive::new(name.to_owned());
    Ok(data.state.identify(&login(name), who.name(), &identity, &data.ledger).await?.principal)
}

/// Enabled keys of a login, from the oldest.
async fn keys_of(data: &Home, name: &str) -> anyhow::Result<Vec<ApiKey>> {
    let Some(owner) = data.state.find_login(&login(name)).await? else { return Ok(Vec::new()) };
    let keys = data.state.api_keys().await?;
    Ok(keys.into_iter().filter(|key| key.disabled.is_none() && key.caller.owner == owner).collect())
}

impl Order for AddCaller {
    const NAME: &'static str = "caller-add";
    type Answer = Added;

    async fn act(self, desk: &Desk) -> anyhow::Result<Added> {
        let data = &desk.home;
        let owner = principal(data, &self.login, self.who).await?;
        let on_behalf_of = match &self.on_behalf_of {
            None => None,
            Some(name) => {
                let person = data.state.find_login(&login(name)).await?;
                let unknown = || format!("nobody has the login `{name}`; add that caller first");
                Some(person.with_context(unknown)?)
            }
        };
        let kind = match (self.who, &self.team) {
            (Who::Agent, _) => ApiKeyKind::Agent,
            (_, Some(_)) => ApiKeyKind::Team,
            _ => ApiKeyKind::Person,
        };
        let mut labels = labels_for(Some(self.who), &self.groups, self.entity.as_deref(), self.chat);
        labels.extend(self.team.map(|team| (TEAM.to_owned(), team)));
        let new = NewApiKey { kind, owner, on_behalf_of, labels };
        let (id, key) = data.state.create_api_key(new, ROLE.as_str(), &data.ledger).await?;
        Ok(Added { id, key: key.into() })
    }
}

impl Order for ListCallers {
    const NAME: &'static str = "caller-list";
    type Answer = Vec<CallerRow>;

    async fn act(self, desk: &Desk) -> anyhow::Result<Vec<CallerRow>> {
        let state = &desk.home.state;
        let row = |key: ApiKey| {
            let pseudonym = state.pseudonym(key.caller.owner)?;
            let ApiKey { id, prefix, caller, made, disabled } = key;
            let (kind, on_behalf_of_a_person) = (caller.kind.as_str().to_owned(), caller.on_behalf_of.is_some());
            Ok(CallerRow { id, prefix, kind, pseudonym, labels: caller.labels, on_behalf_of_a_person, made, disabled })
        };
        state.api_keys().await?.into_iter().map(row).collect()
    }
}

impl Order for DisableCaller {
    const NAME: &'static str = "caller-disable";
    type Answer = Vec<ApiKeyId>;

    async fn act(self, desk: &Desk) -> anyhow::Result<Vec<ApiKeyId>> {
        let data = &desk.home;
        let found: Vec<_> = match (&self.login, &self.key) {
            (Some(name), _) => keys_of(data, name).await?,
            (None, named) => {
                let named = named.as_deref().unwrap_or_default();
                let asked = |key: &ApiKey| named == key.id.to_string() || named.trim_end_matches('.') == key.prefix;
                let keys = data.state.api_keys().await?;
                keys.into_iter().filter(|key| key.disabled.is_none() && asked(key)).collect()
            }
        };
        if found.is_empty() {
            bail!("there is no enabled key of that name; see `writ caller list`");
        }
        let mut done = Vec::new();
        for key in found {
            data.state.disable_api_key(key.id, ROLE.as_str(), &data.ledger).await?;
            done.push(key.id);
        }
        Ok(done)
    }
}

impl Order for DescribeCaller {
    const NAME: &'static str = "caller-describe";
    type Answer = Facts;

    async fn act(self, desk: &Desk) -> anyhow::Result<Facts> {
        let found = keys_of(&desk.home, &self.login).await?;
        let nobody = || format!("no enabled key belongs to the login `{}`; see `writ caller list`", self.login);
        let caller = described(&found.last().with_context(nobody)?.caller);
        Ok(Facts {
            who: caller.who.into(),
            identity: caller.identity.into(),
            channel: caller.channel.into(),
            group: caller.groups.into(),
            entity: caller.entity.into(),
            ..Facts::default()
        })
    }
}

impl Order for SetCredential {
    const NAME: &'static str = "provider-set";
    type Answer = ();

    async fn act(self, desk: &Desk) -> anyhow::Result<()> {
        let credential = ProviderCredential { service: self.service, name: self.name, secret: self.secret.0 };
        desk.home.state.set_provider_credential(&credential, ROLE.as_str(), &desk.home.ledger).await?;
        // Providers are read again with everything else that may change.
        desk.changed();
        Ok(())
    }
}
