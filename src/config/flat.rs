//! A TOML text as a flat list of `table.key = text` with lines, so that every wrong key and value can be named with its place.

use std::ops::Range;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// One value of a TOML text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `inbox.settle_ms`.
    pub key: String,
    pub value: String,
    /// Counted from 1.
    pub line: usize,
}

/// Reads a TOML text. The error is a line and what is wrong there.
pub fn flatten(text: &str) -> Result<Vec<Entry>, (usize, String)> {
    let document = DeTable::parse(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, &span));
        (line, error.message().to_owned())
    })?;
    let mut entries = Vec::new();
    walk(text, "", document.get_ref(), &mut entries)?;
    Ok(entries)
}

fn walk(text: &str, prefix: &str, table: &DeTable<'_>, entries: &mut Vec<Entry>) -> Result<(), (usize, String)> {
    for (name, value) in table {
        let key = format!("{prefix}{}", name.get_ref());
        let line = line_of(text, &name.span());
        match scalar(value) {
            Some(value) => entries.push(Entry { key, value, line }),
            None => match value.get_ref() {
                DeValue::Table(inner) => walk(text, &format!("{key}."), inner, entries)?,
                _ => return Err((line, format!("{key} is a list; expected one value"))),
            },
        }
    }
    Ok(())
}

fn scalar(value: &Spanned<DeValue<'_>>) -> Option<String> {
    match value.get_ref() {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => Some(number.to_string()),
        DeValue::Float(number) => Some(number.to_string()),
        DeValue::Boolean(yes) => Some(yes.to_string()),
        DeValue::Datetime(at) => Some(at.to_string()),
        DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    text.bytes().take(span.start).filter(|byte| *byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_lines() {
        let entries = flatten("home = 'x'\n\n[inbox]\nsettle_ms = 2_000\n").expect("TOML");
        let seen: Vec<_> = entries.iter().map(|e| (e.key.as_str(), e.value.as_str(), e.line)).collect();
        assert_eq!(seen, [("home", "x", 1), ("inbox.settle_ms", "2000", 4)]);
        assert_eq!(flatten("a = 1\nb = ").map_err(|(line, _)| line), Err(2));
        assert_eq!(flatten("a = [1]").map_err(|(line, _)| line), Err(1));
    }
}
