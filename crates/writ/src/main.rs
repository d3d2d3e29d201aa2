//! The Writ command.

mod cli;
mod config;
mod demo;
mod policy_file;
mod serve;
mod wiring;

fn main() -> std::process::ExitCode {
    cli::main()
}
