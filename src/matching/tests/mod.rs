//! The engine against the shipped rules: every case of `rules/tests`, the known holes of the field, bounds, and properties over random ledgers.

mod bounds;
mod cases;
mod decisions;
mod duplicates;
mod holes;
mod links;
mod payers;
mod properties;
mod rare;
mod shortfalls;
mod world;

use std::path::Path;
use std::sync::OnceLock;

use crate::rules::RuleSet;

/// The shipped rules, read once.
pub(super) fn rules() -> &'static RuleSet {
    static RULES: OnceLock<RuleSet> = OnceLock::new();
    RULES.get_or_init(|| RuleSet::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules")).expect("the shipped rules load"))
}
