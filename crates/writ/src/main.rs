//! The Writ command.

mod cli;
mod config;
mod demo;
mod door;
mod policy_file;
mod redecide;
mod serve;
mod wiring;

fn main() -> std::process::ExitCode {
    cli::main()
}
