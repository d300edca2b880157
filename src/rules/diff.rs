//! What differs between two sets of rules, rule by rule, in words.

use serde::Serialize;

use super::{
    RuleSet,
    written::{WrittenRule, WrittenValue},
};

/// Everything that differs between two sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub old: String,
    pub new: String,
    /// In order of the rules' ids.
    pub rules: Vec<RuleChange>,
    /// Values outside of rules, and the order of rules, as sentences.
    pub values: Vec<String>,
}

/// What became of one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleChange {
    pub rule: String,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// File of the rule in the set that has it, the new one where both do.
    pub file: String,
    /// Hash of the rule's own text, before and after.
    pub old: Option<String>,
    pub new: Option<String>,
    /// One sentence for each field that differs.
    pub fields: Vec<String>,
}

impl Difference {
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.values.is_empty()
    }
}

/// Compares two sets. Comments, order of keys, examples and cases are no difference, as they are none for the hash.
pub fn diff(old: &RuleSet, new: &RuleSet) -> Difference {
    let (before, after) = (&old.written, &new.written);
    let ids: std::collections::BTreeSet<_> = before.rules.keys().chain(after.rules.keys()).collect();
    let rules = ids.into_iter().filter_map(|id| change(id, before.rules.get(id), after.rules.get(id))).collect();
    let keys: std::collections::BTreeSet<_> = before.values.keys().chain(after.values.keys()).collect();
    let values = keys.into_iter().filter_map(|key| field(key, before.values.get(key), after.values.get(key)));
    let orders = after.order.iter().filter_map(|(list, ids)| reordered(list, before.order.get(list)?, ids));
    Difference { old: old.hash.clone(), new: new.hash.clone(), rules, values: values.chain(orders).collect() }
}

fn change(id: &str, old: Option<&WrittenRule>, new: Option<&WrittenRule>) -> Option<RuleChange> {
    let (change, file) = match (old, new) {
        (None, Some(new)) => ("added", &new.file),
        (Some(old), None) => ("removed", &old.file),
        (Some(old), Some(new)) if old.hash != new.hash || old.file != new.file => ("changed", &new.file),
        _ => return None,
    };
    let mut fields = Vec::new();
    if let (Some(old), Some(new)) = (old, new) {
        if old.file != new.file {
            fields.push(format!("moved from {} to {}", old.file, new.file));
        }
        let keys: std::collections::BTreeSet<_> = old.fields.keys().chain(new.fields.keys()).collect();
        fields.extend(keys.into_iter().filter_map(|key| field(key, old.fields.get(key), new.fields.get(key))));
    } else if let Some(one) = old.or(new) {
        fields.extend(one.fields.iter().filter(|(key, _)| *key != "id").map(|(key, value)| format!("{key} = {}", value.text)));
    }
    let hash = |rule: Option<&WrittenRule>| rule.map(|rule| rule.hash.clone());
    Some(RuleChange { rule: id.to_owned(), change, file: file.clone(), old: hash(old), new: hash(new), fields })
}

/// A sentence where a value differs; of a list only what came and went.
fn field(key: &str, old: Option<&WrittenValue>, new: Option<&WrittenValue>) -> Option<String> {
    let (old, new) = match (old, new) {
        (None, Some(new)) => return Some(format!("{key} = {} is new", new.text)),
        (Some(old), None) => return Some(format!("{key} = {} is gone", old.text)),
        (Some(old), Some(new)) if old != new => (old, new),
        _ => return None,
    };
    if let (Some(before), Some(after)) = (&old.parts, &new.parts) {
        let only = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|one| !those.contains(one)).cloned().collect()
        };
        let said: Vec<String> = [("now with", only(after, before)), ("no longer with", only(before, after))]
            .into_iter()
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(word, parts)| format!("{word} {}", parts.join(", ")))
            .collect();
        let said = if said.is_empty() { format!("in another order: {}", new.text) } else { said.join(", ") };
        return Some(format!("{key}: {said}"));
    }
    Some(format!("{key} was {}, is {}", old.text, new.text))
}

/// The rules that both sets have stand in another order.
fn reordered(list: &str, old: &[String], new: &[String]) -> Option<String> {
    let common =
        |these: &[String], those: &[String]| -> Vec<String> { these.iter().filter(|id| those.contains(id)).cloned().collect() };
    let (before, after) = (common(old, new), common(new, old));
    let at = before.iter().zip(&after).position(|(before, after)| before != after)?;
    Some(format!("{list}: {} now stands before {}", after[at], before[at]))
}
