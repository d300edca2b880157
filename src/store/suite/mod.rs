//! The suite of the store: every test runs on SQLite and on PostgreSQL.

#![allow(clippy::cloned_ref_to_slice_refs, reason = "a test hands over one of something and keeps it")]

mod connections;
mod customers;
mod damage;
mod exceptions;
mod files;
mod jobs;
mod open_items;
mod payments;
