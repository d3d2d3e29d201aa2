//! Settings of the doors: forward proxy, parent proxy, console.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::bail;
use serde::{Deserialize, Serialize};
use writ_model::{Device, Term};

/// The forward proxy. Process settings, unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ProxyConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What the PAC file says: the address by which devices reach it. Without it, `listen`.
    pub address: Option<String>,
    /// Whether a client without a name is refused (407); otherwise it counts as its address.
    pub require_authentication: bool,
    /// Ports of one person each: listening address to login. For programs that cannot authenticate.
    pub ports: BTreeMap<SocketAddr, String>,
    /// A file that says which address belongs to whom, since when (`.csv`, else TOML). Read again when it changes.
    pub address_map: Option<PathBuf>,
    /// How many minutes an entry of the address map is believed.
    pub address_minutes: u32,
    /// A PEM file of authorities whose client certificates name people. With it, the listener asks for TLS.
    pub client_certificates: Option<ClientCertificates>,
    /// What happens with personal accounts at AI services.
    pub personal_accounts: PersonalAccountsConfig,
    /// Groups of the directory whose members are decided by service and account only, and never recorded by name.
    pub protected_groups: BTreeSet<Term>,
    /// The devices from which this proxy can be reached: `managed` where the network sees to that.
    pub devices: Device,
    /// The folder with the intermediates that `writ ca` made.
    pub authority: PathBuf,
}

impl Default for ProxyConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8081)),
            address: None,
            require_authentication: true,
            ports: BTreeMap::new(),
            address_map: None,
            address_minutes: 60,
            client_certificates: None,
            personal_accounts: PersonalAccountsConfig::Refuse,
            protected_groups: BTreeSet::new(),
            devices: Device::Unknown,
            authority: PathBuf::from("authority"),
        }
    }
}

/// A listener for clients with certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClientCertificates {
    /// Where it listens, with TLS.
    pub listen: SocketAddr,
    /// Authorities (PEM) whose certificates name people.
    pub authorities: PathBuf,
    /// The listener's own certificate chain (PEM).
    pub certificate: PathBuf,
    /// The key of that certificate (PEM).
    pub key: PathBuf,
}

/// What happens with personal accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonalAccountsConfig {
    /// Refused from the head, before anything is read.
    #[default]
    Refuse,
    /// Decided from the head; what passes streams through unread.
    Unread,
    /// Read like any other: only if the policy says so.
    Inspect,
}

/// A proxy through which everything leaves. Process settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ParentConfig {
    /// Host and port.
    pub address: String,
    /// The user name it wants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A file with the password in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Authorities (PEM) that it uses where it intercepts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorities: Option<PathBuf>,
    /// The hosts, with what is below them, for which those authorities are trusted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub authorities_for: BTreeSet<String>,
}

/// The console. Process settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ConsoleConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Further names by which it may be called, with port; `organisation.host` and `listen` always may.
    pub hosts: BTreeSet<String>,
    /// Hours within which objections and requests are answered.
    pub answer_hours: u32,
    /// A file with the token, in one line, that opens `/metrics` without a session (`Authorization: Bearer`).
    pub metrics_token_file: Option<PathBuf>,
    /// Where an approved service takes a prompt along: service to the address of its chat. The text is added as `#text=`.
    pub continue_in: BTreeMap<Term, String>,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            hosts: BTreeSet::new(),
            answer_hours: 24,
            metrics_token_file: None,
            continue_in: BTreeMap::new(),
        }
    }
}

impl ConsoleConfig {
    /// Paths that are taken from the folder of the configuration.
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        self.metrics_token_file.iter_mut().collect()
    }
}

impl ProxyConfig {
    /// What cannot be true together.
    ///
    /// # Errors
    /// If two doors have one address, or minutes make no sense.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let mut all: Vec<SocketAddr> = self.ports.keys().copied().chain([self.listen]).collect();
        all.extend(self.client_certificates.as_ref().map(|door| door.listen));
        for (number, address) in all.iter().enumerate() {
            if address.port() != 0 && all.iter().take(number).any(|other| other.port() == address.port()) {
                bail!(
                    "proxy: port {} is there twice; each door needs a port of its own, by which people are told",
                    address.port()
                );
            }
        }
        if self.address_map.is_some() && self.address_minutes == 0 {
            bail!("proxy: `address-minutes = 0` believes no entry of the address map; say at least 1");
        }
        Ok(())
    }

    /// Paths that are taken from the folder of the configuration.
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        let mut all = vec![&mut self.authority];
        all.extend(self.address_map.as_mut());
        if let Some(door) = &mut self.client_certificates {
            all.extend([&mut door.authorities, &mut door.certificate, &mut door.key]);
        }
        all
    }
}

impl ParentConfig {
    /// What cannot be true together.
    ///
    /// # Errors
    /// If the address has no port, a password has no user, or authorities are named for no host.
    pub(super) fn check(&self) -> anyhow::Result<()> {
        let port = self.address.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
        if port.is_none_or(|(host, _)| host.is_empty()) {
            bail!("upstream.parent: `{}` is no `host:port`", self.address);
        }
        if self.user.is_some() != self.password_file.is_some() {
            bail!("upstream.parent: `user` and `password-file` belong together");
        }
        if self.authorities.is_some() == self.authorities_for.is_empty() {
            bail!("upstream.parent: `authorities` and `authorities-for` belong together");
        }
        Ok(())
    }

    /// Paths that are taken from the folder of the configuration.
    pub(super) fn paths(&mut self) -> Vec<&mut PathBuf> {
        self.password_file.iter_mut().chain(self.authorities.as_mut()).collect()
    }
}
