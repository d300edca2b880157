//! Terms of payment (ITD), as 810 and 210 state them: one tier per segment, of which one discount and one due date count.

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;

use crate::{Currency, Effect, FindingCode, Severity, Terms};

use super::{output::Output, segment::Segment};

/// Days of terms beyond this are no terms (ITD05 and ITD07 have three digits).
const DAYS_MAX: u64 = 999;

/// The dates that terms may count from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct BasisDates {
    pub invoice: Option<NaiveDate>,
    pub shipped: Option<NaiveDate>,
    pub delivered: Option<NaiveDate>,
    pub received: Option<NaiveDate>,
}

impl BasisDates {
    /// Takes a date by its qualifier (element 374): 011 shipped, 035 delivered, 050 received. The first of a kind counts.
    pub fn take(&mut self, qualifier: &[u8], date: Option<NaiveDate>) {
        let slot = match qualifier {
            b"011" | b"11" | b"86" => &mut self.shipped,
            b"035" | b"35" => &mut self.delivered,
            b"050" | b"50" => &mut self.received,
            _ => return,
        };
        *slot = slot.or(date);
    }

    /// The date that a terms basis (ITD02) means, where the file gives it.
    fn of(&self, basis: &[u8]) -> Option<NaiveDate> {
        match basis {
            _ if counts_from_invoice(basis) => self.invoice,
            b"1" => self.shipped,
            b"2" => self.delivered,
            b"15" => self.received,
            _ => None,
        }
    }
}

/// Invoice date (3), receipt of invoice (5) and no basis at all are one for us.
fn counts_from_invoice(basis: &[u8]) -> bool {
    matches!(basis, b"" | b"3" | b"5")
}

/// The ITD segments of a set, gathered until all dates are known.
#[derive(Debug, Default)]
pub(crate) struct TermsReader<'w, 's> {
    segments: Vec<Segment<'w, 's>>,
}

/// What one ITD says.
struct Tier<'w> {
    /// ITD01.
    kind: &'w [u8],
    /// ITD02.
    basis: &'w [u8],
    /// ITD03.
    percent: Option<Decimal>,
    /// ITD04.
    discount_date: Option<NaiveDate>,
    /// ITD05.
    discount_days: Option<u32>,
    /// ITD06.
    due_date: Option<NaiveDate>,
    /// ITD07.
    net_days: Option<u32>,
    /// ITD08.
    discount_amount: Option<crate::Money>,
}

impl<'w, 's> TermsReader<'w, 's> {
    /// Takes an ITD segment.
    pub fn take(&mut self, segment: &Segment<'w, 's>) {
        self.segments.push(*segment);
    }

    /// The terms and the due date: the first discount and the first due date win, everything else is noted.
    pub fn settle(&self, dates: &BasisDates, currency: Currency, out: &mut Output<'w>) -> (Terms, Option<NaiveDate>) {
        let mut terms = Terms::default();
        let mut due: Option<NaiveDate> = None;
        let mut discounted = false;
        for segment in &self.segments {
            let tier = Tier::read(segment, currency, out);
            let gives = tier.gives_discount();
            if gives && !discounted {
                discounted = true;
                tier.set_discount(&mut terms, dates);
            } else if gives || tier.percent.is_some() {
                note(segment, &tier, out);
            }
            terms.net_days = terms.net_days.or(tier.net_days);
            let tier_due = tier.due(dates);
            match (due, tier_due) {
                (Some(first), Some(other)) if first != other => {
                    let message = format!("due date {other} is not used; {first} stands before it");
                    let mut finding = segment.finding(6, FindingCode::FurtherTerms, Effect::Noted, message, "one due date");
                    finding.severity = Severity::Info;
                    out.finding(finding);
                }
                _ => due = due.or(tier_due),
            }
        }
        (terms, due)
    }
}

impl<'w> Tier<'w> {
    fn read(segment: &Segment<'w, '_>, currency: Currency, out: &mut Output<'w>) -> Self {
        Self {
            kind: segment.value(1),
            basis: segment.value(2),
            percent: percent(segment, out),
            discount_date: segment.date(4, Effect::Noted, out),
            discount_days: days(segment, 5, out),
            due_date: segment.date(6, Effect::Noted, out),
            net_days: days(segment, 7, out),
            discount_amount: segment.implied(8, 2, currency, Effect::Noted, out),
        }
    }

    fn gives_discount(&self) -> bool {
        self.percent.is_some_and(|percent| percent > Decimal::ZERO) || self.discount_amount.is_some_and(|amount| amount.minor > 0)
    }

    fn set_discount(&self, terms: &mut Terms, dates: &BasisDates) {
        terms.discount_percent = self.percent;
        terms.discount_days = self.discount_days;
        terms.discount_amount = self.discount_amount;
        let computed = || {
            let elsewhere = !counts_from_invoice(self.basis);
            elsewhere.then(|| after(dates.of(self.basis), self.discount_days)).flatten()
        };
        terms.discount_date = self.discount_date.or_else(computed);
    }

    /// The stated due date (ITD06), or basis date and net days, unless the terms count from the end of a month (02, 09).
    fn due(&self, dates: &BasisDates) -> Option<NaiveDate> {
        let monthly = matches!(self.kind, b"02" | b"09");
        self.due_date.or_else(|| if monthly { None } else { after(dates.of(self.basis), self.net_days) })
    }
}

fn after(date: Option<NaiveDate>, days: Option<u32>) -> Option<NaiveDate> {
    date?.checked_add_days(Days::new(u64::from(days?)))
}

/// ITD03; a discount above 100 percent is none.
fn percent<'w>(segment: &Segment<'w, '_>, out: &mut Output<'w>) -> Option<Decimal> {
    let percent = segment.decimal(3, Effect::Noted, out)?.normalize();
    if percent > Decimal::ONE_HUNDRED {
        let message = "ITD03 is more than 100 percent and is not used".to_owned();
        out.finding(segment.finding(3, FindingCode::BadAmount, Effect::Noted, message, "a percentage up to 100"));
        return None;
    }
    Some(percent)
}

fn days<'w>(segment: &Segment<'w, '_>, n: usize, out: &mut Output<'w>) -> Option<u32> {
    let count = segment.count(n, Effect::Noted, out)?;
    if count > DAYS_MAX {
        let message = format!("{} is no number of days and is not used", segment.name(n));
        out.finding(segment.finding(n, FindingCode::BadAmount, Effect::Noted, message, "at most 999 days"));
        return None;
    }
    u32::try_from(count).ok()
}

/// Says which terms were not used: a further discount, none at all, or a surcharge for paying late.
fn note(segment: &Segment<'_, '_>, tier: &Tier<'_>, out: &mut Output<'_>) {
    let percent = tier.percent.unwrap_or_default();
    let within = tier.discount_days.map_or(String::new(), |days| format!(" at {days} days"));
    let message = if percent < Decimal::ZERO {
        format!("a surcharge of {} percent{within} is not used", percent.abs())
    } else {
        format!("a further tier of {percent} percent{within} is not used")
    };
    let mut finding = segment.finding(3, FindingCode::FurtherTerms, Effect::Noted, message, "one discount");
    finding.severity = Severity::Info;
    out.finding(finding);
}
