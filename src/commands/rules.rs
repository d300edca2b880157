//! `tieout rules`: check and test rule files.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Context, Exit, UsageError, print};
use crate::{
    matching::run_case,
    rules::{RuleSet, run_examples},
    shipped,
};

/// Checks and tests rule files
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  tieout rules check rules/\n  tieout rules test")]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Loads the rules and says what is wrong with them
    Check {
        /// Folder of rule files [default: those of the configuration]
        folder: Option<PathBuf>,
    },
    /// Runs the examples of the rules and the whole cases of tests/
    Test {
        /// Folder of rule files [default: those of the configuration]
        folder: Option<PathBuf>,
    },
}

pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let (Action::Check { folder } | Action::Test { folder }) = &args.action;
    let folder = folder.as_deref().or(context.config.rules.as_deref());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(UsageError(format!(
            "{} is no folder; name the one that holds authority.toml and its like",
            folder.display()
        ))
        .into());
    }
    let rules = match load(folder) {
        Ok(rules) => rules,
        Err(errors) => {
            eprint!("{errors}");
            eprintln!("\nThe rules cannot be used until this is mended.");
            return Ok(Exit::InputErrors);
        }
    };
    match args.action {
        Action::Check { .. } => {
            let place = folder.map_or_else(|| "the shipped rules".to_owned(), |folder| folder.display().to_string());
            print(&format!("{place}: good, set {}\n", rules.hash))?;
            Ok(Exit::Success)
        }
        Action::Test { .. } => test(&rules),
    }
}

fn load(folder: Option<&Path>) -> Result<RuleSet, crate::rules::RuleErrors> {
    match folder {
        Some(folder) => RuleSet::load(folder),
        None => RuleSet::from_texts(&shipped::rules()),
    }
}

fn test(rules: &RuleSet) -> anyhow::Result<Exit> {
    let examples = run_examples(rules);
    let mut text = String::new();
    let mut failed = 0;
    for example in examples.iter().filter(|example| !example.passed) {
        failed += 1;
        text.push_str(&format!("{example}\n"));
    }
    for case in &rules.cases {
        let faults = run_case(case, rules);
        failed += usize::from(!faults.is_empty());
        for fault in faults {
            text.push_str(&format!("case {}: FAILED: {fault}\n", case.id));
        }
    }
    text.push_str(&format!("{} examples and {} cases, {failed} failed\n", examples.len(), rules.cases.len()));
    print(&text)?;
    Ok(if failed == 0 { Exit::Success } else { Exit::InputErrors })
}
