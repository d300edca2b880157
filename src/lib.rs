//! tieout: EDI and payment-file ingestion and cash application.
//!
//! `docs/architecture.md` explains how the modules meet and which of them owns which power.

pub mod audit;
pub mod certificate;
pub mod clock;
pub mod commands;
pub mod config;
pub mod domain;
pub mod durable;
pub mod excerpt;
pub mod failpoint;
pub mod hex;
pub mod intake;
pub mod ledger;
pub mod matching;
pub mod normalise;
pub mod rules;
pub mod secret;
pub mod shipped;
pub mod store;
pub mod work;
