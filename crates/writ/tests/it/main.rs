//! What people see: standard output, standard error and exit code of each command that needs no server.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(clippy::string_slice, reason = "offsets are tested by cutting")]

mod decide;
mod guides;
mod help;
mod home;
mod policy;
mod redact;
mod scan;
mod standing;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A folder with files, in which commands run.
struct Folder(TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a command and returns all that can be seen of it.
    fn writ(&self, arguments: &[&str]) -> String {
        self.writ_with(arguments, "")
    }

    /// As [`Folder::writ`], with something on standard input.
    fn writ_with(&self, arguments: &[&str], input: &str) -> String {
        let (code, out, err) = self.run(arguments, input);
        let err = if err.is_empty() { String::new() } else { format!("---- stderr\n{err}") };
        self.filtered(&format!("$ writ {}\n{out}{err}---- exit {code}\n", arguments.join(" ")))
    }

    /// Exit code, standard output, standard error.
    fn run(&self, arguments: &[&str], input: &str) -> (i32, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_writ"))
            .args(arguments)
            .current_dir(self.path())
            .env_remove("NO_COLOR")
            .env("COLUMNS", "100")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that ends before it has read everything is no failure of the test.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Takes out what differs from run to run: the folder, hashes, ids, times.
    fn filtered(&self, text: &str) -> String {
        let text = text.replace(&self.path().display().to_string(), "[FOLDER]");
        text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || "_-:.".contains(c))).map(filtered_word).collect()
    }
}

fn filtered_word(word: &str) -> String {
    let core = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
    let rest = word.get(core.len()..).unwrap_or_default();
    let hexadecimal = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    let time = core.len() == 24 && core.ends_with('Z') && core.as_bytes().get(10) == Some(&b'T');
    let id = core.split_once('_').filter(|(_, digits)| digits.len() == 32 && hexadecimal(digits));
    match id {
        _ if core.len() == 64 && hexadecimal(core) => format!("[HASH]{rest}"),
        _ if time => format!("[TIME]{rest}"),
        Some((prefix, _)) => format!("{prefix}_[ID]{rest}"),
        None => word.to_owned(),
    }
}
