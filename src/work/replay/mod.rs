//! Runs a labelled world through the same decisions as production and writes what the engine applied.
//!
//! Either nothing is stored and items and payments live in the snapshot alone ([`Replay`]), or everything goes through a store as the files of a
//! day would, with postings ([`Engine::live`](super::Engine::live)). Both ways decide the same. What is held waits for its advice or stays with a
//! person; labels give the engine, after each day, what a person would have booked for that day's held payments.

mod event;
mod label;
mod record;
mod run;
mod through;
mod world;

use std::time::Duration;

pub use label::Label;
pub use run::Replay;
pub use through::Asked;
pub use world::World;

use record::{Made, TakenBack};

/// How a replay went.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub payments: u64,
    pub posted: u64,
    pub held: u64,
    pub returns: u64,
    pub taken_back: u64,
    /// Postings that were decided and that the ledger did not allow; they are held.
    pub refused: u64,
    /// Time spent on what is measured: deciding alone, or everything between the day's files and the last commit.
    pub took: Duration,
    /// The longest single decision, where decisions alone are measured.
    pub longest: Duration,
    /// Decisions in words, of the payments that were asked for.
    pub told: Vec<String>,
}

impl Tally {
    fn count<'m>(&mut self, made: impl Iterator<Item = &'m [Made]>, returns: &[TakenBack<'_>]) {
        for made in made {
            self.payments += 1;
            self.posted += u64::from(made.iter().any(|made| made.posted));
        }
        self.held = self.payments - self.posted;
        self.returns = returns.len() as u64;
        self.taken_back = returns.iter().filter(|back| back.original.is_some()).count() as u64;
    }

    /// Payments a second in the time measured.
    pub fn rate(&self) -> u128 {
        u128::from(self.payments) * 1_000_000 / self.took.as_micros().max(1)
    }
}
