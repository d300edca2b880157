//! `tieout mapping`: drafts mapping files for lists that none fits yet.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use tieout_parsers::draft_mapping;

use super::{Context, Exit, UsageError, print};

/// Drafts mapping files for CSV and XLSX
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  tieout mapping suggest remit.csv > mappings/globex.toml
  tieout parse remit.csv --mapping mappings/globex.toml")]
pub struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Prints a mapping file with comments that say how sure each line is and why; changes nothing
    Suggest {
        /// A CSV or XLSX file of the kind that is to be read
        file: PathBuf,
    },
}

pub fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let Action::Suggest { file } = &args.action;
    let name = file.display();
    if !file.is_file() {
        return Err(UsageError(format!("{name} is no file")).into());
    }
    let bytes = fs::read(file).with_context(|| format!("reading {name}"))?;
    match draft_mapping(&bytes, &context.config.limits) {
        Ok(draft) => {
            print(&draft.toml)?;
            eprintln!("{name}: {} payments or lines, {} set aside with this draft", draft.records, draft.set_aside);
            eprintln!("Read its comments, then put it into the folder that the setting `mappings` names.");
            Ok(Exit::Success)
        }
        Err(error) => {
            eprintln!("{name}: no mapping can be drafted: {error}");
            Ok(Exit::InputErrors)
        }
    }
}
