//! How rarely automatic postings are wrong, proved from labels: pure statistics that know no database, clock or rule file.
//!
//! [`upper_bound_ppm`] is the exact bound of a rate, [`walk`] the walk over thresholds that were declared beforehand, [`Alarm`] a test that may be looked at
//! after every label, [`drawn`] the audit sample, and [`Certificate`] what is printed, stored and followed. Amounts, rates and thresholds are whole
//! numbers outside of this folder; floating point stays in the two files that need it.

mod alarm;
mod binomial;
mod draw;
mod issue;
mod walk;
mod watch;

pub use alarm::Alarm;
pub use binomial::upper_bound_ppm;
pub use draw::drawn;
pub use issue::{Basis, Certificate, CertifiedStratum, Given, issue};
pub use walk::{Label, Plan, Point, Walked, walk};
pub use watch::{Tightened, Watch};
