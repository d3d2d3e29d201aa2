//! STO-1: what was acknowledged survives a crash at every operation of the disk, as the durability mode says.

use std::sync::Arc;

use writ_store::ledger::{Checkpoint, Durability, Ledger, LedgerConfig, LedgerReader, Trust, verify};
use writ_store::storage::{Crash, SimulatedStorage};

use crate::support::{config, decision, open, outcome};

fn small(durability: Durability) -> LedgerConfig {
    let mut config = config(durability);
    config.segment_bytes = 2500;
    config
}

/// What a run was told: numbers of acknowledged decisions, and a checkpoint if it got one.
#[derive(Default)]
struct Told {
    decisions: Vec<u64>,
    checkpoint: Option<Checkpoint>,
}

/// Writes until the disk stops.
fn run(ledger: &Ledger, from: u64) -> Told {
    let mut told = Told::default();
    for number in from..from + 12 {
        if ledger.append_blocking(decision(number)).is_err() {
            break;
        }
        told.decisions.push(number);
        if number % 2 == 0 && ledger.append_blocking(outcome(number)).is_err() {
            break;
        }
        if number == from + 5 {
            let checkpoint =
                tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(ledger.checkpoint());
            told.checkpoint = checkpoint.ok();
        }
    }
    told
}

fn check(disk: &SimulatedStorage, told: &Told, all_survive: bool, place: &str) {
    let reopened = open(disk, small(Durability::Process)).unwrap_or_else(|error| panic!("{place}: {error}"));
    let opening = reopened.opening();
    // It can be written on, and verifies: before the clean end and after it.
    reopened.append_blocking(decision(999)).unwrap();
    let trust = Trust { earlier: told.checkpoint.clone().into_iter().collect(), keys: Vec::new() };
    verify(Arc::new(disk.clone()), &trust).unwrap_or_else(|error| panic!("{place}: {error}"));
    drop(reopened);
    verify(Arc::new(disk.clone()), &trust).unwrap_or_else(|error| panic!("{place}: {error}"));
    let entries: Vec<_> = LedgerReader::new(Arc::new(disk.clone()), 0).map(Result::unwrap).collect();
    let there = |number: &u64| entries.iter().any(|entry| entry.skeleton == decision(*number).skeleton);
    let survived: Vec<bool> = told.decisions.iter().map(there).collect();
    if all_survive {
        assert!(survived.iter().all(|there| *there), "{place}: an acknowledged entry is gone");
    } else {
        assert!(survived.is_sorted_by(|a, b| a >= b), "{place}: an entry survived that came after a lost one");
        let lost = survived.iter().any(|there| !there);
        assert!(!lost || opening.gap.is_some() || opening.new, "{place}: entries are lost and nothing says so");
    }
}

/// Runs the same work with the disk stopping at every operation, and looks at it after each kind of crash.
fn crash_everywhere(durability: Durability) {
    let probe = SimulatedStorage::new();
    let ledger = open(&probe, small(durability)).unwrap();
    run(&ledger, 0);
    drop(ledger);
    let operations = probe.operations();
    assert!(operations > 40);
    for operation in 0..operations + 2 {
        let disk = SimulatedStorage::new();
        disk.fail_from(operation);
        let told = open(&disk, small(durability)).map(|ledger| run(&ledger, 0)).unwrap_or_default();
        check(&disk.crash(Crash::Kill), &told, true, &format!("killed at {operation}"));
        for seed in 0..6 {
            let place = format!("power cut at {operation}, seed {seed}");
            let crashed = disk.crash(Crash::Power { seed });
            check(&crashed, &told, durability == Durability::Power, &place);
        }
    }
}

#[test]
fn process_durability_survives_a_crash_at_every_operation() {
    crash_everywhere(Durability::Process);
}

#[test]
fn power_durability_survives_a_crash_at_every_operation() {
    crash_everywhere(Durability::Power);
}

#[test]
fn recovery_itself_survives_a_crash_at_every_operation() {
    let disk = SimulatedStorage::new();
    let ledger = open(&disk, small(Durability::Power)).unwrap();
    let told = run(&ledger, 0);
    disk.fail_from(disk.operations());
    drop(ledger);
    for seed in 0..12 {
        let crashed = disk.crash(Crash::Power { seed });
        for operation in 0..20 {
            let again = crashed.copy();
            again.fail_from(operation);
            drop(open(&again, small(Durability::Power)));
            check(&again.crash(Crash::Power { seed: seed + 100 }), &told, true, &format!("seed {seed}, {operation}"));
        }
    }
}
