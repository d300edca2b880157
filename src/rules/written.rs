//! The rules one by one as their files write them, in canonical form: what is hashed, compared and told apart.

use std::{collections::BTreeMap, fmt::Write as _};

use sha2::{Digest, Sha256};

/// A set as written: its rules by id, and what stands outside of rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Written {
    pub(super) rules: BTreeMap<String, WrittenRule>,
    /// Values outside of rules, by `file: key`.
    pub(super) values: BTreeMap<String, WrittenValue>,
    /// Ids in the order of each list, by `file: list`: the first rule that fits decides.
    pub(super) order: BTreeMap<String, Vec<String>>,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WrittenRule {
    pub(super) file: String,
    /// What it says, examples apart.
    pub(super) fields: BTreeMap<String, WrittenValue>,
    pub(super) hash: String,
}

/// A value as TOML; a list also element by element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WrittenValue {
    pub(super) text: String,
    pub(super) parts: Option<Vec<String>>,
}

impl Written {
    /// Takes apart the files of a set, by path inside the rule folder; cases are no rules.
    pub(crate) fn of(texts: &BTreeMap<String, String>) -> Self {
        let mut written = Self::default();
        for (file, text) in texts.iter().filter(|(file, _)| !file.starts_with("tests/")) {
            for (key, value) in text.parse::<toml::Table>().unwrap_or_default() {
                written.take(file, &key, &value);
            }
        }
        written
    }

    fn take(&mut self, file: &str, key: &str, value: &toml::Value) {
        match value {
            toml::Value::Array(list) if list.iter().any(|entry| entry.get("id").is_some()) => {
                for (rule, id) in list.iter().filter_map(|rule| Some((rule.as_table()?, rule.get("id")?.as_str()?))) {
                    self.order.entry(format!("{file}: {key}")).or_default().push(id.to_owned());
                    self.rules.insert(id.to_owned(), WrittenRule::of(file, rule));
                }
            }
            toml::Value::Table(table) => {
                table.iter().for_each(|(inner, value)| self.take(file, &format!("{key}.{inner}"), value));
            }
            value => drop(self.values.insert(format!("{file}: {key}"), WrittenValue::of(value))),
        }
    }

    /// The hash of a rule's own text.
    pub(super) fn hash_of(&self, id: &str) -> Option<&str> {
        self.rules.get(id).map(|rule| rule.hash.as_str())
    }

    pub(super) fn hashes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.rules.iter().map(|(id, rule)| (id.as_str(), rule.hash.as_str()))
    }
}

impl WrittenRule {
    fn of(file: &str, rule: &toml::Table) -> Self {
        let mut canonical = String::new();
        write_canonical(&toml::Value::Table(rule.clone()), &mut canonical);
        let fields = rule.iter().filter(|(key, _)| *key != "example");
        Self {
            file: file.to_owned(),
            fields: fields.map(|(key, value)| (key.clone(), WrittenValue::of(value))).collect(),
            hash: sha256(&canonical),
        }
    }
}

impl WrittenValue {
    fn of(value: &toml::Value) -> Self {
        let parts = value.as_array().map(|list| list.iter().map(plain).collect());
        Self { text: plain(value), parts }
    }
}

/// A value on one line, as TOML writes it.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::Array(list) => format!("[{}]", list.iter().map(plain).collect::<Vec<_>>().join(", ")),
        toml::Value::Table(table) => {
            let fields = table.iter().map(|(key, value)| format!("{key} = {}", plain(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        value => value.to_string(),
    }
}

/// SHA-256 of a text, lower-case hex.
pub(super) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Keys in order, one notation for each value; examples are left out.
pub(super) fn write_canonical(value: &toml::Value, out: &mut String) {
    match value {
        toml::Value::Table(table) => {
            let sorted: BTreeMap<_, _> = table.iter().filter(|(key, _)| *key != "example").collect();
            out.push('{');
            for (key, value) in sorted {
                let _ = write!(out, "{key:?}:");
                write_canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        toml::Value::Array(values) => {
            out.push('[');
            for value in values {
                write_canonical(value, out);
                out.push(',');
            }
            out.push(']');
        }
        toml::Value::String(text) => {
            let _ = write!(out, "{text:?}");
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}
