//! `writ.toml`: typed, unknown keys refused, every value with a default or a reason to be asked for.
//!
//! Process settings need a restart, reloadable ones are read again when the file or the policy changes; the reference
//! page and `writ config explain` say which is which. Secrets are never in this file, only where they are.

mod edge;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use writ_model::{Account, Term};

pub use edge::{ClientCertificates, ConsoleConfig, ParentConfig, PersonalAccountsConfig, ProxyConfig};

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Where Writ keeps its data: ledger, state, keys (sealed), index. Process setting.
    pub data_directory: PathBuf,
    /// The policy document that runs. Reloadable.
    pub policy: PathBuf,
    /// The organisation's own services and its decisions about services. Reloadable.
    #[serde(default)]
    pub services: Vec<PathBuf>,
    /// Who speaks.
    #[serde(default)]
    pub organisation: Organisation,
    /// Where the key-encryption key comes from. Process setting.
    pub key_encryption: KeyEncryption,
    /// The ledger.
    #[serde(default)]
    pub ledger: LedgerConfig,
    /// The LLM gateway; without it none is served.
    #[serde(default)]
    pub gateway: Option<GatewayConfig>,
    /// The forward proxy; without it none is served.
    #[serde(default)]
    pub proxy: Option<ProxyConfig>,
    /// The console; without it none is served.
    #[serde(default)]
    pub console: Option<ConsoleConfig>,
    /// How AI services are reached.
    #[serde(default)]
    pub upstream: UpstreamConfig,
}

/// Who speaks in refusals and notes. Process settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Organisation {
    /// The name that staff know.
    pub name: String,
    /// The organisation's one Writ host, with scheme: links lead nowhere else.
    #[serde(default)]
    pub host: Option<String>,
    /// How to reach the help desk.
    #[serde(default)]
    pub help_desk: Option<String>,
    /// Whether people are told, once per service and 90 days, before anything of theirs is read. Default yes.
    #[serde(default = "yes")]
    pub first_use_notice: bool,
    /// Whether people's own devices and the guest network are not inspected: then the notice names that way.
    #[serde(default)]
    pub private_way: bool,
}

fn yes() -> bool {
    true
}

impl Default for Organisation {
    fn default() -> Self {
        Self {
            name: "your organisation".into(),
            host: None,
            help_desk: None,
            first_use_notice: true,
            private_way: false,
        }
    }
}

/// Where the key-encryption key comes from: exactly one of the three.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeyEncryption {
    /// A file with 64 hexadecimal digits, readable by its owner only, outside the data directory.
    File(PathBuf),
    /// A systemd credential of this name.
    Credential(String),
    /// A command that prints it, for a key management service.
    Command(Vec<String>),
}

/// The ledger. Process settings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LedgerConfig {
    /// When an entry counts as written.
    pub durability: DurabilityConfig,
    /// Whether judged traffic goes on when its decision cannot be written. Default no.
    pub fail_open: bool,
}

/// When an entry counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DurabilityConfig {
    /// Handed to the operating system: survives a crash of Writ; a power cut may lose 20 ms.
    #[default]
    Process,
    /// On the disk: survives a power cut.
    Power,
}

/// The LLM gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct GatewayConfig {
    /// Where it listens. Process setting.
    #[serde(default = "gateway_address")]
    pub listen: SocketAddr,
    /// AI services; the first also answers at `/v1/`. Reloadable.
    #[serde(default, rename = "provider")]
    pub providers: Vec<ProviderConfig>,
}

fn gateway_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8082))
}

/// An AI service behind the gateway. Reloadable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ProviderConfig {
    /// The first segment of its path at the gateway.
    pub name: String,
    /// The service, by its catalog id.
    pub service: Term,
    /// The plan of the organisation's account.
    #[serde(default = "unknown")]
    pub tier: Term,
    /// The account at the service.
    #[serde(default = "corporate")]
    pub account: Account,
    /// Where it is: `https://api.openai.com`, with a path if its API has one before `/v1`.
    pub base: String,
    /// How it wants its credential: `bearer`, `x-api-key`, `x-goog-api-key` or `api-key`.
    #[serde(default = "bearer")]
    pub credential: String,
}

fn unknown() -> Term {
    Term::UNKNOWN
}

fn corporate() -> Account {
    Account::Corporate
}

fn bearer() -> String {
    "bearer".into()
}

/// How AI services are reached. Process settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct UpstreamConfig {
    /// Whether the public certificate authorities are trusted.
    pub public_roots: bool,
    /// PEM files of further certificate authorities: of own models, of a parent proxy.
    pub extra_roots: Vec<PathBuf>,
    /// Addresses for host names in place of DNS. Only the demo may use it: `writ serve` refuses it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub resolve: BTreeMap<String, SocketAddr>,
    /// Whether addresses of private networks are refused; own models may live there. Default no.
    pub refuse_private: bool,
    /// A proxy through which everything leaves.
    pub parent: Option<ParentConfig>,
}

impl Default for UpstreamConfig {
    fn default() -> Self {
        Self {
            public_roots: true,
            extra_roots: Vec::new(),
            resolve: BTreeMap::new(),
            refuse_private: false,
            parent: None,
        }
    }
}

impl Config {
    /// Reads and checks a configuration; relative paths are taken from its folder.
    ///
    /// # Errors
    /// If the file cannot be read, is no TOML, has a key that is not known, or a value that cannot be used.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| {
            let path = path.display();
            format!("cannot read the configuration `{path}`; name another with `--config`, or write one: docs/guides/gateway.md shows how")
        })?;
        let mut config: Self =
            toml::from_str(&text).with_context(|| format!("`{}` is not a valid configuration", path.display()))?;
        config.anchor(path.parent().unwrap_or(Path::new("")));
        config.check()?;
        Ok(config)
    }

    fn anchor(&mut self, folder: &Path) {
        let paths = [&mut self.data_directory, &mut self.policy].into_iter();
        let lists = self.services.iter_mut().chain(self.upstream.extra_roots.iter_mut());
        let proxy = self.proxy.iter_mut().flat_map(ProxyConfig::paths);
        let parent = self.upstream.parent.iter_mut().flat_map(ParentConfig::paths);
        let console = self.console.iter_mut().flat_map(ConsoleConfig::paths);
        for path in paths.chain(lists).chain(proxy).chain(parent).chain(console) {
            *path = folder.join(&*path);
        }
        if let KeyEncryption::File(path) = &mut self.key_encryption {
            *path = folder.join(&*path);
        }
    }

    fn check(&self) -> anyhow::Result<()> {
        let providers = self.gateway.as_ref().map(|gateway| gateway.providers.as_slice()).unwrap_or_default();
        for (number, provider) in providers.iter().enumerate() {
            let name = &provider.name;
            if name.is_empty()
                || name == "v1"
                || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            {
                bail!("provider `{name}`: a name has small letters, digits and dashes, and is not `v1`");
            }
            if providers.iter().take(number).any(|other| other.name == *name) {
                bail!("provider `{name}` is there twice; give each a name of its own");
            }
            provider.destination()?;
            if writ_proxy::drive::credential_header(&provider.credential).is_none() {
                let given = &provider.credential;
                bail!(
                    "provider `{name}`: credential `{given}` is none of `bearer`, `x-api-key`, `x-goog-api-key`, `api-key`"
                );
            }
        }
        self.proxy.as_ref().map_or(Ok(()), ProxyConfig::check)?;
        self.upstream.parent.as_ref().map_or(Ok(()), ParentConfig::check)?;
        if let KeyEncryption::File(file) = &self.key_encryption
            && file.starts_with(&self.data_directory)
        {
            bail!(
                "the key-encryption key `{}` lies in the data directory; keep it apart, or a copy of the data holds both",
                file.display()
            );
        }
        Ok(())
    }

    /// The configuration with every value, and where each comes from. No secret is in it.
    pub fn explain(&self) -> anyhow::Result<String> {
        let mut page = String::from("# every value in force; secrets are named by their place only\n");
        writeln!(page, "{}", toml::to_string_pretty(self)?.trim_end())?;
        Ok(page)
    }
}

impl ProviderConfig {
    /// Host, port and path prefix of the base.
    ///
    /// # Errors
    /// If the base is no `https` address with a host.
    pub fn destination(&self) -> anyhow::Result<(writ_engine::Destination, String)> {
        let uri: http::Uri = self
            .base
            .parse()
            .with_context(|| format!("provider `{}`: base `{}` is no address", self.name, self.base))?;
        let https = uri.scheme_str() == Some("https");
        let Some(host) = uri.host().filter(|_| https) else {
            bail!("provider `{}`: base `{}` must begin with `https://` and name a host", self.name, self.base);
        };
        let destination = writ_engine::Destination { host: host.to_owned(), port: uri.port_u16().unwrap_or(443) };
        Ok((destination, uri.path().trim_end_matches('/').to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "data-directory = \"data\"\npolicy = \"policy.md\"\nkey-encryption = { file = \"writ.key\" }\n";

    fn load(text: &str) -> anyhow::Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("writ.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(&path)
    }

    fn error(text: &str) -> String {
        format!("{:#}", load(text).unwrap_err())
    }

    #[test]
    fn three_lines_are_enough() {
        let config = load(SMALL).unwrap();
        assert_eq!(config.gateway, None);
        assert!(config.upstream.public_roots && !config.ledger.fail_open);
        assert!(config.explain().unwrap().contains("durability = \"process\""));
    }

    #[test]
    fn a_key_that_is_not_known_is_refused_with_its_place() {
        let text = format!("{SMALL}[gateway]\nlisten-on = \"127.0.0.1:1\"\n");
        assert!(error(&text).contains("unknown field `listen-on`"), "{}", error(&text));
    }

    #[test]
    fn providers_are_checked() {
        let provider = |name: &str, base: &str| {
            format!("{SMALL}[[gateway.provider]]\nname = \"{name}\"\nservice = \"openai-api\"\nbase = \"{base}\"\n")
        };
        assert!(load(&provider("openai", "https://api.openai.com")).is_ok());
        assert!(error(&provider("openai", "http://api.openai.com")).contains("must begin with `https://`"));
        assert!(error(&provider("v1", "https://api.openai.com")).contains("is not `v1`"));
    }

    #[test]
    fn doors_are_checked() {
        assert!(load(&format!("{SMALL}[proxy]\n[console]\n")).is_ok());
        let twice = format!("{SMALL}[proxy]\nlisten = \"127.0.0.1:9\"\nports = {{ \"127.0.0.1:9\" = \"ana\" }}\n");
        assert!(error(&twice).contains("port 9 is there twice"), "{}", error(&twice));
        let parent = |lines: &str| format!("{SMALL}[upstream.parent]\n{lines}\n");
        assert!(error(&parent("address = \"proxy\"")).contains("is no `host:port`"));
        assert!(error(&parent("address = \"proxy:1\"\nuser = \"a\"")).contains("belong together"));
        let loaded = load(&parent("address = \"proxy:1\"\nuser = \"a\"\npassword-file = \"secret\"")).unwrap();
        let file = loaded.upstream.parent.unwrap().password_file.unwrap();
        assert!(file.is_absolute(), "relative paths are taken from the configuration's folder");
    }

    #[test]
    fn the_key_does_not_lie_beside_what_it_protects() {
        assert!(error(&SMALL.replace("writ.key", "data/writ.key")).contains("keep it apart"));
    }
}
