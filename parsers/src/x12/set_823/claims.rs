//! What a deposit or a batch of an 823 claims about its checks: AMT, their sum, and QTY, how many they are.

use crate::{Currency, Effect, Figure, Finding, FindingCode, Severity};

use super::super::{
    output::{Claim, Output},
    segment::Segment,
};

/// The claims of one deposit or batch, and what its checks come to.
pub(super) struct Claims<'w, 's> {
    level: &'static str,
    /// DEP or BAT.
    pub head: Segment<'w, 's>,
    /// AMT segments.
    pub amounts: Vec<Segment<'w, 's>>,
    /// QTY segments.
    pub quantities: Vec<Segment<'w, 's>>,
    /// Sum of the checks, in minor units.
    sum: i128,
    checks: u64,
    batches: u64,
    /// Currency of the checks; the first decides.
    currency: Option<Currency>,
    /// Checks of several currencies have no common sum.
    mixed: bool,
    /// Some batch gives a total and lists no checks.
    unlisted: bool,
    /// A segment that belongs to no lockbox stands here; it may have been the beginning of a check.
    pub foreign: bool,
}

impl<'w, 's> Claims<'w, 's> {
    pub fn new(level: &'static str, head: Segment<'w, 's>) -> Self {
        Self {
            level,
            head,
            amounts: Vec::new(),
            quantities: Vec::new(),
            sum: 0,
            checks: 0,
            batches: 0,
            currency: None,
            mixed: false,
            unlisted: false,
            foreign: false,
        }
    }

    /// Counts a check. One whose amount cannot be read adds nothing, so that the total shows what is missing.
    pub fn add_check(&mut self, minor: Option<i64>, currency: Currency) {
        self.checks = self.checks.saturating_add(1);
        self.sum = self.sum.saturating_add(i128::from(minor.unwrap_or(0)));
        self.mixed |= *self.currency.get_or_insert(currency) != currency;
    }

    /// Counts a batch that has ended. Its checks have been counted one by one; where it lists none its claimed total stands for them.
    pub fn add_batch(&mut self, batch: &Self, currency: Currency) {
        self.batches = self.batches.saturating_add(1);
        if batch.checks > 0 {
            return;
        }
        self.unlisted = true;
        let total = batch.amounts.first().and_then(|amount| crate::parse_minor(amount.value(2), currency).ok());
        self.sum = self.sum.saturating_add(i128::from(total.unwrap_or(0)));
    }

    /// Compares every claim.
    pub fn compare(&self, currency: Currency, out: &mut Output<'w>) {
        if self.checks == 0 && self.batches == 0 {
            let told = self.amounts.iter().chain(&self.quantities).next();
            if let Some(segment) = told {
                out.finding(self.unproven(segment));
            }
            return;
        }
        if self.unlisted && (self.checks > 0 || self.foreign) {
            let finding = self.unproven(&self.head);
            let message = "a batch of the deposit lists no checks; some may have been lost".to_owned();
            out.finding(Finding { message, severity: Severity::Error, effect: Effect::FileHeld, ..finding });
        }
        let currency = self.currency.unwrap_or(currency);
        for amount in &self.amounts {
            self.compare_total(amount, currency, out);
        }
        for quantity in &self.quantities {
            self.compare_count(quantity, out);
        }
    }

    /// AMT02 is the sum of BPR02.
    fn compare_total(&self, amount: &Segment<'w, 's>, currency: Currency, out: &mut Output<'w>) {
        if self.mixed {
            let message = format!("the {} holds checks of several currencies, which have no common total", self.level);
            let code = FindingCode::ControlTotalMismatch;
            out.finding(amount.finding(2, code, Effect::FileHeld, message, "checks of one currency"));
            return;
        }
        // A claim that is no amount proves nothing, and then nothing may post.
        let Some(claimed) = amount.required_amount(2, currency, Effect::FileHeld, out) else { return };
        let figure = |minor| Figure::decimal(minor, currency.exponent());
        let claimed = i128::from(claimed.minor);
        let claim = Claim {
            code: FindingCode::ControlTotalMismatch,
            what: "the sum of the checks (BPR02)",
            location: amount.location_of(2),
        };
        out.compare("AMT02", self.level, (figure(claimed), figure(self.sum)), claimed == self.sum, claim);
    }

    /// QTY02 counts batches (QTY01 41) or checks (42). Other qualifiers are taken for the count they agree with.
    fn compare_count(&self, quantity: &Segment<'w, 's>, out: &mut Output<'w>) {
        let Some(claimed) = quantity.count(2, Effect::FileHeld, out) else { return };
        let (what, computed) = match quantity.value(1) {
            b"41" => ("the number of batches", self.batches),
            b"42" => ("the number of checks", self.checks),
            _ if claimed == self.checks => ("the number of checks", self.checks),
            _ if claimed == self.batches => ("the number of batches", self.batches),
            _ => {
                let message = "QTY01 says neither batches nor checks, and QTY02 is the number of none of them".to_owned();
                return out.finding(quantity.finding(1, FindingCode::BadCode, Effect::Noted, message, "41 or 42"));
            }
        };
        if self.unlisted && what == "the number of checks" {
            return;
        }
        let claim = Claim { code: FindingCode::ControlCountMismatch, what, location: quantity.location_of(2) };
        out.compare("QTY02", self.level, (Figure::count(claimed), Figure::count(computed)), claimed == computed, claim);
    }

    /// A deposit may be announced without its checks; but where something foreign stands they may have been lost.
    fn unproven(&self, segment: &Segment<'w, 's>) -> Finding {
        let (severity, effect) =
            if self.foreign { (Severity::Error, Effect::FileHeld) } else { (Severity::Warning, Effect::Noted) };
        Finding {
            code: FindingCode::MissingLoop,
            severity,
            effect,
            message: format!("the {} lists no checks, so what it claims is not compared", self.level),
            expected: "BPR".to_owned(),
            found: "no check".to_owned(),
            location: segment.location(),
        }
    }
}
