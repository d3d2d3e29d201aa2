//! Where the key-encryption key comes from.

use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use writ_base::Randomness;
use writ_base::hash::{hex, parse_hex};
use writ_base::keys::SecretKey;
use zeroize::Zeroizing;

use super::KeyError;
use crate::files;

/// Where the key-encryption key comes from: 32 bytes, or 64 hexadecimal digits with or without a newline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KekSource {
    /// A file that only its owner can read.
    File(PathBuf),
    /// A credential of this name that systemd passed to the process (`LoadCredential=`).
    Credential(String),
    /// A program with arguments that prints it, such as the client of a key management service. No shell is involved.
    Command(Vec<String>),
}

/// More than any form of a key needs.
const KEY_TEXT_BYTES: u64 = 1024;

impl KekSource {
    /// Reads the key.
    ///
    /// # Errors
    /// If the source is missing, fails, can be read by others, or holds something else.
    pub fn load(&self) -> Result<SecretKey, KeyError> {
        match self {
            Self::File(path) => read_file(path),
            Self::Credential(name) => {
                let folder = std::env::var_os("CREDENTIALS_DIRECTORY");
                let folder = folder.ok_or_else(|| KeyError::NoCredentials { name: name.clone() })?;
                let path = Path::new(&folder).join(name);
                let bytes = std::fs::read(&path).map(Zeroizing::new).map_err(io("read", &path))?;
                parse(&bytes, &path.display().to_string())
            }
            Self::Command(words) => run(words),
        }
    }

    /// Makes a file with a new random key, for the first start.
    ///
    /// # Errors
    /// If the file exists already or cannot be written.
    pub fn create_file(path: &Path, randomness: &dyn Randomness) -> Result<(), KeyError> {
        let key = SecretKey::generate(randomness);
        let text = Zeroizing::new(format!("{}\n", hex(key.expose())));
        files::create(path, text.as_bytes()).map_err(io("make", path))
    }
}

fn read_file(path: &Path) -> Result<SecretKey, KeyError> {
    let metadata = std::fs::metadata(path).map_err(io("read", path))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::TooOpen { path: path.display().to_string(), mode });
    }
    let bytes = std::fs::read(path).map(Zeroizing::new).map_err(io("read", path))?;
    parse(&bytes, &path.display().to_string())
}

fn run(words: &[String]) -> Result<SecretKey, KeyError> {
    let program = words.first().cloned().unwrap_or_default();
    let failed = |source| KeyError::Io { act: "run", path: program.clone(), source };
    let mut child = Command::new(&program)
        .args(words.iter().skip(1))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let mut bytes = Zeroizing::new(Vec::new());
    if let Some(output) = child.stdout.take() {
        output.take(KEY_TEXT_BYTES).read_to_end(&mut bytes).map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    if !status.success() {
        return Err(KeyError::CommandFailed { command: program, status: status.to_string() });
    }
    parse(&bytes, &program)
}

fn parse(bytes: &[u8], path: &str) -> Result<SecretKey, KeyError> {
    if let Ok(raw) = <[u8; 32]>::try_from(bytes) {
        return Ok(SecretKey::from_bytes(raw));
    }
    let text = std::str::from_utf8(bytes).map(str::trim).unwrap_or_default();
    let key = parse_hex::<32>(text).map_err(|_| KeyError::NotAKey { path: path.to_owned() })?;
    Ok(SecretKey::from_bytes(key))
}

fn io(act: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyError {
    let path = path.display().to_string();
    move |source| KeyError::Io { act, path, source }
}
