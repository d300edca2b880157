//! Runs a labelled world through the same decisions as production and writes what the engine applied.
//!
//! Nothing is stored: items and payments live in the snapshot. What posts is settled, what is held waits for its advice or stays with a
//! person. `--assisted` gives the engine, after each day, what a person would have booked for that day's held payments.

mod record;
mod run;
mod world;

pub use record::Label;
pub use run::{Replay, Tally};
pub use world::World;
