//! The doors a file comes in by: unwrap it, archive it, watch the inbox, and read master data from CSV.
//!
//! **Invariant:** intake never looks at money; it hands over bytes and validated rows.

pub mod archive;
pub mod email;
pub mod import;
pub mod mappings;
pub mod unwrap;
pub mod walk;
pub mod watch;
