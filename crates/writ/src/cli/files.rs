//! What commands read: texts within a limit, keys from files, never from arguments.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use writ_base::keys::SecretKey;
use writ_base::{Limit, Sensitive, hash};

/// The largest text that a command holds at once.
pub(crate) static TEXT: Limit = Limit::new("cli.text", "bytes", 256 << 20);
/// The largest secret in a file.
static SECRET: Limit = Limit::new("cli.secret", "bytes", 16 << 10);

/// A file, or standard input where the path is `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// `-`.
    StandardInput,
    /// A file.
    File(PathBuf),
}

impl From<&str> for Source {
    fn from(path: &str) -> Self {
        if path == "-" { Self::StandardInput } else { Self::File(path.into()) }
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl Source {
    /// How people call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::StandardInput => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Opens it.
    pub(crate) fn open(&self) -> anyhow::Result<Box<dyn Read>> {
        match self {
            Self::StandardInput => Ok(Box::new(io::stdin().lock())),
            Self::File(path) => {
                let file = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
                Ok(Box::new(file))
            }
        }
    }

    /// The whole text.
    ///
    /// # Errors
    /// If it cannot be read, is over the limit or is not UTF-8.
    pub(crate) fn text(&self, limit: &Limit) -> anyhow::Result<String> {
        let most = u64::try_from(limit.value()).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        let read = self.open()?.take(most.saturating_add(1)).read_to_end(&mut bytes);
        read.with_context(|| format!("cannot read `{}`", self.name()))?;
        if !limit.admits(bytes.len()) {
            bail!("`{}` has more than {} bytes (limit `{}`)", self.name(), limit.value(), limit.name());
        }
        let invalid = |at: usize| format!("`{}` is not UTF-8 text (byte {at}); convert it first", self.name());
        String::from_utf8(bytes).map_err(|error| anyhow::anyhow!(invalid(error.utf8_error().valid_up_to())))
    }
}

/// A secret from a file or standard input, without the line end.
///
/// # Errors
/// If it cannot be read, is empty, has several lines or is over the limit.
pub(crate) fn secret(source: &Source) -> anyhow::Result<Sensitive<String>> {
    let text = source.text(&SECRET)?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() || secret.contains(['\r', '\n']) || secret.trim() != secret {
        bail!("`{}` must hold one line with the secret and nothing else", source.name());
    }
    Ok(Sensitive::new(secret.to_owned()))
}

/// A key from a file with 64 hexadecimal digits.
///
/// # Errors
/// If it cannot be read or holds something else.
pub(crate) fn key(path: &Path) -> anyhow::Result<SecretKey> {
    let text = secret(&Source::File(path.to_owned()))?;
    let bytes = hash::parse_hex::<32>(text.expose()).ok();
    let wrong =
        || format!("`{}` does not hold 64 hexadecimal digits; make one with `openssl rand -hex 32`", path.display());
    bytes.map(SecretKey::from_bytes).with_context(wrong)
}

/// Replaces a file as a whole: whoever reads it meanwhile sees the old or the new text.
///
/// # Errors
/// If the folder or the file cannot be written.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let written = std::fs::write(&beside, text)
        .and_then(|()| std::fs::set_permissions(&beside, std::fs::metadata(path)?.permissions()))
        .and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// The files behind paths, in the order given; folders stand for all files in them, by name, without hidden ones.
///
/// # Errors
/// If a path does not exist or a folder cannot be read.
pub(crate) fn expand(paths: &[String]) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for path in paths {
        match Source::from(path.as_str()) {
            Source::File(path) if path.is_dir() => walk(&path, &mut sources)?,
            source => sources.push(source),
        }
    }
    Ok(sources)
}

fn walk(folder: &Path, sources: &mut Vec<Source>) -> anyhow::Result<()> {
    let failed = || format!("cannot read the folder `{}`", folder.display());
    let mut entries =
        std::fs::read_dir(folder).with_context(failed)?.collect::<Result<Vec<_>, _>>().with_context(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        let kind = entry.file_type().with_context(failed)?;
        if hidden {
            continue;
        }
        if kind.is_dir() {
            walk(&entry.path(), sources)?;
        } else if kind.is_file() {
            sources.push(Source::File(entry.path()));
        }
    }
    Ok(())
}
