//! `tieout rules`: check, test, compare and backtest rule files, let a set run, and see what rules did.

mod activate;
mod backtest;
mod diff;
mod list;

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use clap::Subcommand;

use super::{Context, Exit, Format, UsageError, print};
use crate::{
    matching::run_case,
    rules::{RuleSet, run_examples},
    shipped,
};

/// Checks, tests, compares and backtests rule files, and lets a set run
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  tieout rules check rules/
  tieout rules test rules/
  tieout rules diff active rules/
  tieout --rules rules/ rules backtest
  tieout --rules rules/ rules activate --by ann --approved-by bob
  tieout rules list")]
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
    /// Says rule by rule what differs between two sets
    #[command(
        after_help = "Examples:\n  tieout rules diff rules-of-last-year/ rules/\n  tieout rules diff active rules/ --format json"
    )]
    Diff {
        /// Folder of rule files, or `active` for the set that runs
        #[arg(default_value = "active")]
        old: String,
        /// The same [default: the rules of the configuration]
        new: Option<String>,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Replays history under the rules of --rules, and says what they would do otherwise and what of it people found wrong
    #[command(after_help = "Examples:
  tieout --rules rules/ rules backtest
  tieout --rules rules/ rules backtest --from 2026-01-01 --to 2026-01-31 --format json

Exit code 1 says that more is now wrong than the budget of a rule allows. Only a backtest over all history lets a set run.")]
    Backtest {
        /// First business day
        #[arg(long, value_name = "DAY")]
        from: Option<NaiveDate>,
        /// Last business day
        #[arg(long, value_name = "DAY")]
        to: Option<NaiveDate>,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
    /// Lets the rules of --rules run from now on, in every process on this ledger
    #[command(after_help = "Example:
  tieout --rules rules/ rules activate --by ann --approved-by bob

It needs a passing backtest of exactly these rules, and two people whose role has activate_rules in authority.toml.")]
    Activate {
        /// Who wants it [default: who acts]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
        /// Who agreed
        #[arg(long, value_name = "NAME")]
        approved_by: String,
    },
    /// Shows what the rules that post did so far, which were demoted and why, and what runs only in shadow
    #[command(after_help = "Example:\n  tieout rules list --all")]
    List {
        /// All rules, those that post nothing too
        #[arg(long)]
        all: bool,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let folder = match &args.action {
        Action::Check { folder } | Action::Test { folder } => folder.as_deref(),
        Action::Diff { old, new, format } => return diff::run(old, new.as_deref(), *format, context).await,
        Action::Backtest { from, to, format } => return backtest::run((*from, *to), *format, context).await,
        Action::Activate { by, approved_by } => return activate::run(by.as_deref(), approved_by, context).await,
        Action::List { all, format } => return list::run(*all, *format, context).await,
    };
    let folder = folder.or(context.config.rules.as_deref());
    folder.map_or(Ok(()), must_be_folder)?;
    let rules = match load(folder) {
        Ok(rules) => rules,
        Err(errors) => {
            eprint!("{errors}");
            eprintln!("\nThe rules cannot be used until this is mended.");
            return Ok(Exit::InputErrors);
        }
    };
    if matches!(args.action, Action::Test { .. }) {
        return test(&rules);
    }
    let place = folder.map_or_else(|| "the shipped rules".to_owned(), |folder| folder.display().to_string());
    print(&format!("{place}: good, set {}\n", rules.hash))?;
    Ok(Exit::Success)
}

fn must_be_folder(folder: &Path) -> anyhow::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let sentence = format!("{} is no folder; name the one that holds authority.toml and its like", folder.display());
    Err(UsageError(sentence).into())
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
