//! What a report for people keeps of a file while it is read: the first records whole, and counts and sums of all.

use std::collections::BTreeMap;

use tieout_parsers::{
    Acknowledgment, Balance, Control, Currency, Direction, Finding, Invoice, Money, Payment, Record, Remittance, Return,
    Severity, Sink,
};

/// Records of one kind shown unless all are asked for.
pub const SHOWN: usize = 20;
/// Controls that disagree, kept for the report; the rest is counted.
const DISAGREEING_MAX: usize = 100;

/// A file while it is read.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Keep every record instead of the first ones.
    pub all: bool,
    /// Money that comes in.
    pub payments: Kept<Payment<'static>>,
    /// Money that goes out.
    pub debits: Kept<Payment<'static>>,
    pub remittances: Kept<Remittance<'static>>,
    pub invoices: Kept<Invoice<'static>>,
    pub returns: Kept<Return<'static>>,
    pub balances: Kept<Balance>,
    pub acknowledgments: Kept<Acknowledgment<'static>>,
    /// By name, in order of appearance.
    pub controls: Vec<ControlCount>,
    pub disagreeing: Vec<Control>,
    /// Bounded by the readers.
    pub findings: Vec<Finding>,
    /// Where interchanges end, in order; an excerpt needs the separators of its own.
    pub interchange_ends: Vec<u64>,
}

/// The first records of a kind, and all of them counted and summed.
#[derive(Debug)]
pub struct Kept<T> {
    pub first: Vec<T>,
    pub count: u64,
    /// In minor units; i128, because a sum of many amounts need not fit one.
    pub sums: BTreeMap<Currency, i128>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { first: Vec::new(), count: 0, sums: BTreeMap::new() }
    }
}

impl<T> Kept<T> {
    fn keep(&mut self, all: bool, amount: Option<Money>, record: impl FnOnce() -> T) {
        self.count += 1;
        if let Some(amount) = amount {
            *self.sums.entry(amount.currency).or_default() += i128::from(amount.minor);
        }
        if all || self.first.len() < SHOWN {
            self.first.push(record());
        }
    }
}

/// How many claims of one name agree.
#[derive(Debug)]
pub struct ControlCount {
    pub example: Control,
    pub count: u64,
    pub agreeing: u64,
}

impl Gathered {
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    fn control(&mut self, control: Control) {
        if matches!(control.name, "IEA02" | "UNZ02") {
            self.interchange_ends.push(control.location.byte);
        }
        let known =
            self.controls.iter_mut().find(|known| (known.example.name, known.example.level) == (control.name, control.level));
        let agreeing = u64::from(control.ok);
        match known {
            Some(known) => {
                known.count += 1;
                known.agreeing += agreeing;
            }
            None => self.controls.push(ControlCount { example: control.clone(), count: 1, agreeing }),
        }
        if !control.ok && self.disagreeing.len() < DISAGREEING_MAX {
            self.disagreeing.push(control);
        }
    }
}

impl<'w> Sink<'w> for Gathered {
    fn record(&mut self, record: Record<'w>) {
        let all = self.all;
        match record {
            Record::Payment(record) if record.direction == Direction::Debit => {
                self.debits.keep(all, Some(record.amount), || record.into_owned())
            }
            Record::Payment(record) => self.payments.keep(all, Some(record.amount), || record.into_owned()),
            Record::Remittance(record) => self.remittances.keep(all, record.total, || record.into_owned()),
            Record::Invoice(record) => self.invoices.keep(all, Some(record.amount), || record.into_owned()),
            Record::Return(record) => self.returns.keep(all, Some(record.amount), || record.into_owned()),
            Record::Balance(record) => self.balances.keep(all, None, || record),
            Record::Acknowledgment(record) => self.acknowledgments.keep(all, None, || record.into_owned()),
            Record::Control(record) => self.control(record),
            Record::Finding(record) => self.findings.push(record),
        }
    }
}
