//! The command line: one file per command. Only this module prints; results go to stdout, everything for people to stderr.
//!
//! Exit codes: 0 success, 1 the input has errors, 2 wrong usage, 3 the system failed.

pub mod certify;
pub mod check;
pub mod config;
pub mod demo;
pub mod exceptions;
pub mod explain;
pub mod export;
pub mod import;
pub mod ingest;
pub mod learned;
mod logging;
pub mod mapping;
mod outcome;
pub mod parse;
mod progress;
pub mod replay;
pub mod report;
pub mod rules;
pub mod serve;
mod table;

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use crate::{
    clock::Clock,
    config::{Config, ConfigError, Flags, Loaded, load},
    failpoint,
    ledger::Refusal,
    rules::RuleErrors,
    store::is_disk_full,
    work::NoLedger,
};

/// Ties payments from bank and EDI files to the invoices they pay.
#[derive(Debug, Parser)]
#[command(
    name = "tieout",
    version,
    after_help = "Start here:\n  tieout demo --no-serve\n\nExit codes: 0 success, 1 the input has errors, 2 wrong usage, 3 the system failed."
)]
struct CommandLine {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// Flags of every command.
#[derive(Args, Debug)]
struct Global {
    /// Configuration file [default: tieout.toml here, when there is one]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Global options")]
    config: Option<PathBuf>,
    /// Folder of archive, inbox, outbound and embedded database [default: tieout-home]
    #[arg(long, global = true, value_name = "FOLDER", help_heading = "Global options")]
    home: Option<PathBuf>,
    /// Database, sqlite:PATH or postgres://… [default: tieout.db in the home folder]
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    database_url: Option<String>,
    /// Folder of rule files [default: the rules shipped with the program]
    #[arg(long, global = true, value_name = "FOLDER", help_heading = "Global options")]
    rules: Option<PathBuf>,
    /// Who acts [default: the user of the operating system]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Global options")]
    user: Option<String>,
    /// Form of the log on stderr
    #[arg(long, global = true, value_name = "FORM", value_parser = ["text", "json"], help_heading = "Global options")]
    log: Option<String>,
    /// Log more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    verbose: u8,
}

impl Global {
    fn flags(&self) -> Flags {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
        [
            ("home", path(&self.home)),
            ("database_url", self.database_url.clone()),
            ("rules", path(&self.rules)),
            ("user", self.user.clone()),
            ("log.format", self.log.clone()),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect()
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Serve(serve::Args),
    Ingest(ingest::Args),
    Parse(parse::Args),
    Import(import::Args),
    Explain(explain::Args),
    Exceptions(exceptions::Args),
    Mapping(mapping::Args),
    Rules(rules::Args),
    Export(export::Args),
    Report(report::Args),
    Replay(replay::Args),
    Certify(certify::Args),
    Learned(learned::Args),
    Check(check::Args),
    Config(config::Args),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Success,
    /// The input has errors; what could be done was done and said.
    InputErrors,
    /// The command line or the configuration is wrong; nothing was done.
    Usage,
    /// This machine or a service it needs failed.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// For whom an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Text,
    Json,
}

/// The command line asks for something that cannot be; the message says what to write instead.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// What every command is given.
#[derive(Clone, Debug)]
pub struct Context {
    pub config: Config,
    pub clock: Clock,
}

/// Runs the program.
pub fn main() -> Exit {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => {
            // Asking for help is no mistake; clap prints it to stdout.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Success };
            return if error.print().is_ok() { exit } else { Exit::Failed };
        }
    };
    let loaded = load(line.global.config.as_deref(), &line.global.flags());
    dispatch(line.command, &loaded, line.global.verbose).unwrap_or_else(|error| report_failure(&error))
}

fn dispatch(command: Command, loaded: &Loaded, verbose: u8) -> anyhow::Result<Exit> {
    // The one command that must run with a wrong configuration, because it says what is wrong.
    if let Command::Config(args) = &command {
        return config::run(args, loaded);
    }
    let context = Context { config: loaded.config()?, clock: Clock::system() };
    logging::start(&context.config, verbose)?;
    arm_failpoint(&context.config);
    match command {
        Command::Parse(args) => parse::run(&args, &context),
        Command::Import(args) => run_async(import::run(&args, &context)),
        Command::Demo(args) => run_async(demo::run(&args, &context)),
        Command::Serve(args) => run_async(serve::run(&args, &context)),
        Command::Ingest(args) => run_async(ingest::run(&args, &context)),
        Command::Explain(args) => run_async(explain::run(&args, &context)),
        Command::Exceptions(args) => run_async(exceptions::run(&args, &context)),
        Command::Mapping(args) => mapping::run(&args, &context),
        Command::Rules(args) => run_async(rules::run(&args, &context)),
        Command::Export(args) => run_async(export::run(&args, &context)),
        Command::Report(args) => run_async(report::run(&args, &context)),
        Command::Replay(args) => replay::run(&args, &context),
        Command::Certify(args) => run_async(certify::run(&args, &context)),
        Command::Learned(args) => run_async(learned::run(&args, &context)),
        Command::Check(args) => run_async(check::run(&args, &context)),
        Command::Config(args) => config::run(&args, loaded),
    }
}

fn run_async(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(command)
}

/// Its form was checked with the configuration.
fn arm_failpoint(config: &Config) {
    if let Some(point) = config.failpoint.as_deref().and_then(|text| failpoint::Failpoint::parse(text).ok()) {
        failpoint::arm(point);
    }
}

/// Prints why a command failed, and decides how it ends.
fn report_failure(error: &anyhow::Error) -> Exit {
    if is_closed_pipe(error) {
        return Exit::Success;
    }
    eprintln!("tieout: {error}");
    for cause in error.chain().skip(1) {
        eprintln!("  because {cause}");
    }
    if is_disk_full(error) {
        eprintln!("  no space is left for the database or the archive: free some and run it again; what was accepted is safe");
    }
    if error.chain().any(|cause| cause.is::<Refusal>()) {
        return Exit::InputErrors;
    }
    let is_usage = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<UsageError>() || cause.is::<ConfigError>() || cause.is::<NoLedger>() || cause.is::<RuleErrors>()
    };
    let usage = error.chain().any(is_usage);
    if usage { Exit::Usage } else { Exit::Failed }
}

/// Whoever reads our output has seen enough, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// Text from files may hold control characters that would take over a terminal; they are shown as signs.
fn shown(text: &str) -> std::borrow::Cow<'_, str> {
    let odd = |c: char| c.is_control() && c != '\n';
    if text.contains(odd) { text.replace(odd, "\u{fffd}").into() } else { text.into() }
}

/// Prints results.
fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(shown(text).as_bytes())?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_has_an_example_in_its_help() {
        let line = CommandLine::command();
        line.clone().debug_assert();
        for command in line.get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("tieout {}", command.get_name())), "{} has no example", command.get_name());
            for sample in help.split_whitespace().filter(|word| word.starts_with("samples/")) {
                assert!(
                    std::path::Path::new(sample).exists(),
                    "the example of {} names {sample}, which is not there",
                    command.get_name()
                );
            }
        }
    }

    #[test]
    fn failures_end_with_the_code_of_their_kind() {
        assert_eq!(report_failure(&UsageError("no such thing".into()).into()), Exit::Usage);
        assert_eq!(report_failure(&ConfigError(Vec::new()).into()), Exit::Usage);
        assert_eq!(report_failure(&anyhow::anyhow!("the disk is full")), Exit::Failed);
        let closed = anyhow::Error::from(io::Error::from(io::ErrorKind::BrokenPipe)).context("writing results");
        assert_eq!(report_failure(&closed), Exit::Success);
    }
}
