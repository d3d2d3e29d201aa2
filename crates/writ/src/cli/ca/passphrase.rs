//! A passphrase from a file or from the terminal, never from an argument.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use writ_base::Sensitive;

use super::super::files::{self, Source};

/// Where a passphrase comes from.
pub(super) enum PassphraseSource {
    /// A file, a descriptor (`/dev/fd/3`) or standard input.
    File(Source),
    /// Whoever sits at the terminal.
    Terminal,
}

impl PassphraseSource {
    pub(super) fn from(file: Option<&str>) -> Self {
        file.map_or(Self::Terminal, |file| Self::File(Source::from(file)))
    }

    /// The passphrase of a key that exists.
    pub(super) fn existing(&self, key: &Path) -> anyhow::Result<Sensitive<String>> {
        match self {
            Self::File(source) => files::secret(source),
            Self::Terminal => ask(&format!("Passphrase of {}: ", key.display())),
        }
    }

    /// A new passphrase; from the terminal it is asked for twice.
    pub(super) fn fresh(&self, folder: &Path) -> anyhow::Result<Sensitive<String>> {
        match self {
            Self::File(source) => files::secret(source),
            Self::Terminal => {
                let first = ask(&format!("New passphrase for {} (12 characters or more): ", folder.display()))?;
                if first != ask("The same again: ")? {
                    bail!("the two passphrases differ; nothing was made");
                }
                Ok(first)
            }
        }
    }
}

/// Asks at the terminal, whatever standard input and output are; what is typed is not shown.
fn ask(question: &str) -> anyhow::Result<Sensitive<String>> {
    let terminal = File::options().read(true).write(true).open("/dev/tty");
    let mut terminal = terminal.context("there is no terminal to ask for the passphrase; use `--passphrase-file`")?;
    let shown = tcgetattr(&terminal).context("cannot talk to the terminal")?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    // Before the question: whoever answers at once is not shown either.
    tcsetattr(&terminal, OptionalActions::Flush, &hidden)?;
    let mut line = String::new();
    let asked = terminal.write_all(question.as_bytes());
    let read = asked.and_then(|()| BufReader::new(&terminal).read_line(&mut line));
    tcsetattr(&terminal, OptionalActions::Now, &shown)?;
    terminal.write_all(b"\n")?;
    read.context("cannot read the passphrase")?;
    Ok(Sensitive::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}
