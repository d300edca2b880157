//! A bar on a terminal for whatever takes longer than a second.

use std::{
    io::{self, IsTerminal},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const PATIENCE: Duration = Duration::from_secs(1);

/// How far something is, in bytes or things.
pub struct Progress {
    bar: ProgressBar,
    started: Instant,
    waiting: bool,
}

impl Progress {
    /// Begins. Nothing shows when stderr is no terminal, or when results scroll over it.
    pub fn bytes(what: &str, size_bytes: u64, results_scroll: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(size_bytes), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what.to_owned());
        let waiting = io::stderr().is_terminal() && !(results_scroll && io::stdout().is_terminal());
        Self { bar, started: Instant::now(), waiting }
    }

    /// The same for a number of things, such as files.
    pub fn counting(what: &str, count: u64) -> Self {
        let progress = Self::bytes(what, count, false);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
            progress.bar.set_style(style);
        }
        progress
    }

    /// Tells how far it is.
    pub fn at(&mut self, bytes: u64) {
        if self.waiting && self.started.elapsed() >= PATIENCE {
            self.waiting = false;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(bytes);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
