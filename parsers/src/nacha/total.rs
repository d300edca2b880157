//! Counts, hash and totals of a batch or a file, and their comparison with what its control record claims.

use crate::{
    Direction, Figure, FindingCode,
    x12::output::{Claim, Output},
};

use super::{
    code::Form,
    layout::{Field, batch_control, file_control},
    line::{Line, number},
};

/// Entry hashes keep their last ten digits.
const HASH_MODULUS: u64 = 10_000_000_000;

/// What the records of a batch or a file come to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    /// Records 6 and 7.
    pub records: u64,
    /// Sum of the receiving banks, not yet cut to ten digits.
    hash: u64,
    debit: i128,
    credit: i128,
}

impl Totals {
    /// Counts an entry. What cannot be read counts as nothing and shows in the comparison.
    pub fn entry(&mut self, receiving_dfi: Option<u64>, direction: Option<Direction>, amount: Option<i64>) {
        self.records = self.records.saturating_add(1);
        self.hash = self.hash.wrapping_add(receiving_dfi.unwrap_or(0)) % HASH_MODULUS;
        let amount = i128::from(amount.unwrap_or(0));
        match direction {
            Some(Direction::Credit) => self.credit = self.credit.saturating_add(amount),
            Some(Direction::Debit) => self.debit = self.debit.saturating_add(amount),
            None => {}
        }
    }

    /// Adds a batch to the totals of its file.
    pub fn add(&mut self, batch: &Self) {
        self.records = self.records.saturating_add(batch.records);
        self.hash = self.hash.wrapping_add(batch.hash) % HASH_MODULUS;
        self.debit = self.debit.saturating_add(batch.debit);
        self.credit = self.credit.saturating_add(batch.credit);
    }

    /// Compares with record 8.
    pub fn compare_batch(&self, line: &Line<'_>, form: Form, out: &mut Output<'_>) {
        use batch_control as at;
        let (debit, credit) = match form {
            Form::Adv => (&at::ADV_TOTAL_DEBIT, &at::ADV_TOTAL_CREDIT),
            _ => (&at::TOTAL_DEBIT, &at::TOTAL_CREDIT),
        };
        count(line, &at::ENTRY_ADDENDA_COUNT, "batch", self.records, "the number of entries and addenda", out);
        self.compare_hash(line, &at::ENTRY_HASH, "batch", out);
        amount(line, debit, "batch", self.debit, "the sum of the debits", out);
        amount(line, credit, "batch", self.credit, "the sum of the credits", out);
    }

    /// Compares with record 9.
    pub fn compare_file(&self, line: &Line<'_>, form: Form, out: &mut Output<'_>) {
        use file_control as at;
        let (debit, credit) = match form {
            Form::Adv => (&at::ADV_TOTAL_DEBIT, &at::ADV_TOTAL_CREDIT),
            _ => (&at::TOTAL_DEBIT, &at::TOTAL_CREDIT),
        };
        count(line, &at::ENTRY_ADDENDA_COUNT, "file", self.records, "the number of entries and addenda", out);
        self.compare_hash(line, &at::ENTRY_HASH, "file", out);
        amount(line, debit, "file", self.debit, "the sum of the debits", out);
        amount(line, credit, "file", self.credit, "the sum of the credits", out);
    }

    fn compare_hash(&self, line: &Line<'_>, field: &Field, level: &'static str, out: &mut Output<'_>) {
        let claimed = claim(line, field);
        let sides = (figure(line, field, claimed), Figure::count(self.hash));
        let claim = Claim {
            code: FindingCode::ControlTotalMismatch,
            what: "the sum of the receiving banks' numbers, cut to ten digits,",
            location: line.location_of(field),
        };
        out.compare(field.name, level, sides, claimed == Some(self.hash), claim);
    }
}

/// Compares a count.
pub(super) fn count(
    line: &Line<'_>,
    field: &Field,
    level: &'static str,
    computed: u64,
    what: &'static str,
    out: &mut Output<'_>,
) {
    let claimed = claim(line, field);
    let sides = (figure(line, field, claimed), Figure::count(computed));
    let claim = Claim { code: FindingCode::ControlCountMismatch, what, location: line.location_of(field) };
    out.compare(field.name, level, sides, claimed == Some(computed), claim);
}

fn amount(line: &Line<'_>, field: &Field, level: &'static str, computed: i128, what: &'static str, out: &mut Output<'_>) {
    let claimed = claim(line, field).map(i128::from);
    let text = match claimed {
        Some(cents) => Figure::decimal(cents, 2),
        None => figure(line, field, None),
    };
    let claim = Claim { code: FindingCode::ControlTotalMismatch, what, location: line.location_of(field) };
    out.compare(field.name, level, (text, Figure::decimal(computed, 2)), claimed == Some(computed), claim);
}

/// The claim as a number. A field that is cut short claims nothing: its first digits may be zeros of a number that went on.
pub(super) fn claim(line: &Line<'_>, field: &Field) -> Option<u64> {
    let width = field.to.wrapping_sub(field.from).wrapping_add(1);
    if line.raw(field).len() < width {
        return None;
    }
    number(line.value(field))
}

/// The claim as a number where it is one, else as it stands.
fn figure(line: &Line<'_>, field: &Field, claimed: Option<u64>) -> Figure {
    match claimed {
        Some(number) => Figure::count(number),
        None => Figure::new(&crate::x12::segment::shown(line.value(field))),
    }
}
