//! What total rows claim about all rows of a currency, beside what those rows come to.

use std::collections::BTreeMap;

use super::{cells::Cells, sheet::Totals as Claims};
use crate::{
    Currency, Effect, Figure, Finding, FindingCode, Location, Severity,
    x12::{output::Claim, output::Output, value},
};

/// Sums and claims since the header. Bounded by the number of currencies, and by the total rows of a file that has hardly more.
#[derive(Debug, Default)]
pub(super) struct Totals {
    sums: BTreeMap<Currency, Sum>,
    claims: Vec<Claimed>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    minor: i128,
    count: u64,
}

#[derive(Debug)]
struct Claimed {
    currency: Currency,
    minor: i64,
    amount_at: Location,
    count: Option<(String, Location)>,
}

/// Total rows that one section of a file may have: a currency each, and a few more.
const CLAIMS_MAX: usize = 1_000;

impl Totals {
    /// Adds a row.
    pub fn add(&mut self, currency: Currency, minor: i64) {
        let sum = self.sums.entry(currency).or_default();
        sum.minor = sum.minor.saturating_add(i128::from(minor));
        sum.count = sum.count.saturating_add(1);
    }

    /// Counts a row whose amount cannot be read.
    pub fn add_unread(&mut self, currency: Currency) {
        let sum = self.sums.entry(currency).or_default();
        sum.count = sum.count.saturating_add(1);
    }

    /// Takes the claim of a total row.
    pub fn claim(&mut self, claims: &Claims, currency: Currency, minor: i64, cells: &Cells<'_>) {
        if self.claims.len() < CLAIMS_MAX {
            let count = claims.count.map(|field| (cells.text(field).unwrap_or_default(), cells.location(field)));
            self.claims.push(Claimed { currency, minor, amount_at: cells.location(claims.amount), count });
        }
    }

    /// Compares at the end of the file or before another header. Nothing is left behind.
    pub fn compare(&mut self, required: bool, end: Location, out: &mut Output<'static>) {
        let Self { sums, claims } = std::mem::take(self);
        for claimed in &claims {
            let sum = sums.get(&claimed.currency).copied().unwrap_or_default();
            let figure = |minor| Figure::decimal(minor, claimed.currency.exponent());
            let sides = (figure(i128::from(claimed.minor)), figure(sum.minor));
            let claim =
                Claim { code: FindingCode::ControlTotalMismatch, what: "the sum of the rows", location: claimed.amount_at };
            out.compare("total", "file", sides, i128::from(claimed.minor) == sum.minor, claim);
            if let Some((text, location)) = &claimed.count {
                let ok = value::count(text.as_bytes()) == Some(sum.count);
                let claim = Claim { code: FindingCode::ControlCountMismatch, what: "the number of rows", location: *location };
                out.compare("count", "file", (Figure::new(text), Figure::count(sum.count)), ok, claim);
            }
        }
        if !required {
            return;
        }
        let unclaimed = |currency: &Currency| !claims.iter().any(|claimed| claimed.currency == *currency);
        let missing: Vec<String> = sums.keys().filter(|currency| unclaimed(currency)).map(Currency::to_string).collect();
        if !missing.is_empty() || claims.is_empty() {
            let of = if missing.is_empty() { String::new() } else { format!(" of {}", missing.join(", ")) };
            out.finding(Finding {
                code: FindingCode::MissingTrailer,
                severity: Severity::Error,
                effect: Effect::FileHeld,
                message: format!("the total row{of} is missing; the end of the file may be lost"),
                expected: "a total row for every currency".to_owned(),
                found: "the end".to_owned(),
                location: end,
            });
        }
    }
}
