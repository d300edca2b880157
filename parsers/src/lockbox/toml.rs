//! A strict reader of the part of TOML that layouts use: sections, texts, whole numbers, and lists of both on one line.

use super::layout::LayoutError;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(usize),
    List(Vec<Value>),
}

/// A key with its value, the section it stands in and its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub section: String,
    pub key: String,
    pub value: Value,
    pub line: usize,
}

/// Reads all entries in order.
pub(super) fn read(text: &str) -> Result<Vec<Entry>, LayoutError> {
    let mut section = String::new();
    let mut entries = Vec::new();
    for (line, row) in (1..).zip(text.lines()) {
        let fault = |message: &str| LayoutError { line, message: message.to_owned() };
        let row = row.trim();
        if row.is_empty() || row.starts_with('#') {
            continue;
        }
        if let Some(rest) = row.strip_prefix('[') {
            let (name, after) = rest.split_once(']').ok_or_else(|| fault("the section name has no closing bracket"))?;
            only_comment(after).ok_or_else(|| fault("something stands behind the section name"))?;
            section = name.trim().to_owned();
            continue;
        }
        let (key, rest) = row.split_once('=').ok_or_else(|| fault("expected `key = value`, `[section]` or a comment"))?;
        let (value, after) =
            value(rest.trim()).ok_or_else(|| fault("expected a text in quotes, a whole number or a list of them"))?;
        only_comment(after).ok_or_else(|| fault("something stands behind the value"))?;
        entries.push(Entry { section: section.clone(), key: key.trim().to_owned(), value, line });
    }
    Ok(entries)
}

fn only_comment(rest: &str) -> Option<()> {
    let rest = rest.trim();
    (rest.is_empty() || rest.starts_with('#')).then_some(())
}

fn value(text: &str) -> Option<(Value, &str)> {
    if let Some(rest) = text.strip_prefix('[') {
        return list(rest);
    }
    scalar(text)
}

fn scalar(text: &str) -> Option<(Value, &str)> {
    if let Some(rest) = text.strip_prefix('"') {
        let (inner, after) = rest.split_once('"')?;
        // Escapes are not part of this subset; refusing them is better than reading them wrongly.
        return (!inner.contains('\\')).then(|| (Value::Text(inner.to_owned()), after));
    }
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, after) = text.split_at_checked(end)?;
    Some((Value::Number(digits.parse().ok()?), after))
}

fn list(mut rest: &str) -> Option<(Value, &str)> {
    let mut values = Vec::new();
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(']') {
            return Some((Value::List(values), after));
        }
        let (value, after) = scalar(rest)?;
        values.push(value);
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(after) => after,
            None if rest.starts_with(']') => rest,
            None => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        let read = |text: &str| read(text).map(|entries| entries.len()).map_err(|error| error.line);
        assert_eq!(read("# a\nname = \"x\" # b\n\n[check]\namount = [8, 17, \"amount\"]\n"), Ok(2));
        for (text, line) in [
            ("name", 1),
            ("name = x", 1),
            ("\nname = \"x", 2),
            ("a = [1, 2", 1),
            ("a = [1 2]", 1),
            ("[check", 1),
            ("a = 1 b", 1),
            ("a = \"x\\n\"", 1),
            ("a = 99999999999999999999999", 1),
        ] {
            assert_eq!(read(text), Err(line), "{text}");
        }
    }
}
