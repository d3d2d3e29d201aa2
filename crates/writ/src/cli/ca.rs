//! `writ ca`: the certificate authority for intercepted hosts, and what devices need to trust it.

mod passphrase;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use writ_base::Limit;
use writ_base::keys::KeyPurpose;
use writ_ca::kit::{Anchor, Target, kit};
use writ_ca::{Extended, Extension, Folder, Listed, Root, RootName, certificates, extend, listed};

use self::passphrase::PassphraseSource;
use super::files::Source;
use super::settings::ConfigFile;
use super::text::counted;
use super::{Exit, Output, block_on};
use crate::config::Config;
use crate::policy_file;
use crate::wiring::{Home, Keyring};

/// Size of a file with certificates or a key.
static PEM: Limit = Limit::new("cli.pem", "bytes", 256 << 10);

/// Make and extend the authority for intercepted hosts; files for devices
///
/// The root signs one intermediate for each group of listed hosts. Only intermediates are served, each constrained to
/// its hosts; the root's key belongs on a medium that is kept elsewhere.
#[derive(Debug, Subcommand)]
pub(crate) enum CaCommand {
    Init(Init),
    Extend(Extend),
    Hosts(Hosts),
    Export(Export),
    Kit(Kit),
}

/// Make a root, or take a company's CA, and issue intermediates for all listed hosts
///
/// The root is written to a new folder: keep that folder offline, its key is encrypted with the passphrase. The folder
/// `proxy.authority` of the configuration gets intermediates only, their keys sealed. The server must not run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ ca init --root /media/stick/writ-root
  writ ca init --root /media/stick/writ-root --passphrase-file /dev/fd/3 3<passphrase
  writ ca init --root /media/stick/next-root --root-only
  writ ca init --import company-ca.pem --key company-ca.key")]
pub(crate) struct Init {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    signer: Signer,
    /// How many years a new root is valid
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=30), conflicts_with = "import")]
    years: u32,
    /// How many days intermediates are valid
    #[arg(long, value_name = "N", default_value_t = 730, value_parser = clap::value_parser!(u32).range(1..=730))]
    days: u32,
    /// Make the root and nothing else: the next one, which devices get to know before it takes over
    #[arg(long, conflicts_with = "import")]
    root_only: bool,
}

/// Issue intermediates for hosts that were added to the catalog or the services
///
/// New hosts make new groups; existing groups stay as they are, and devices need nothing. With `--renew` every group is
/// issued anew, without hosts that are not listed any more. A running server takes over what was issued.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ ca extend --root /media/stick/writ-root
  writ ca extend --root /media/stick/writ-root --renew
  writ ca extend --import company-ca.pem --key company-ca.key")]
pub(crate) struct Extend {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    signer: Signer,
    /// Issue every group anew
    #[arg(long)]
    renew: bool,
    /// How many days intermediates are valid
    #[arg(long, value_name = "N", default_value_t = 730, value_parser = clap::value_parser!(u32).range(1..=730))]
    days: u32,
}

/// Who signs the intermediates.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("by").required(true).args(["root", "import"]))]
struct Signer {
    /// The folder of the root, on a medium that is kept offline
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// The certificate (PEM) of a company's CA, followed by those above it
    #[arg(long, value_name = "FILE", requires = "key")]
    import: Option<PathBuf>,
    /// The key (PEM) of that CA; it is read and not kept
    #[arg(long, value_name = "FILE", requires = "import")]
    key: Option<PathBuf>,
    /// A file with the passphrase in one line; `-` reads standard input. Without it the terminal asks
    #[arg(long, value_name = "FILE|-")]
    passphrase_file: Option<String>,
}

/// List the hosts that the authority can answer for
///
/// This is all: the constraints in the certificates themselves, not the configuration. A host stands for itself and all
/// below it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ ca hosts --config writ.toml
  writ ca hosts --json")]
pub(crate) struct Hosts {
    #[command(flatten)]
    file: ConfigFile,
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

/// Write the certificate that devices must trust
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ ca export > northwind.pem
  writ ca export --form der --out northwind.cer")]
pub(crate) struct Export {
    #[command(flatten)]
    file: ConfigFile,
    /// PEM or DER; both are what devices take
    #[arg(long, value_enum, default_value_t = Form::Pem)]
    form: Form,
    /// The file to write; without it, standard output (PEM only)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The form of a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Text
    Pem,
    /// Bytes
    Der,
}

/// Write files and steps that make devices of one kind trust the authority, and take it back
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ ca kit debian --out kit
  writ ca kit windows --out kit --name northwind-ai
  writ ca kit macos --out kit --name northwind-ai-2 --certificate /media/stick/next-root/root.pem")]
pub(crate) struct Kit {
    #[command(flatten)]
    file: ConfigFile,
    /// debian, windows, macos, firefox, java, node, python, wsl or container
    #[arg(value_parser = target)]
    target: Target,
    /// The new folder for the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Another certificate (PEM) than that of the authority: the next root
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// What the anchor is called on devices: letters, digits and hyphens
    #[arg(long, default_value = "writ")]
    name: String,
}

fn target(name: &str) -> Result<Target, String> {
    let names = || Target::ALL.iter().map(|target| target.name());
    Target::named(name).ok_or_else(|| format!("say one of {}", names().collect::<Vec<_>>().join(", ")))
}

impl CaCommand {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Init(init) => block_on(init.run(output)),
            Self::Extend(extend) => extend.run(output),
            Self::Hosts(hosts) => hosts.run(output),
            Self::Export(export) => export.run(output),
            Self::Kit(kit) => kit.run(output),
        }
    }
}

impl Init {
    async fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let config = self.file.load()?;
        let folder = folder(&config, &self.file.config);
        if folder.made() && !self.root_only {
            bail!("`{}` holds an authority already; use `writ ca extend`", folder.path().display());
        }
        // Before a passphrase is asked: what cannot be written needs none.
        if let Some(path) = &self.signer.root
            && path.exists()
        {
            bail!("`{}` exists already; name a new folder for the root", path.display());
        }
        let data = Home::open(&config).await?;
        let made = self.make(&config, &folder, &data.keyring(), output);
        let closed = data.close().await;
        made.and(closed)?;
        Ok(Exit::Yes)
    }

    fn make(&self, config: &Config, folder: &Folder, data: &Keyring, output: &mut Output) -> anyhow::Result<()> {
        let root = match &self.signer.root {
            Some(path) => self.new_root(config, path, data, output)?,
            None => self.signer.open(data)?,
        };
        if self.root_only {
            return Ok(());
        }
        let hosts = hosts(config)?;
        let done = issue(&root, folder, &Extension { hosts: &hosts.hosts, days: self.days, renew: false }, data)?;
        tell(&done, &hosts, output)?;
        output.line(format_args!("devices must trust `{}`: see `writ ca kit`", root.name()))?;
        Ok(())
    }

    fn new_root(&self, config: &Config, path: &Path, data: &Keyring, output: &mut Output) -> anyhow::Result<Root> {
        let organisation = config.organisation.name.clone();
        let name = RootName { common_name: format!("{organisation} AI inspection root"), organisation };
        let root = Root::create(&name, self.years, data.clock.now(), &*data.randomness)?;
        let passphrase = self.signer.passphrase().fresh(path)?;
        let key = root.key_pem(&passphrase, &*data.randomness)?;
        let made = fs::DirBuilder::new().mode(0o700).create(path);
        made.with_context(|| format!("cannot make the folder `{}`", path.display()))?;
        write_new(&path.join(ROOT_KEY), key.as_bytes(), 0o600)?;
        write_new(&path.join(ROOT_CERTIFICATE), root.certificates_pem().as_bytes(), 0o644)?;
        output.line(format_args!("root `{}` in `{}`: keep it offline", root.name(), path.display()))?;
        Ok(root)
    }
}

impl Extend {
    fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let config = self.file.load()?;
        let folder = folder(&config, &self.file.config);
        let data = Keyring::open(&config)?;
        let root = self.signer.open(&data)?;
        let hosts = hosts(&config)?;
        let extension = Extension { hosts: &hosts.hosts, days: self.days, renew: self.renew };
        tell(&issue(&root, &folder, &extension, &data)?, &hosts, output)?;
        Ok(Exit::Yes)
    }
}

const ROOT_KEY: &str = "root.key";
const ROOT_CERTIFICATE: &str = "root.pem";

impl Signer {
    /// Opens the root or the company's CA.
    fn open(&self, data: &Keyring) -> anyhow::Result<Root> {
        let (certificate, key) = match (&self.root, &self.import, &self.key) {
            (Some(folder), ..) => (folder.join(ROOT_CERTIFICATE), folder.join(ROOT_KEY)),
            (None, Some(certificate), Some(key)) => (certificate.clone(), key.clone()),
            (None, ..) => bail!("say `--root DIR` or `--import FILE --key FILE`"),
        };
        let certificate = Source::File(certificate).text(&PEM)?;
        let key_text = writ_base::Sensitive::new(Source::File(key.clone()).text(&PEM)?);
        let encrypted = key_text.expose().contains("ENCRYPTED PRIVATE KEY");
        let passphrase = if encrypted { Some(self.passphrase().existing(&key)?) } else { None };
        Ok(Root::open(&certificate, key_text.expose(), passphrase.as_ref(), data.clock.now())?)
    }

    fn passphrase(&self) -> PassphraseSource {
        PassphraseSource::from(self.passphrase_file.as_deref())
    }
}

impl Hosts {
    fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let folder = made_folder(&self.file)?;
        // The newest certificate of a group counts.
        let mut groups = std::collections::BTreeMap::new();
        for stored in folder.stored()? {
            groups.insert(stored.group.id.clone(), stored);
        }
        if self.json {
            let groups = groups.values().map(|stored| {
                json!({
                    "group": stored.group.id,
                    "hosts": stored.group.hosts,
                    "valid-from": stored.not_before.to_string(),
                    "valid-to": stored.not_after.to_string(),
                })
            });
            output.json(&groups.collect::<Vec<_>>())?;
            return Ok(Exit::Yes);
        }
        for stored in groups.values() {
            let until = stored.not_after.to_string();
            let until = until.split('T').next().unwrap_or_default();
            for host in &stored.group.hosts {
                output.line(format_args!("{:<4} until {until}  {host}", stored.group.id))?;
            }
        }
        Ok(Exit::Yes)
    }
}

impl Export {
    fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let anchor = made_folder(&self.file)?.anchor()?;
        let bytes = match self.form {
            Form::Pem => anchor.clone().into_bytes(),
            Form::Der => certificates(&anchor)?.first().map(|certificate| certificate.to_vec()).unwrap_or_default(),
        };
        match (&self.out, self.form) {
            (Some(path), _) => write_new(path, &bytes, 0o644)?,
            (None, Form::Pem) => output.text(&anchor)?,
            (None, Form::Der) => bail!("DER is bytes: name a file with `--out FILE`"),
        }
        Ok(Exit::Yes)
    }
}

impl Kit {
    fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let certificate = match &self.certificate {
            Some(path) => Source::File(path.clone()).text(&PEM)?,
            None => made_folder(&self.file)?.anchor()?,
        };
        let anchor = Anchor::new(&certificate, &self.name)?;
        let made = fs::create_dir(&self.out);
        made.with_context(|| format!("cannot make the folder `{}`; give a new one", self.out.display()))?;
        for file in kit(self.target, &anchor) {
            let path = self.out.join(&file.path);
            write_new(&path, file.contents.as_bytes(), file.mode)?;
            output.line(path.display())?;
        }
        output.say(format_args!("SHA-256 {}", anchor.sha256()))?;
        output.say(format_args!("steps: `{}`", self.out.join("README.md").display()))?;
        Ok(Exit::Yes)
    }
}

/// The folder of the authority: that of the proxy's settings, else `authority` beside the configuration.
fn folder(config: &Config, file: &Path) -> Folder {
    let beside = || file.parent().unwrap_or(Path::new("")).join("authority");
    Folder::new(config.proxy.as_ref().map_or_else(beside, |proxy| proxy.authority.clone()))
}

fn made_folder(file: &ConfigFile) -> anyhow::Result<Folder> {
    let folder = folder(&file.load()?, &file.config);
    if !folder.made() {
        bail!("`{}` holds no authority; make one with `writ ca init`", folder.path().display());
    }
    Ok(folder)
}

fn hosts(config: &Config) -> anyhow::Result<Listed> {
    Ok(listed(&policy_file::catalog(&config.services)?))
}

fn issue(root: &Root, folder: &Folder, extension: &Extension<'_>, data: &Keyring) -> anyhow::Result<Extended> {
    let (_, key) = data.keys.current(KeyPurpose::Authority)?;
    Ok(extend(folder, root, extension, &key, data.clock.now(), &*data.randomness)?)
}

fn tell(done: &Extended, hosts: &Listed, output: &mut Output) -> anyhow::Result<()> {
    let names = |groups: &[writ_ca::Group]| groups.iter().map(|group| group.hosts.len()).sum::<usize>();
    for (what, groups) in [("renewed", &done.renewed), ("new", &done.added)] {
        if !groups.is_empty() {
            let (number, hosts) = (counted(groups.len(), "group"), counted(names(groups), "host"));
            output.line(format_args!("{what}: {number} with {hosts}"))?;
        }
    }
    if done.renewed.is_empty() && done.added.is_empty() {
        output.line("every listed host has its group already")?;
    }
    for host in &done.dropped {
        output.line(format_args!("dropped: {host}"))?;
    }
    for host in &done.stale {
        output.say(format_args!("`{host}` is not listed any more; `--renew` drops it"))?;
    }
    for (service, pattern) in &hosts.left_out {
        let why = "its names are not known, so no certificate can be limited to them";
        output.say(format_args!("`{pattern}` of `{service}` is left out: {why}; name its hosts one by one"))?;
    }
    Ok(())
}

/// Writes a file that must be new.
fn write_new(path: &Path, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    let written = file.and_then(|mut file| {
        file.write_all(bytes)?;
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        file.sync_all()
    });
    written.with_context(|| format!("cannot write `{}`", path.display()))
}
