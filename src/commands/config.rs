//! `tieout config check`: what the program was told, by whom, and what is wrong with it.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use clap::Subcommand;

use super::Exit;
use crate::config::{Config, Loaded};

/// Shows the configuration and where every value came from
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tieout config check")]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Action {
    /// Prints every setting, its origin, and what is wrong; secrets are masked
    Check,
}

pub fn run(args: &Args, loaded: &Loaded) -> anyhow::Result<Exit> {
    let Action::Check = args.action;
    let mut out = io::stdout().lock();
    print_settings(loaded, &mut out)?;
    let mut wrong: Vec<String> = loaded.problems.iter().map(|problem| format!("error: {problem}")).collect();
    if let Ok(config) = loaded.config() {
        wrong.extend(unusable_folders(&config).into_iter().map(|text| format!("error: {text}")));
    }
    out.flush()?;
    for line in &wrong {
        eprintln!("{line}");
    }
    match wrong.len() {
        0 => eprintln!("The configuration can be used."),
        count => eprintln!("The configuration cannot be used: {count} to correct."),
    }
    Ok(if wrong.is_empty() { Exit::Success } else { Exit::InputErrors })
}

fn print_settings(loaded: &Loaded, out: &mut dyn Write) -> io::Result<()> {
    match &loaded.file {
        Some(path) => writeln!(out, "# read from {}", path.display())?,
        None => writeln!(out, "# no tieout.toml here; defaults, variables and flags only")?,
    }
    let width = loaded.settings.iter().map(|setting| setting.definition.key.len()).max().unwrap_or_default();
    for setting in &loaded.settings {
        let key = setting.definition.key;
        let value = match setting.value.as_str() {
            "" => "(not set)".to_owned(),
            value => setting.definition.masked(value),
        };
        writeln!(out, "{key:width$}  {value}    [{}: {}]", setting.origin, setting.definition.purpose)?;
    }
    for (user, role) in &loaded.users {
        writeln!(out, "users.{user}  {role}")?;
    }
    Ok(())
}

/// Folders that could not be made or written when a command needs them. Nothing is made here.
fn unusable_folders(config: &Config) -> Vec<String> {
    let mut wrong = Vec::new();
    for (key, path) in [("home", &config.home), ("inbox.folder", &config.inbox), ("outbound.folder", &config.outbound)] {
        let Some(existing) = path.ancestors().find(|folder| folder.exists() || folder.as_os_str().is_empty()) else { continue };
        let existing = if existing.as_os_str().is_empty() { Path::new(".") } else { existing };
        match fs::metadata(existing) {
            Ok(data) if !data.is_dir() => wrong.push(format!("{key}: {} is a file; expected a folder", existing.display())),
            Ok(data) if data.permissions().readonly() => {
                wrong.push(format!("{key}: {} cannot be written to", existing.display()))
            }
            Ok(_) => {}
            Err(error) => wrong.push(format!("{key}: {}: {error}", existing.display())),
        }
    }
    if let Some(rules) = config.rules.as_ref().filter(|rules| !rules.is_dir()) {
        wrong.push(format!("rules: {} is not a folder; expected the folder of rule files", rules.display()));
    }
    wrong
}
