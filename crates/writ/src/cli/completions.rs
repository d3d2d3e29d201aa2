//! Shell completions and the man page, from the definitions of the command line.

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::Shell;

use super::{Cli, Exit, Output};

/// Print completions for a shell, or the man page.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  writ completions bash > /etc/bash_completion.d/writ
  writ completions man > writ.1")]
pub(crate) struct Completions {
    /// The shell, or `man`
    target: Target,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Target {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
    Man,
}

impl Completions {
    pub(crate) fn run(&self, output: &mut Output) -> anyhow::Result<Exit> {
        let mut page = Vec::new();
        let mut command = Cli::command();
        let mut complete = |shell: Shell| clap_complete::generate(shell, &mut command, "writ", &mut page);
        match self.target {
            Target::Bash => complete(Shell::Bash),
            Target::Elvish => complete(Shell::Elvish),
            Target::Fish => complete(Shell::Fish),
            Target::Powershell => complete(Shell::PowerShell),
            Target::Zsh => complete(Shell::Zsh),
            Target::Man => manual(&mut page)?,
        }
        output.text(&String::from_utf8_lossy(&page))?;
        Ok(Exit::Yes)
    }
}

/// The page of `writ` itself, then one section per command.
fn manual(page: &mut Vec<u8>) -> std::io::Result<()> {
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(page)?;
    commands(&command, page)
}

fn commands(command: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set() && inner.get_name() != "help") {
        if inner.get_subcommands().next().is_some() {
            commands(inner, page)?;
            continue;
        }
        let man = clap_mangen::Man::new(inner.clone());
        let title = inner.get_display_name().unwrap_or(inner.get_name()).replace('-', " ");
        page.extend_from_slice(format!(".SH \"{}\"\n", title.to_uppercase()).as_bytes());
        let mut body = Vec::new();
        man.render_description_section(&mut body)?;
        man.render_options_section(&mut body)?;
        // Sections of the command become subsections of its own.
        page.extend_from_slice(String::from_utf8_lossy(&body).replace(".SH ", ".SS ").as_bytes());
        if let Some(examples) = inner.get_after_help() {
            let examples = examples.to_string().replace('\\', "\\e").replace('-', "\\-");
            page.extend_from_slice(format!(".PP\n.nf\n{examples}\n.fi\n").as_bytes());
        }
    }
    Ok(())
}
