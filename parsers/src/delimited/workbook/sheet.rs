//! The rows of a sheet, each as the text of its cells: what the header of a CSV file is found in, and what its books are kept from.

use std::io::BufRead;

use quick_xml::events::BytesStart;

use super::{
    super::rows::{Kind, Span},
    container::Fault,
    number::{day_of_serial, decimal},
    outline::{Outline, TextOfRuns},
    xml::{self, Node, attribute, is_on},
};

/// Columns that are read; no list of payments is wider, and a cell far to the right must not cost a row of empty ones.
const COLUMNS_MAX: usize = 1_024;

/// One row with its number in the sheet, counted from 1.
#[derive(Debug, Default)]
pub(super) struct SheetRow {
    pub number: u64,
    pub text: Vec<u8>,
    pub spans: Vec<Span>,
    /// Something stands further to the right than is read.
    pub too_wide: bool,
    pub hidden: bool,
}

/// Hands the rows of a sheet to `take` until it answers false.
pub(super) fn rows(part: impl BufRead, outline: &Outline, take: &mut dyn FnMut(&SheetRow) -> bool) -> Result<(), Fault> {
    let mut walker = Walker {
        outline,
        row: SheetRow::default(),
        column: 0,
        cell: None,
        in_value: false,
        runs: TextOfRuns::default(),
        value: String::new(),
        take,
    };
    let mut ended = false;
    xml::walk(part, &mut |node| {
        let (goes_on, end) = walker.node(&node);
        ended |= end;
        goes_on
    })?;
    // A part that was cut off may still be whole XML for a reader that expects no more.
    if ended { Ok(()) } else { Err(Fault::damaged("it ends before its last row")) }
}

/// The cell in hand.
struct Cell {
    kind: String,
    style: usize,
}

struct Walker<'a> {
    outline: &'a Outline,
    row: SheetRow,
    /// Where the next cell stands that does not say so itself.
    column: usize,
    cell: Option<Cell>,
    in_value: bool,
    runs: TextOfRuns,
    value: String,
    take: &'a mut dyn FnMut(&SheetRow) -> bool,
}

impl Walker<'_> {
    /// Whether to go on, and whether the rows have ended.
    fn node(&mut self, node: &Node<'_>) -> (bool, bool) {
        match node {
            Node::Start(start) => match start.local_name().as_ref() {
                "row" => self.begin_row(start),
                "c" => self.begin_cell(start),
                "v" => self.in_value = true,
                _ => self.runs.take(node, &mut self.value),
            },
            Node::End("v") => self.in_value = false,
            Node::End("c") => self.end_cell(),
            Node::End("row") => {
                let goes_on = (self.take)(&self.row);
                return (goes_on, !goes_on);
            }
            Node::End("sheetData") => return (false, true),
            Node::Text(text) if self.in_value => self.value.push_str(text),
            _ if self.cell.is_some() => self.runs.take(node, &mut self.value),
            _ => {}
        }
        (true, false)
    }

    fn begin_row(&mut self, start: &BytesStart<'_>) {
        let named = attribute(start, "r").and_then(|number| number.parse().ok());
        let row = &mut self.row;
        row.number = named.unwrap_or_else(|| row.number.saturating_add(1));
        row.text.clear();
        row.spans.clear();
        (row.too_wide, row.hidden) = (false, is_on(start, "hidden"));
        self.column = 0;
    }

    fn begin_cell(&mut self, start: &BytesStart<'_>) {
        if let Some(column) = attribute(start, "r").and_then(|name| column_of(&name)) {
            self.column = column;
        }
        let style = attribute(start, "s").and_then(|style| style.parse().ok()).unwrap_or(0);
        self.cell = Some(Cell { kind: attribute(start, "t").unwrap_or_default(), style });
        self.value.clear();
        (self.in_value, self.runs) = (false, TextOfRuns::default());
    }

    fn end_cell(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        let place = self.column;
        self.column = self.column.saturating_add(1);
        if self.value.is_empty() {
            return;
        }
        if place >= COLUMNS_MAX {
            self.row.too_wide = true;
            return;
        }
        let value = self.value.as_str();
        let (kind, text) = match cell.kind.as_str() {
            "s" => {
                let shared = value.trim().parse().ok().and_then(|index| self.outline.strings.get(index));
                (Kind::Plain, without_escapes(shared.unwrap_or("#REF!")))
            }
            "" | "n" => self.number(value, cell.style),
            "b" => (Kind::Plain, if value.trim() == "1" { "TRUE" } else { "FALSE" }.to_owned()),
            "d" => (Kind::Day, value.to_owned()),
            _ => (Kind::Plain, without_escapes(value)),
        };
        let row = &mut self.row;
        // Cells that are left out are empty; one that comes out of order stands where it says.
        while row.spans.len() <= place {
            row.spans.push(Span::new(row.text.len(), row.text.len(), Kind::Plain));
        }
        let start = row.text.len();
        row.text.extend_from_slice(text.as_bytes());
        if let Some(span) = row.spans.get_mut(place) {
            *span = Span::new(start, row.text.len(), kind);
        }
    }

    fn number(&self, stored: &str, style: usize) -> (Kind, String) {
        let Some(number) = decimal(stored) else { return (Kind::Plain, stored.to_owned()) };
        let is_day = self.outline.day_formats.get(style).copied().unwrap_or(false);
        match day_of_serial(&number, self.outline.epoch).filter(|_| is_day) {
            Some(day) => (Kind::Day, day.to_string()),
            None => (Kind::Number, number),
        }
    }
}

/// The column of a cell's name, counted from 0: that of `AB12` is 27. Columns beyond those that exist are the last one.
fn column_of(name: &str) -> Option<usize> {
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).take(4);
    let number = letters.fold(0_usize, |number, letter| {
        let digit = usize::from(letter.to_ascii_uppercase().saturating_sub(b'A')).saturating_add(1);
        number.saturating_mul(26).saturating_add(digit)
    });
    number.checked_sub(1)
}

/// `_x000D_` is how a carriage return is written in a string.
fn without_escapes(text: &str) -> String {
    text.replace("_x000D_", "\r").replace("_x000A_", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_letters() {
        for (name, expected) in
            [("A1", Some(0)), ("Z9", Some(25)), ("AB12", Some(27)), ("XFD1048576", Some(16_383)), ("7", None), ("", None)]
        {
            assert_eq!(column_of(name), expected, "{name}");
        }
    }
}
