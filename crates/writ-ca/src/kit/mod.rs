//! What a device needs to trust the authority: files and steps for each kind of device, with the way back.
//!
//! Every script says what it changes, touches nothing but the named anchor, and may be run again. `uninstall` leaves
//! neither a file nor a trust anchor; `e2e/test_ca_kit.py` runs those that run on Linux.

use std::fmt::Write as _;

use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use crate::parsed::Parsed;
use crate::{CaError, certificates, pem_of};

/// A kind of device or program with a trust store of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// Debian, Ubuntu and derivatives.
    Debian,
    /// Windows.
    Windows,
    /// macOS.
    Macos,
    /// Firefox, and Chromium on Linux.
    Firefox,
    /// Java runtimes.
    Java,
    /// Node.js.
    Node,
    /// Python.
    Python,
    /// Windows Subsystem for Linux.
    Wsl,
    /// Container images.
    Container,
}

impl Target {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Debian,
        Self::Windows,
        Self::Macos,
        Self::Firefox,
        Self::Java,
        Self::Node,
        Self::Python,
        Self::Wsl,
        Self::Container,
    ];

    /// How it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debian => "debian",
            Self::Windows => "windows",
            Self::Macos => "macos",
            Self::Firefox => "firefox",
            Self::Java => "java",
            Self::Node => "node",
            Self::Python => "python",
            Self::Wsl => "wsl",
            Self::Container => "container",
        }
    }

    /// The target with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|target| target.name() == name)
    }

    /// Name in the kit and text with placeholders.
    fn templates(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Debian => &[
                ("README.md", include_str!("debian.md")),
                ("install.sh", include_str!("debian-install.sh")),
                ("uninstall.sh", include_str!("debian-uninstall.sh")),
                ("update.sh", include_str!("debian-update.sh")),
                ("verify.sh", include_str!("debian-verify.sh")),
            ],
            Self::Windows => &[
                ("README.md", include_str!("windows.md")),
                ("install.ps1", include_str!("windows-install.ps1")),
                ("uninstall.ps1", include_str!("windows-uninstall.ps1")),
                ("verify.ps1", include_str!("windows-verify.ps1")),
            ],
            Self::Macos => &[
                ("@NAME@.mobileconfig", include_str!("macos-profile.mobileconfig")),
                ("README.md", include_str!("macos.md")),
                ("install.sh", include_str!("macos-install.sh")),
                ("uninstall.sh", include_str!("macos-uninstall.sh")),
                ("verify.sh", include_str!("macos-verify.sh")),
            ],
            Self::Firefox => &[
                ("README.md", include_str!("firefox.md")),
                ("databases.sh", include_str!("firefox-databases.sh")),
                ("install.sh", include_str!("firefox-install.sh")),
                ("policies.json", include_str!("firefox-policies.json")),
                ("uninstall.sh", include_str!("firefox-uninstall.sh")),
                ("verify.sh", include_str!("firefox-verify.sh")),
            ],
            Self::Java => &[
                ("README.md", include_str!("java.md")),
                ("install.sh", include_str!("java-install.sh")),
                ("store.sh", include_str!("java-store.sh")),
                ("uninstall.sh", include_str!("java-uninstall.sh")),
                ("verify.sh", include_str!("java-verify.sh")),
            ],
            Self::Node => &[
                ("README.md", include_str!("node.md")),
                ("install.sh", include_str!("node-install.sh")),
                ("uninstall.sh", include_str!("node-uninstall.sh")),
                ("verify.sh", include_str!("node-verify.sh")),
            ],
            Self::Python => &[
                ("README.md", include_str!("python.md")),
                ("install.sh", include_str!("python-install.sh")),
                ("uninstall.sh", include_str!("python-uninstall.sh")),
                ("verify.sh", include_str!("python-verify.sh")),
            ],
            Self::Wsl => &[
                ("README.md", include_str!("wsl.md")),
                ("distributions.ps1", include_str!("wsl-distributions.ps1")),
                ("install.ps1", include_str!("wsl-install.ps1")),
                ("install.sh", include_str!("debian-install.sh")),
                ("uninstall.ps1", include_str!("wsl-uninstall.ps1")),
                ("uninstall.sh", include_str!("debian-uninstall.sh")),
                ("update.sh", include_str!("debian-update.sh")),
                ("verify.ps1", include_str!("wsl-verify.ps1")),
                ("verify.sh", include_str!("debian-verify.sh")),
            ],
            Self::Container => &[
                ("Dockerfile", include_str!("container-Dockerfile")),
                ("README.md", include_str!("container.md")),
                ("install.sh", include_str!("container-install.sh")),
                ("uninstall.sh", include_str!("container-uninstall.sh")),
                ("verify.sh", include_str!("container-verify.sh")),
            ],
        }
    }
}

/// The certificate that devices are to trust, and how it is called there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    name: String,
    pem: String,
    subject: String,
    sha256: String,
    sha1: String,
}

/// A file of a kit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KitFile {
    /// Its name in the kit's folder.
    pub path: String,
    /// Its mode: 0o755 for scripts that people start, else 0o644.
    pub mode: u32,
    /// What is in it.
    pub contents: String,
}

impl Anchor {
    /// The first certificate of a PEM text, under a name of lower-case letters, digits and hyphens: the name of files
    /// and entries on every device, so that they can be found and removed.
    ///
    /// # Errors
    /// If the name has other characters or there is no certificate.
    pub fn new(pem: &str, name: &str) -> Result<Self, CaError> {
        let byte = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if !(1..=40).contains(&name.len()) || !name.bytes().all(byte) || name.starts_with('-') {
            let reason = "a kit's name has 1 to 40 lower-case letters, digits and hyphens";
            return Err(CaError::Name { name: name.chars().take(60).collect(), reason });
        }
        let all = certificates(pem)?;
        let certificate: &[u8] = all.first().map_or(&[], |certificate| certificate.as_ref());
        Ok(Self {
            name: name.to_owned(),
            pem: pem_of(certificate),
            subject: harmless(&Parsed::of(certificate)?.subject_text),
            sha256: with_colons(&Sha256::digest(certificate)),
            sha1: with_colons(&Sha1::digest(certificate)),
        })
    }

    /// SHA-256 of the certificate, as browsers and OpenSSL show it: `AB:CD:...`.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    fn fill(&self, template: &str) -> String {
        let base64: Vec<&str> = self.pem.lines().filter(|line| !line.starts_with('-')).collect();
        template
            .replace("@NAME@", &self.name)
            .replace("@SUBJECT@", &self.subject)
            .replace("@SHA256@", &self.sha256)
            .replace("@SHA1@", &self.sha1)
            .replace("@UUID1@", &self.uuid(0))
            .replace("@UUID2@", &self.uuid(32))
            .replace("@BASE64@", &base64.join("\n"))
    }

    /// A UUID that is the same for the same certificate, so that a profile replaces itself.
    fn uuid(&self, from: usize) -> String {
        let digits: String = self.sha256.chars().filter(|c| *c != ':').skip(from).take(32).collect();
        let part = |at: usize, length: usize| digits.chars().skip(at).take(length).collect::<String>();
        format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 4), part(13, 3), part(17, 3), part(20, 12))
    }
}

/// The files of a kit, sorted by name.
pub fn kit(target: Target, anchor: &Anchor) -> Vec<KitFile> {
    let started = |path: &str| path.ends_with("install.sh") || path == "verify.sh";
    let filled = target.templates().iter().map(|(path, template)| KitFile {
        path: anchor.fill(path),
        mode: if started(path) { 0o755 } else { 0o644 },
        // PowerShell of Windows and editors there expect their own line ends.
        contents: if path.ends_with(".ps1") {
            anchor.fill(template).replace('\n', "\r\n")
        } else {
            anchor.fill(template)
        },
    });
    let certificate = KitFile { path: format!("{}.crt", anchor.name), mode: 0o644, contents: anchor.pem.clone() };
    let mut files: Vec<KitFile> = filled.chain([certificate]).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The subject without characters that mean something in scripts, XML or Markdown.
fn harmless(subject: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || " .,=-".contains(*c);
    subject.chars().filter(kept).take(160).collect()
}

fn with_colons(digest: &[u8]) -> String {
    let mut text = String::with_capacity(digest.len() * 3);
    for byte in digest {
        let colon = if text.is_empty() { "" } else { ":" };
        let _ = write!(text, "{colon}{byte:02X}");
    }
    text
}
