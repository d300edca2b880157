//! Where in a file something stands.

use serde::Serialize;

/// A place in a file, from the byte to the component. What does not apply to a format stays empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Location {
    /// Offset from the start of the file, counted from 0.
    pub byte: u64,
    /// Line in the file, counted from 1.
    pub line: Option<u64>,
    /// Ordinal of the segment or record, counted from 1. In X12 it counts from ST, which is segment 1, as AK302 does; outside a set from the start of the file.
    pub segment: Option<u32>,
    /// Tag of the segment or type of the record, `RMR`.
    pub tag: Option<Tag>,
    /// Element or field, counted from 1: RMR04 is 4.
    pub element: Option<u16>,
    /// Occurrence of a repeating element, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u16>,
    /// Component of a composite element, counted from 1.
    pub component: Option<u16>,
    /// Sheet of a workbook, counted from 1. `line` is then its row and `element` its column; `segment` counts the rows of all sheets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<u16>,
}

impl Location {
    /// The name of a cell of a sheet, `C7`; nothing where no sheet, row or column is meant.
    pub fn cell(&self) -> Option<String> {
        let (line, mut column) = self.sheet.and(self.line).zip(self.element)?;
        let mut letters = Vec::new();
        while let Some(left) = column.checked_sub(1) {
            // Less than 26, so that it is a letter.
            letters.push(char::from(b'A'.saturating_add((left % 26) as u8)));
            column = left / 26;
        }
        Some(format!("{}{line}", letters.iter().rev().collect::<String>()))
    }
}

/// A segment tag or record type of up to eight bytes, kept inline; zeros fill what is not used.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Tag([u8; 8]);

impl Tag {
    /// The first eight bytes of `tag`; bytes that are not printable ASCII become `?`.
    #[inline]
    pub fn new(tag: &[u8]) -> Self {
        // Put together as a number: two or three letters then never go through memory one by one.
        match tag {
            [a, b] => Self((shown(*a) | shown(*b) << 8).to_le_bytes()),
            [a, b, c] => Self((shown(*a) | shown(*b) << 8 | shown(*c) << 16).to_le_bytes()),
            _ => Self::long(tag),
        }
    }

    fn long(tag: &[u8]) -> Self {
        let mut bytes = [0; 8];
        for (slot, byte) in bytes.iter_mut().zip(tag) {
            *slot = shown(*byte) as u8;
        }
        Self(bytes)
    }

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        self.0.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("")
    }
}

/// A printable byte, or a question mark in its place.
#[inline]
fn shown(byte: u8) -> u64 {
    u64::from(if byte.is_ascii_graphic() { byte } else { b'?' })
}

impl std::fmt::Debug for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for Tag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Tag {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
