//! Agents: runs of tools, and files with keys in them.

use super::conversations::{planted, said};
use super::fake;
use super::script::{Planted, PlantedKind, Scene, ScriptedTurn, Tool, Utterance};
use crate::seeded::{ALPHANUMERIC, Generator, HEXADECIMAL};

const TOOLS: [Tool; 2] = [
    Tool { name: "read_file", description: "Read a file of the repository.", argument: "path" },
    Tool { name: "run_tests", description: "Run the tests of one package.", argument: "package" },
];

/// What an agent is told that was not allowed to send a result.
pub(crate) const LEFT_OUT: &str = "This file was not sent. Go on without it.";

const STEPS: [(&str, &str, &str); 10] = [
    ("read_file", "README.md", "# Deploy\n\nRun `make deploy`. Stages are test and live.\n"),
    ("read_file", "Makefile", "deploy:\n\t./deploy.sh $(STAGE)\n"),
    ("run_tests", "deploy", "11 passed, 1 failed: stage_is_read_from_the_environment\n"),
    ("read_file", "deploy.sh", "set -eu\n. ./.env\n./bin/push --stage \"$1\" --region \"$REGION\"\n"),
    ("read_file", ".env", ""),
    ("read_file", "bin/push", "error: region is empty\n"),
    ("run_tests", "push", "7 passed\n"),
    ("read_file", "docs/stages.md", "live is deployed on Tuesdays\n"),
    ("run_tests", "deploy", "12 passed\n"),
    ("read_file", "CHANGELOG.md", "## Unreleased\n\n- stages are read from the environment\n"),
];

/// The turns of an agent: a short run, or a long one that comes upon a whole file of keys and goes on without it.
pub(crate) fn turns(base: ScriptedTurn, generator: &mut Generator) -> Vec<ScriptedTurn> {
    match base.scene {
        Scene::LongAgentRun => long_run(base, generator),
        _ => short_run(base, generator),
    }
}

fn begun(base: ScriptedTurn, task: &str) -> ScriptedTurn {
    let system = Some("You are a coding agent. Use the tools, then answer.".to_owned());
    said(ScriptedTurn { tools: TOOLS.to_vec(), system, ..base }, task.to_owned(), Vec::new())
}

fn short_run(base: ScriptedTurn, generator: &mut Generator) -> Vec<ScriptedTurn> {
    let secret = base.scene == Scene::AgentReadsSecret;
    let task =
        if secret { "The deployment fails. Find out why." } else { "Fix the failing test in the billing crate." };
    let first = begun(base, task);
    let (path, result, values) = if secret {
        let (file, values) = environment_file(generator);
        (".env", file, values)
    } else {
        ("README.md", "# Billing\n\nRun the tests with `make test`. The fixture year is 2024.\n".to_owned(), Vec::new())
    };
    let mut second = first.clone();
    second.utterances.push(used("read_file", path, result, generator));
    second.planted.extend(values);
    let mut third = second.clone();
    third.utterances.push(Utterance::Model("I have read the file.".to_owned()));
    let third = said(third, "Good. Summarise what you changed for the pull request.".to_owned(), Vec::new());
    vec![first, second, third]
}

fn long_run(base: ScriptedTurn, generator: &mut Generator) -> Vec<ScriptedTurn> {
    let mut turn = begun(base, "The live deployment stops with `region is empty`. Find the reason and fix it.");
    let mut turns = vec![turn.clone()];
    for (tool, argument, result) in STEPS {
        if argument == ".env" {
            let (file, values) = all_keys(generator);
            let mut with_keys = turn.clone();
            let call = used(tool, argument, file, generator);
            with_keys.utterances.push(call.clone());
            with_keys.planted = values;
            turns.push(with_keys);
            turn.utterances.push(left_out(call));
        } else {
            turn.utterances.push(used(tool, argument, result.to_owned(), generator));
        }
        turns.push(turn.clone());
    }
    turn.utterances.push(Utterance::Model("The region is read before the file is. I moved the line.".to_owned()));
    turns.push(said(turn, "Good. Write the commit message.".to_owned(), Vec::new()));
    turns
}

fn used(tool: &str, argument: &str, result: String, generator: &mut Generator) -> Utterance {
    let name = TOOLS.iter().find(|known| known.name == tool).map_or("path", |known| known.argument);
    Utterance::ToolUse {
        id: format!("call_{}", generator.token(24, ALPHANUMERIC)),
        name: tool.to_owned(),
        argument: (name.to_owned(), argument.to_owned()),
        result,
    }
}

/// The same call, as a client keeps it whose result was stopped.
fn left_out(call: Utterance) -> Utterance {
    match call {
        Utterance::ToolUse { id, name, argument, .. } => {
            Utterance::ToolUse { id, name, argument, result: LEFT_OUT.to_owned() }
        }
        other => other,
    }
}

/// An environment file with one pair of keys.
pub(crate) fn environment_file(generator: &mut Generator) -> (String, Vec<Planted>) {
    let (id, secret) = (fake::aws_access_key(generator), fake::aws_secret_key(generator));
    let file = format!("REGION=eu-central-1\nSTAGE=test\nAWS_ACCESS_KEY_ID={id}\nAWS_SECRET_ACCESS_KEY={secret}\n");
    let values = vec![planted(PlantedKind::AwsAccessKey, &id), planted(PlantedKind::AwsSecretKey, &secret)];
    (file, values)
}

/// An environment file in which a team keeps everything: twelve keys and passwords.
fn all_keys(generator: &mut Generator) -> (String, Vec<Planted>) {
    let (mut file, mut values) = environment_file(generator);
    for service in ["BACKUP", "ARCHIVE", "REPORTS", "QUEUE"] {
        let (id, secret) = (fake::aws_access_key(generator), fake::aws_secret_key(generator));
        file.push_str(&format!("{service}_AWS_ACCESS_KEY_ID={id}\n{service}_AWS_SECRET_ACCESS_KEY={secret}\n"));
        values.extend([planted(PlantedKind::AwsAccessKey, &id), planted(PlantedKind::AwsSecretKey, &secret)]);
    }
    let (password, token) = (generator.token(24, ALPHANUMERIC), generator.token(40, HEXADECIMAL));
    file.push_str(&format!("DATABASE_PASSWORD=\"{password}\"\nDEPLOY_TOKEN=\"{token}\"\nLOG_LEVEL=info\n"));
    values.extend([planted(PlantedKind::Password, &password), planted(PlantedKind::Token, &token)]);
    (file, values)
}
