//! kill -9 in a loop under load: what was acknowledged is there, and the chain verifies (STO-1).

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use writ_store::ledger::{Checkpoint, Durability, LedgerReader, Trust, verify};
use writ_store::storage::FileStorage;

use crate::support::{config, decision, open, outcome};

const FOLDER: &str = "WRIT_TEST_APPEND_TO";
const ROUND: &str = "WRIT_TEST_ROUND";
const ROUNDS: u64 = 20;

/// The process that is killed: appends from several threads and prints what was acknowledged.
#[test]
#[ignore = "run by the test below"]
fn appender() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let round: u64 = std::env::var(ROUND).unwrap().parse().unwrap();
    let storage = FileStorage::new(folder.as_ref()).unwrap();
    let mut small = config(if round.is_multiple_of(2) { Durability::Process } else { Durability::Power });
    small.segment_bytes = 40_000;
    let ledger = open(&storage, small).unwrap();
    let say = |line: String| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{line}").and_then(|()| out.flush()).unwrap();
    };
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let ledger = ledger.clone();
            scope.spawn(move || {
                for number in 0.. {
                    let number = round * 10_000_000 + thread * 1_000_000 + number;
                    let written = ledger.append_blocking(decision(number)).unwrap();
                    say(format!("ack {} {}", written.sequence, written.hash));
                    ledger.append_blocking(outcome(number)).unwrap();
                }
            });
        }
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            loop {
                let checkpoint = runtime.block_on(ledger.checkpoint()).unwrap();
                say(format!("checkpoint {}", serde_json::to_string(&checkpoint).unwrap()));
                std::thread::sleep(Duration::from_millis(5));
            }
        });
    });
}

#[test]
fn kill_in_a_loop_loses_nothing_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<(u64, String)> = Vec::new();
    let mut checkpoints: Vec<Checkpoint> = Vec::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "kill::appender", "--ignored", "--nocapture", "--test-threads=1"])
            .env(FOLDER, folder.path())
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Killed after a number of acknowledgements, not after a time: a slow machine tests the same.
        let (mut told, wanted) = (0, 20 + round * 37 % 400);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut killed = false;
        while let Some(Ok(line)) = lines.next() {
            if let Some((_, rest)) = line.split_once("ack ")
                && let Some((sequence, hash)) = rest.split_once(' ')
                && hash.len() == 64
            {
                acknowledged.push((sequence.parse().unwrap(), hash.to_owned()));
                told += 1;
            } else if let Some(json) = line.strip_prefix("checkpoint ") {
                checkpoints.extend(serde_json::from_str::<Checkpoint>(json));
            }
            if told >= wanted && !killed {
                child.kill().unwrap();
                killed = true;
            }
        }
        child.wait().unwrap();
        assert!(killed, "round {round} ended by itself");
        let storage = FileStorage::new(folder.path()).unwrap();
        let ledger = open(&storage, config(Durability::Process)).unwrap();
        assert!(ledger.opening().unclean);
        drop(ledger);
    }
    let storage = Arc::new(FileStorage::new(folder.path()).unwrap());
    verify(storage.clone(), &Trust { earlier: checkpoints.clone(), keys: Vec::new() }).unwrap();
    let there: BTreeSet<(u64, String)> = LedgerReader::new(storage, 0)
        .map(|entry| entry.map(|entry| (entry.header.sequence, entry.hash.to_string())).unwrap())
        .collect();
    let lost: Vec<_> = acknowledged.iter().filter(|told| !there.contains(told)).collect();
    assert!(lost.is_empty(), "{} of {} are gone", lost.len(), acknowledged.len());
    assert!(acknowledged.len() > 1000 && !checkpoints.is_empty());
}
