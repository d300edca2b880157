//! Writes NACHA files for tests. Controls are computed here from columns, apart from the reader.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fmt::Write as _;

/// Our own account at the receiving bank, as the entries name it.
pub const RECEIVER: &str = "121000358";

/// A batch: its header and the records of its entries.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Columns 2 to 4.
    pub service: &'static str,
    /// Columns 5 to 40.
    pub company: String,
    /// Columns 41 to 50.
    pub id: String,
    /// Columns 51 to 53.
    pub class: String,
    /// Columns 54 to 63.
    pub description: &'static str,
    /// Columns 80 to 87.
    pub bank: String,
    /// Records 6 and 7.
    pub records: Vec<String>,
}

impl Batch {
    /// A batch of a company and class.
    pub fn new(class: &str, company: &str) -> Self {
        Self {
            service: "200",
            company: company.to_owned(),
            id: "1231380104".to_owned(),
            class: class.to_owned(),
            description: "VENDOR PAY",
            bank: "12104288".to_owned(),
            records: Vec::new(),
        }
    }

    /// With an entry: transaction code, cents, identification and name (columns 55 to 76), and its texts for addenda 05.
    pub fn entry(self, code: &str, cents: u64, identification: &str, name: &str, texts: &[&str]) -> Self {
        let trace = self.next_trace();
        let flag = u8::from(!texts.is_empty());
        let record = format!("6{code}{RECEIVER}{:<17}{cents:010}{identification:<15}{name:<22}  {flag}{trace}", "975312468");
        let addenda = texts.iter().zip(1..);
        let addenda: Vec<String> = addenda.map(|(text, number)| format!("705{text:<80}{number:04}{}", &trace[8..])).collect();
        self.records([record].into_iter().chain(addenda))
    }

    /// With a CTX entry whose addenda hold a text cut every 80 columns.
    pub fn ctx(self, cents: u64, text: &str) -> Self {
        let letters: Vec<char> = text.chars().collect();
        let pieces: Vec<String> = letters.chunks(80).map(|piece| piece.iter().collect()).collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let name = format!("{:04}OUR COMPANY", pieces.len());
        self.entry("22", cents, "", &name, &pieces)
    }

    /// With a return or change notice: transaction code, cents, name, and columns 2 to 79 of its addenda.
    pub fn returned(self, code: &str, cents: u64, name: &str, addenda: &str) -> Self {
        let trace = self.next_trace();
        let record = format!("6{code}{RECEIVER}{:<17}{cents:010}{:<15}{name:<22}  1{trace}", "975312468", "");
        let more = format!("7{addenda:<78}{trace}");
        self.records([record, more])
    }

    /// With records as they are.
    pub fn records(mut self, records: impl IntoIterator<Item = String>) -> Self {
        self.records.extend(records);
        self
    }

    fn next_trace(&self) -> String {
        let number = self.records.iter().filter(|record| record.starts_with('6')).count() + 1;
        format!("{}{number:07}", self.bank)
    }

    fn header(&self, number: usize) -> String {
        let Self { service, company, id, class, description, bank, .. } = self;
        format!("5{service}{company:<36}{id:<10}{class}{description:<10}260316260317   1{bank}{number:07}")
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for record in &self.records {
            totals.count += 1;
            if let Some(entry) = record.strip_prefix('6') {
                totals.hash += column(entry, 3, 10).parse::<u64>().unwrap_or(0);
                let cents = column(entry, 29, 38).parse::<u64>().unwrap_or(0);
                match entry.as_bytes()[1] {
                    b'1'..=b'4' => totals.credit += cents,
                    _ => totals.debit += cents,
                }
            }
        }
        totals
    }
}

#[derive(Clone, Copy, Default)]
struct Totals {
    count: u64,
    hash: u64,
    debit: u64,
    credit: u64,
}

fn column(text: &str, from: usize, to: usize) -> &str {
    text.get(from - 1..to).unwrap_or_default()
}

/// The records of a whole file, fillers included.
pub fn records(batches: &[Batch]) -> Vec<String> {
    let mut lines = vec![format!("101 {RECEIVER} 2313801042603160600A094101{:<23}{:<23}{:<8}", "OUR BANK", "ACH OPERATOR", "")];
    let mut all = Totals::default();
    for (batch, number) in batches.iter().zip(1..) {
        let totals = batch.totals();
        lines.push(batch.header(number));
        lines.extend(batch.records.iter().cloned());
        lines.push(format!(
            "8{}{:06}{:010}{:012}{:012}{:<10}{:25}{}{number:07}",
            batch.service,
            totals.count,
            totals.hash % 10_000_000_000,
            totals.debit,
            totals.credit,
            batch.id,
            "",
            batch.bank
        ));
        all.count += totals.count;
        all.hash += totals.hash;
        all.debit += totals.debit;
        all.credit += totals.credit;
    }
    let blocks = (lines.len() + 1).div_ceil(10);
    lines.push(format!(
        "9{:06}{blocks:06}{:08}{:010}{:012}{:012}{:39}",
        batches.len(),
        all.count,
        all.hash % 10_000_000_000,
        all.debit,
        all.credit,
        ""
    ));
    lines.resize(blocks * 10, "9".repeat(94));
    lines
}

/// A file with line feeds.
pub fn file(batches: &[Batch]) -> String {
    joined(&records(batches), "\n")
}

/// Records, each with what ends it.
pub fn joined(records: &[String], ending: &str) -> String {
    let mut text = String::new();
    for record in records {
        write!(text, "{record}{ending}").expect("text grows");
    }
    text
}
