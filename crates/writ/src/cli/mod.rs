//! The command line: one definition serves parsing, `--help`, completions and the man page.
//!
//! Exit codes: 0 yes or done; 1 the answer is no, or there are findings or diagnostics; 2 the command could not be
//! carried out (usage, files, configuration). Data goes to standard output, everything said about it to standard
//! error. Secrets are never arguments, and none is printed except a new API key, once.

mod access;
mod backup;
mod ca;
mod completions;
mod decide;
mod demo;
pub(crate) mod files;
mod keys;
mod ledger;
mod output;
pub(crate) mod people;
mod policy;
mod redact;
mod rollout;
mod scan;
mod serve;
mod settings;
mod situation;
mod standing;
mod text;

use anyhow::Context as _;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand};

pub(crate) use output::{Exit, Output, colours_wanted};

/// Colours of help and errors; clap leaves them out where they do not belong.
const STYLES: Styles =
    Styles::styled().header(AnsiColor::Green.on_default().bold()).usage(AnsiColor::Green.on_default().bold());

/// The command line as given.
#[derive(Debug, Parser)]
#[command(name = "writ", version, styles = STYLES, max_term_width = 120, arg_required_else_help = true)]
#[command(about = "Turns an AI usage policy into something that is enforced")]
#[command(after_help = "Exit codes: 0 yes or done; 1 no, findings or diagnostics; 2 usage or environment.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Demo(demo::Demo),
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    #[command(subcommand)]
    Rollout(rollout::RolloutCommand),
    Decide(decide::Decide),
    Scan(scan::Scan),
    Redact(redact::Redact),
    #[command(subcommand)]
    Config(settings::ConfigCommand),
    #[command(subcommand)]
    Ca(ca::CaCommand),
    #[command(subcommand)]
    Caller(access::CallerCommand),
    #[command(subcommand)]
    Provider(access::ProviderCommand),
    #[command(subcommand)]
    Person(people::PersonCommand),
    #[command(subcommand)]
    Account(people::AccountCommand),
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    Backup(backup::Backup),
    Restore(backup::Restore),
    #[command(hide = true)]
    Completions(completions::Completions),
}

/// Parses the arguments and carries the command out.
pub(crate) fn main() -> std::process::ExitCode {
    let cli = Cli::parse();
    let mut output = Output::of_process();
    let exit = match cli.command.run(&mut output).and_then(|exit| output.finish().map(|()| exit)) {
        Ok(exit) => exit,
        // Whoever reads our output has seen enough of it.
        Err(error) if output::reader_gone(&error) => Exit::Yes,
        Err(error) => {
            output.error(&error);
            Exit::Failed
        }
    };
    exit.into()
}

impl Command {
    fn run(self, output: &mut Output) -> anyhow::Result<Exit> {
        match self {
            Self::Serve(command) => command.run(),
            Self::Demo(command) => command.run(output),
            Self::Policy(command) => command.run(output),
            Self::Rollout(command) => command.run(output),
            Self::Decide(command) => command.run(output),
            Self::Scan(command) => command.run(output),
            Self::Redact(command) => command.run(output),
            Self::Config(command) => command.run(output),
            Self::Ca(command) => command.run(output),
            Self::Caller(command) => command.run(output),
            Self::Provider(command) => command.run(output),
            Self::Person(command) => command.run(output),
            Self::Account(command) => command.run(output),
            Self::Ledger(command) => command.run(output),
            Self::Keys(command) => command.run(output),
            Self::Backup(command) => command.run(output),
            Self::Restore(command) => command.run(output),
            Self::Completions(command) => command.run(output),
        }
    }
}

/// Runs a command that waits for files and databases, on this thread.
fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start the runtime")?.block_on(future)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn definitions_do_not_contradict_each_other() {
        super::Cli::command().debug_assert();
    }

    /// Every command that people see says what it does and shows examples.
    #[test]
    fn every_command_has_examples() {
        fn visit(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path} says nothing");
            if command.get_subcommands().next().is_none() {
                let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
                assert!(help.contains("Examples:") && help.contains("writ "), "{path} has no examples");
            }
            command
                .get_subcommands()
                .filter(|command| !command.is_hide_set())
                .for_each(|command| visit(command, &path));
        }
        visit(&super::Cli::command(), "");
    }
}
