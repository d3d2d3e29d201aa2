//! Where a command writes: data to standard output (buffered), what is said about it to standard error.

use std::fmt::{Arguments, Display};
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Style};
use serde::Serialize;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Yes, or done.
    Yes,
    /// The answer is no, or there are findings or diagnostics.
    No,
    /// It could not be carried out.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Yes => 0,
            Exit::No => 1,
            Exit::Failed => 2,
        })
    }
}

/// Standard output and standard error of a command.
pub(crate) struct Output {
    out: BufWriter<Box<dyn Write>>,
    err: Box<dyn Write>,
    out_coloured: bool,
    err_coloured: bool,
}

/// Bytes that are collected before they are written.
const BUFFER: usize = 64 * 1024;

impl Output {
    /// Those of this process; with colours on a terminal, unless `NO_COLOR` is set (<https://no-color.org>).
    pub(crate) fn of_process() -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let wanted = colours_wanted();
        Self {
            out_coloured: wanted && out.is_terminal(),
            err_coloured: wanted && err.is_terminal(),
            out: BufWriter::with_capacity(BUFFER, Box::new(out.lock())),
            err: Box::new(err),
        }
    }

    /// Standard output kept in memory, and the place where it is kept.
    #[cfg(test)]
    pub(crate) fn in_memory() -> (Self, Memory) {
        let memory = Memory::default();
        let out: Box<dyn Write> = Box::new(memory.clone());
        let output =
            Self { out: BufWriter::new(out), err: Box::new(io::sink()), out_coloured: false, err_coloured: false };
        (output, memory)
    }

    /// Writes a line of data.
    pub(crate) fn line(&mut self, line: impl Display) -> io::Result<()> {
        writeln!(self.out, "{line}")
    }

    /// Writes data as it is.
    pub(crate) fn text(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    /// Writes one value as JSON over several lines.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, value)?;
        Ok(writeln!(self.out)?)
    }

    /// Writes one value as one line of JSON.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        Ok(self.out.write_all(b"\n")?)
    }

    /// Says something about the data, on standard error.
    pub(crate) fn say(&mut self, line: Arguments<'_>) -> io::Result<()> {
        self.out.flush()?;
        writeln!(self.err, "{line}")
    }

    /// Says what went wrong, on standard error.
    pub(crate) fn error(&mut self, error: &anyhow::Error) {
        let word = paint(self.err_coloured, RED, "error");
        // Where nobody listens, the exit code tells.
        let _ = self.out.flush();
        let text = format!("{error:#}");
        let _ = writeln!(self.err, "{word}: {}", text.trim_end());
    }

    /// The word in a colour that says how strict an effect is, where colours are shown.
    pub(crate) fn effect(&self, effect: writ_model::Effect) -> String {
        let style = match effect {
            writ_model::Effect::Allow => GREEN,
            writ_model::Effect::Coach | writ_model::Effect::Justify => YELLOW,
            writ_model::Effect::Block => RED,
        };
        paint(self.out_coloured, style, effect.as_str())
    }

    /// A word that stands for success or failure, where colours are shown in red or green.
    pub(crate) fn verdict(&self, good: bool, word: &str) -> String {
        paint(self.out_coloured, if good { GREEN } else { RED }, word)
    }

    /// Hands on what is buffered, as a pipe expects after each piece of its input.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Writes what is still buffered.
    pub(crate) fn finish(&mut self) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }
}

/// Whether nobody asked for no colours.
pub(crate) fn colours_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();

fn paint(coloured: bool, style: Style, word: &str) -> String {
    if coloured { format!("{style}{word}{style:#}") } else { word.to_owned() }
}

/// Whether the reader of our output closed it: `writ scan ... | head`.
pub(crate) fn reader_gone(error: &anyhow::Error) -> bool {
    let broken = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| {
        let json = cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        cause.downcast_ref::<io::Error>().is_some_and(broken) || json == Some(io::ErrorKind::BrokenPipe)
    })
}

/// What a test reads.
#[cfg(test)]
#[derive(Clone, Default)]
pub(crate) struct Memory(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);

#[cfg(test)]
impl Memory {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

#[cfg(test)]
impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
