//! What the program carries with it: the rule files of `rules/`, as they were when it was built.

use std::collections::BTreeMap;

/// Path below `rules/` and text.
const RULES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/shipped_rules.rs"));

/// The shipped rule files by their path below `rules/`, `engine.toml`, `tests/discount.toml`.
pub fn rules() -> BTreeMap<String, String> {
    RULES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}
