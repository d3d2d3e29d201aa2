//! The binary: what it writes, and how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

fn spawn(dir: &Path, more: &[&str]) -> Child {
    spawn_as("services", dir, more)
}

fn spawn_as(command: &str, dir: &Path, more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_writ-sim"))
        .args([command, "--listen", "127.0.0.1:0", "--dir"])
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
fn signals_pull_the_services_and_bring_them_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut child = spawn(dir.path(), &["--stdin-eof", "--site", "bank=bank.example"]);
    let addr = announced(&mut child);
    let until = |there: bool| {
        let reached = || std::net::TcpStream::connect(&addr).is_ok() == there;
        (0..400).any(|_| {
            reached() || {
                std::thread::sleep(std::time::Duration::from_millis(25));
                false
            }
        })
    };
    assert!(std::fs::read_to_string(dir.path().join("sites-ca.pem")).unwrap().starts_with("-----BEGIN CERTIFICATE"));
    for (signal, there) in [("-USR1", false), ("-USR2", true)] {
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert!(until(there), "{signal}");
    }
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_chat_page_runs_as_a_process() {
    let (dir, chat_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut services = spawn(dir.path(), &["--stdin-eof", "--site", "chat=chat.example"]);
    let proxy = announced(&mut services);
    let roots = dir.path().join("ca.pem");
    let more = [
        "--stdin-eof",
        "--proxy",
        &proxy,
        "--roots",
        roots.to_str().unwrap(),
        "--service",
        "chat=The Chat@chat.example",
        "--person",
        "ann:secret:Ann",
    ];
    let mut chat = spawn_as("chat", chat_dir.path(), &more);
    let addr = announced(&mut chat);
    let mut stream = std::net::TcpStream::connect(&addr).unwrap();
    write!(stream, "GET / HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.contains("The Chat") && !page.contains("secret"), "{page}");
    for mut child in [chat, services] {
        drop(child.stdin.take());
        assert!(child.wait().unwrap().success());
    }
}

#[test]
fn the_company_prints_its_script() {
    let run = || Command::new(env!("CARGO_BIN_EXE_writ-sim")).args(["company", "--turns", "30"]).output().unwrap();
    let output = run();
    let lines = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success() && lines.lines().count() == 30);
    assert_eq!(run().stdout, output.stdout);
}

#[test]
fn wrong_arguments_are_explained() {
    for (arguments, message) in [
        (&[][..], "usage: writ-sim services"),
        (&["services"][..], "`--dir` is missing"),
        (&["services", "--port", "1"][..], "unknown argument `--port`"),
        (&["services", "--listen", "nowhere"][..], "`nowhere` is not a value of `--listen`"),
        (&["services", "--dir"][..], "`--dir` needs a value"),
        (&["services", "--dir", "x", "--site", "shop=x"][..], "`shop=x` is not a value of `--site`"),
        (&["chat", "--dir", "x"][..], "`--roots` is missing"),
        (&["chat", "--dir", "x", "--roots", "/none"][..], "`/none` cannot be read"),
        (&["chat", "--dir", "x", "--person", "ann"][..], "`ann` is not a value of `--person`"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_writ-sim")).args(arguments).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(message), "{text}");
    }
}
