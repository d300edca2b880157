//! Payment and EDI files to typed records with locations and findings.
//!
//! Reading is pure: bytes in, a [`Document`] and its [`Finding`]s out. There is no I/O, no clock and no panic; a bad record becomes a
//! finding with its place, and its neighbours are read.

#![cfg_attr(test, allow(clippy::arithmetic_side_effects))]

mod account;
mod bai2;
mod camt;
mod control;
mod delimited;
mod detect;
mod document;
mod edifact;
mod exchange;
mod figure;
mod finding;
mod limits;
mod line;
mod location;
mod lockbox;
mod mask;
mod money;
mod nacha;
mod near;
mod owned;
mod party;
mod reader;
mod reference;
mod stream;
mod swift;
mod utf8;
pub mod x12;

pub use account::Account;
pub use control::Control;
pub use delimited::{Draft, DraftError, Mapping, MappingError, draft_mapping};
pub use detect::has_envelope;
pub use document::{
    AckLevel, Acknowledgment, Adjustment, Balance, Direction, Document, Format, Invoice, InvoiceKind, InvoicePurpose, Method,
    Parsed, Party, Payment, Record, Reference, Remittance, RemittanceLine, Return, Status, Terms, Text,
};
pub use exchange::{Exchange, Route};
pub use figure::Figure;
pub use finding::{Effect, Finding, FindingCode, Severity};
pub use limits::Limits;
pub use location::{Location, Tag};
pub use lockbox::{Layout, LayoutError, LockboxCurrencies};
pub use mask::{ibans, without_ibans};
pub use money::{AMOUNT_MINOR_MAX, Currency, Money, MoneyError, parse_minor};
pub use party::SharedParty;
pub use stream::{Options, Sink, Stream, Summary, parse, parse_with};
