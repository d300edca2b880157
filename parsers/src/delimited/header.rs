//! Recognises a delimited file by its header: a row among the first twenty whose column names fit a mapping.

use std::sync::Arc;

use super::{
    field::{COUNT, Field},
    mapping::Mapping,
    rows::{self, Found, How, Span},
};
use crate::{
    Effect, Finding, FindingCode, Location, Severity,
    x12::{
        output::Output,
        segment::{decode, shown},
    },
};

/// Rows that may stand before the header, such as the name of an account and a period.
pub(super) const PREAMBLE_MAX: usize = 20;

/// Delimiters in use, the everyday one first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// A header that fits a mapping.
#[derive(Debug)]
pub(super) struct Recognised {
    pub mapping: Arc<Mapping>,
    pub delimiter: u8,
    /// Where its row begins.
    pub at: usize,
}

/// Looks for a header in the first bytes of a file; `own` are mappings that go before the shipped ones.
pub(super) fn recognise(head: &[u8], own: &[Arc<Mapping>]) -> Option<Recognised> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let mut at = head.len().saturating_sub(text.len());
    let mut spans = Vec::new();
    for _ in 0..PREAMBLE_MAX {
        let bytes = head.get(at..).filter(|bytes| !bytes.is_empty())?;
        for delimiter in DELIMITERS {
            let how = How { delimiter, multi_line: false, bytes_max: bytes.len() };
            let Found::Row(row) = rows::read(bytes, true, how, &mut spans) else { continue };
            if row.broken || spans.len() < 2 {
                continue;
            }
            let columns = Columns::names(bytes, &spans);
            if is_open_item_list(&columns) {
                return None;
            }
            if let Some(mapping) = mapping_of(&columns, own) {
                return Some(Recognised { mapping, delimiter, at });
            }
        }
        let end = memchr::memchr2(b'\n', b'\r', bytes)?;
        at = at.saturating_add(rows::after_line_end(bytes, end));
    }
    None
}

/// The first mapping that these plain column names fit; `own` go before the shipped ones.
pub(super) fn mapping_of(columns: &[String], own: &[Arc<Mapping>]) -> Option<Arc<Mapping>> {
    own.iter().chain(Mapping::shipped()).find(|mapping| fits(mapping, columns)).map(Arc::clone)
}

/// Lists of open items are master data; they are read elsewhere.
pub(super) fn is_open_item_list(columns: &[String]) -> bool {
    let has = |name: &str| columns.iter().any(|column| column == name);
    has("invoice number") && has("customer id")
}

fn fits(mapping: &Mapping, columns: &[String]) -> bool {
    let has = |field: &Field| mapping.names.get(field).is_some_and(|names| names.iter().any(|name| columns.contains(name)));
    let header = &mapping.sheet.header;
    header.required.iter().all(has)
        && (header.any.is_empty() || header.any.iter().any(has))
        && !mapping.absent.iter().any(|name| columns.contains(name))
}

/// Lower case, with one blank for whatever is no letter or digit: `Payment_Ref.` is `payment ref`.
pub(super) fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for letter in name.chars() {
        if letter.is_alphanumeric() || letter == '#' {
            plain.extend(letter.to_lowercase());
        } else if !plain.is_empty() && !plain.ends_with(' ') {
            plain.push(' ');
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

/// Which column holds which field.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    places: [Option<u16>; COUNT],
    /// Names as the file writes them.
    pub names: Vec<String>,
    /// Columns that no field of the mapping takes.
    pub unused: Vec<u16>,
    /// A field that two columns claim by the same name.
    pub twice: Option<(Field, u16)>,
}

impl Columns {
    /// The plain names of a row.
    pub fn names(row: &[u8], spans: &[Span]) -> Vec<String> {
        spans.iter().map(|span| plain(&decode(&span.value(row)))).collect()
    }

    /// The columns of a header row.
    pub fn new(mapping: &Mapping, row: &[u8], spans: &[Span]) -> Self {
        let plain_names = Self::names(row, spans);
        let names = spans.iter().map(|span| decode(&span.value(row)).trim().to_owned()).collect();
        let mut columns = Self { names, ..Self::default() };
        for (field, wanted) in &mapping.names {
            let Some(name) = wanted.iter().find(|name| plain_names.contains(name)) else { continue };
            let mut found = (0..=u16::MAX).zip(&plain_names).filter(|(_, column)| *column == name).map(|(place, _)| place);
            let place = found.next();
            if let Some(slot) = columns.places.get_mut(*field as usize) {
                *slot = place;
            }
            columns.twice = columns.twice.or(found.next().map(|place| (*field, place)));
        }
        let all = (0..=u16::MAX).zip(&plain_names);
        let unused = all.filter(|(place, name)| !name.is_empty() && !columns.places.contains(&Some(*place)));
        columns.unused = unused.map(|(place, _)| place).collect();
        columns
    }

    /// What is odd about the header: a name that stands twice, and columns that the mapping does not use.
    pub fn tell(&self, mapping: &Mapping, place: Location, out: &mut Output<'static>) {
        if let Some((field, column)) = self.twice {
            out.finding(Finding {
                code: FindingCode::BadEnvelope,
                severity: Severity::Error,
                effect: Effect::FileHeld,
                message: format!("two columns are called {:?}; the first was read", self.name(field)),
                expected: "one column of this name".to_owned(),
                found: "two".to_owned(),
                location: Location { element: Some(column.saturating_add(1)), ..place },
            });
        }
        let unused: Vec<&str> =
            self.unused.iter().filter_map(|place| self.names.get(usize::from(*place))).map(String::as_str).collect();
        if !unused.is_empty() {
            out.finding(Finding {
                code: FindingCode::UnknownSegment,
                severity: Severity::Info,
                effect: Effect::Noted,
                message: format!("columns that the mapping {:?} does not use", mapping.name()),
                expected: "the columns of the mapping".to_owned(),
                found: shown(unused.join(", ").as_bytes()),
                location: place,
            });
        }
    }

    /// The column of a field, counted from 0.
    pub fn place(&self, field: Field) -> Option<u16> {
        self.places.get(field as usize).copied().flatten()
    }

    /// The name that the file gives to the column of a field.
    pub fn name(&self, field: Field) -> &str {
        let name = self.place(field).and_then(|place| self.names.get(usize::from(place)));
        name.map_or(field.as_str(), String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_recognised_in_any_order_and_case() {
        for (head, name) in [
            ("record,date,merchant,reference,payer,amount,currency,text\n", Some("card settlement report")),
            ("CURRENCY;Amount;Reference;\"Merchant Id\";DATE;Record\n", Some("card settlement report")),
            ("\u{feff}Advice,Payer,Payment Ref,Invoice,Net\n", Some("remittance list by advice")),
            (
                "Payables of Globex\n\nInvoice No.\tGross\tDiscount\tNet Paid\n",
                Some("remittance with invoice, gross, discount and net"),
            ),
            ("Zahler;Verwendung;Betrag\r\n", Some("Zahlungsavis")),
            ("Date,Description,Debit,Credit,Balance\n", Some("bank download")),
            // Master data and lists that are no payments.
            ("invoice_number,customer_id,payer,gross,net\n", None),
            ("currency,usd_rate,date\n", None),
            ("customer_id,name,currency\n", None),
            ("PmtInfId\n", None),
            ("Date,Description,Amount,Invoice\n", None),
            ("", None),
        ] {
            let found = recognise(head.as_bytes(), &[]).map(|found| found.mapping.name().to_owned());
            assert_eq!(found.as_deref(), name, "{head:?}");
        }
        let late = "a,b\n".repeat(PREAMBLE_MAX) + "Date,Description,Amount\n";
        assert!(recognise(late.as_bytes(), &[]).is_none(), "the header stands too far down");
    }

    #[test]
    fn names_are_compared_by_letters_and_digits() {
        for (name, expected) in
            [(" Payment_Ref. ", "payment ref"), ("Währung", "währung"), ("INVOICE #", "invoice #"), ("--", "")]
        {
            assert_eq!(plain(name), expected);
        }
    }
}
