//! What a workbook says about all of its sheets: their names and parts, its epoch, its formats and its shared strings.

use std::collections::BTreeMap;

use super::{
    container::{Container, Fault},
    number::Epoch,
    xml::{self, Node, attribute, is_on},
};

/// A sheet by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SheetEntry {
    pub name: String,
    /// Where its rows stand in the package.
    pub path: String,
    pub hidden: bool,
}

/// The workbook without its rows.
#[derive(Debug, Default)]
pub(super) struct Outline {
    pub sheets: Vec<SheetEntry>,
    pub epoch: Epoch,
    /// Which cell formats show a day, by their number.
    pub day_formats: Vec<bool>,
    pub strings: Strings,
}

/// Shared strings, one behind the other: millions of short ones then cost little more than their letters.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(Some(0), |before| self.ends.get(before).copied())?;
        self.text.get(start..end)
    }
}

impl Outline {
    /// Nothing when the package is no workbook.
    pub fn read(container: &mut Container<'_>) -> Result<Option<Self>, Fault> {
        let links = relations(container, "_rels/.rels", "")?;
        let Some(path) = links.into_values().find(|link| link.kind == "officeDocument").map(|link| link.path) else {
            return Ok(None);
        };
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let mut links = relations(container, &format!("{folder}/_rels/{file}.rels"), folder)?;
        let mut outline = Self::default();
        let mut found = Vec::new();
        let Some(part) = container.small_part(&path)? else { return Ok(None) };
        let mut is_workbook = false;
        xml::walk(part, &mut |node| {
            let Node::Start(start) = node else { return true };
            match start.local_name().as_ref() {
                "workbook" => is_workbook = true,
                "workbookPr" if is_on(start, "date1904") => outline.epoch = Epoch::Y1904,
                "sheet" => {
                    let visible = attribute(start, "state").is_none_or(|state| state == "visible");
                    found.push((attribute(start, "name").unwrap_or_default(), attribute(start, "id"), !visible));
                }
                _ => {}
            }
            true
        })?;
        if !is_workbook {
            return Ok(None);
        }
        for (name, id, hidden) in found {
            // Sheets of charts and macros have no rows.
            let link = id.and_then(|id| links.remove(&id)).filter(|link| link.kind == "worksheet");
            outline.sheets.extend(link.map(|link| SheetEntry { name, path: link.path, hidden }));
        }
        let path_of = |kind: &str| links.values().find(|link| link.kind == kind).map(|link| link.path.clone());
        if let Some(path) = path_of("styles") {
            outline.day_formats = day_formats(container, &path)?;
        }
        if let Some(path) = path_of("sharedStrings") {
            outline.strings = strings(container, &path)?;
        }
        Ok(Some(outline))
    }
}

/// A part that another one points to.
#[derive(Debug)]
struct Link {
    /// Last piece of its type.
    kind: String,
    path: String,
}

fn relations(container: &mut Container<'_>, path: &str, folder: &str) -> Result<BTreeMap<String, Link>, Fault> {
    let mut links = BTreeMap::new();
    let Some(part) = container.small_part(path)? else { return Ok(links) };
    xml::walk(part, &mut |node| {
        let Node::Start(start) = node else { return true };
        if let (Some(id), Some(target), Some(kind)) =
            (attribute(start, "Id"), attribute(start, "Target"), attribute(start, "Type"))
        {
            let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
            links.insert(id, Link { kind, path: joined(folder, &target) });
        }
        true
    })?;
    Ok(links)
}

/// A path from a folder of the package; one with a slash in front begins at its root.
fn joined(folder: &str, target: &str) -> String {
    let mut pieces: Vec<&str> = if target.starts_with(['/', '\\']) { Vec::new() } else { folder.split('/').collect() };
    for piece in target.split(['/', '\\']) {
        match piece {
            "" | "." => {}
            ".." => drop(pieces.pop()),
            piece => pieces.push(piece),
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces.join("/")
}

fn strings(container: &mut Container<'_>, path: &str) -> Result<Strings, Fault> {
    let mut strings = Strings::default();
    let Some(part) = container.small_part(path)? else { return Ok(strings) };
    let mut text = TextOfRuns::default();
    xml::walk(part, &mut |node| {
        if let Node::End("si") = node {
            strings.ends.push(strings.text.len());
        } else {
            text.take(&node, &mut strings.text);
        }
        true
    })?;
    Ok(strings)
}

/// Text elements of a string, without the readings that Japanese texts carry for pronunciation.
#[derive(Debug, Default)]
pub(super) struct TextOfRuns {
    in_text: bool,
    in_reading: bool,
}

impl TextOfRuns {
    pub fn take(&mut self, node: &Node<'_>, into: &mut String) {
        match node {
            Node::Start(start) => match start.local_name().as_ref() {
                "t" => self.in_text = true,
                "rPh" => self.in_reading = true,
                _ => {}
            },
            Node::End("t") => self.in_text = false,
            Node::End("rPh") => self.in_reading = false,
            Node::Text(text) if self.in_text && !self.in_reading => into.push_str(text),
            _ => {}
        }
    }
}

fn day_formats(container: &mut Container<'_>, path: &str) -> Result<Vec<bool>, Fault> {
    let (mut custom, mut formats) = (BTreeMap::new(), Vec::new());
    let Some(part) = container.small_part(path)? else { return Ok(formats) };
    let mut in_cell_formats = false;
    xml::walk(part, &mut |node| {
        let start = match node {
            Node::Start(start) => start,
            Node::End("cellXfs") => return false,
            _ => return true,
        };
        match start.local_name().as_ref() {
            "cellXfs" => in_cell_formats = true,
            "numFmt" => {
                if let (Some(id), Some(code)) = (attribute(start, "numFmtId"), attribute(start, "formatCode")) {
                    custom.insert(id, shows_day(&code));
                }
            }
            "xf" if in_cell_formats => {
                let id = attribute(start, "numFmtId").unwrap_or_default();
                formats.push(custom.get(&id).copied().unwrap_or_else(|| is_built_in_day(&id)));
            }
            _ => {}
        }
        true
    })?;
    Ok(formats)
}

/// Built-in formats of days (ECMA-376 part 1, 18.8.30), those of East Asian editions among them.
fn is_built_in_day(id: &str) -> bool {
    id.parse::<u16>().is_ok_and(|id| matches!(id, 14..=17 | 22 | 27..=31 | 36 | 50..=54 | 57 | 58))
}

/// Whether a format shows a year or a day outside of quotes, brackets and escapes. Hours alone are no date.
fn shows_day(code: &str) -> bool {
    let mut letters = code.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => drop(letters.find(|letter| *letter == '"')),
            '[' => drop(letters.find(|letter| *letter == ']')),
            '\\' | '_' | '*' => drop(letters.next()),
            'y' | 'Y' | 'd' | 'D' => return true,
            ';' => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_of_days_are_told_from_those_of_amounts() {
        for (code, expected) in [
            ("yyyy-mm-dd", true),
            ("[$-409]d/m/yyyy;@", true),
            ("mmm\\-yy", true),
            ("General", false),
            ("#,##0.00 \"dollars\"", false),
            ("#,##0.00\\ [$USD]", false),
            ("_-* #,##0.00_-", false),
            ("[h]:mm:ss", false),
            ("0.00;[Red]-0.00 \"dr\"", false),
        ] {
            assert_eq!(shows_day(code), expected, "{code}");
        }
    }

    #[test]
    fn parts_are_found_from_where_they_are_named() {
        for (folder, target, expected) in [
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "/xl/worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "../custom/a.xml", "custom/a.xml"),
            ("", "xl\\workbook.xml", "xl/workbook.xml"),
            ("", "../../etc", "etc"),
        ] {
            assert_eq!(joined(folder, target), expected);
        }
    }
}
