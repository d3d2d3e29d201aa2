//! The binary: what it writes, and how it ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn spawn(dir: &Path, more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_writ-sim"))
        .args(["services", "--listen", "127.0.0.1:0", "--dir"])
        .arg(dir)
        .args(more)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The address that the process announces on its standard output.
fn announced(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line.trim().strip_prefix("ready ").unwrap().to_owned()
}

#[test]
fn it_announces_itself_and_ends_when_standard_input_closes() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = spawn(dir.path(), &["--stdin-eof"]);
    let addr = announced(&mut child);
    assert_eq!(std::fs::read_to_string(dir.path().join("ready")).unwrap().trim(), addr);
    assert!(std::fs::read_to_string(dir.path().join("ca.pem")).unwrap().starts_with("-----BEGIN CERTIFICATE"));
    assert!(dir.path().join("journal.jsonl").exists());
    assert!(std::net::TcpStream::connect(&addr).is_ok());
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert!(!dir.path().join("ready").exists(), "nothing is ready any more");
}

#[test]
fn it_ends_on_sigterm_and_outlives_a_closed_input_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = spawn(dir.path(), &[]);
    let addr = announced(&mut child);
    drop(child.stdin.take());
    assert!(std::net::TcpStream::connect(&addr).is_ok());
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(killed.success() && child.wait().unwrap().success());
}

#[test]
fn wrong_arguments_are_explained() {
    for (arguments, message) in [
        (&[][..], "usage: writ-sim services"),
        (&["services"][..], "`--dir` is missing"),
        (&["services", "--port", "1"][..], "unknown argument `--port`"),
        (&["services", "--listen", "nowhere"][..], "`nowhere` is not a value of `--listen`"),
        (&["services", "--dir"][..], "`--dir` needs a value"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_writ-sim")).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(message), "{text}");
    }
}
