//! ISO 20022 camt.052 Bank to Customer Account Report, camt.053 Statement, camt.054 Debit Credit Notification, pain.001 Customer Credit Transfer
//! Initiation and remt.001 Remittance Advice, in all their versions.
//!
//! Elements are told by their local names, so any namespace and any prefix will do. [`xml`] cuts the bytes into tags and texts, [`reader`]
//! follows them and keeps one entry at a time; [`entry`] and [`advice`] gather what an entry and its remittance say, [`booking`] makes payments
//! and returns of it, and [`statement`] proves balances and sums. [`announced`] reads the two messages that announce payments. A DOCTYPE is
//! refused, so there are no entities but the five of XML.

mod advice;
mod announced;
mod booking;
mod element;
mod entry;
mod reader;
mod statement;
mod xml;

pub(crate) use reader::CamtReader;
