//! Sets up the log on stderr. Lines carry ids, never names, account numbers or file contents.

use std::io;

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use crate::config::Config;

/// Starts logging for the life of the process.
pub fn start(config: &Config, verbose: u8) -> anyhow::Result<()> {
    let filter = match (&config.log_filter, verbose) {
        (Some(filter), _) => filter.as_str(),
        // The database logs slow statements with all their values in place; that is no line for people.
        (None, 0) => "warn,sqlx=error",
        (None, 1) => "info,sqlx=error",
        (None, _) => "debug,sqlx=info",
    };
    let filter = EnvFilter::try_new(filter)
        .with_context(|| format!("log.filter {filter:?} cannot be read; expected something like tieout=debug,sqlx=warn"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started =
        if config.log_json { log.json().flatten_event(true).try_init() } else { log.with_target(false).compact().try_init() };
    started.map_err(|error| anyhow::anyhow!("the log cannot start: {error}"))
}
