//! Terms of payment: PAT with the dates, percentages and amounts behind it.

use chrono::{Days, NaiveDate};
use rust_decimal::Decimal;

use crate::{Currency, Effect, FindingCode, Money, Severity, Terms, x12::output::Output};

use super::super::{
    message::amount,
    segment::{Element, Segment},
};

/// Days of terms beyond this are no terms.
const DAYS_MAX: u64 = 999;

/// The PAT groups of a message, gathered until the date of the invoice is known.
#[derive(Debug)]
pub(super) struct TermsReader<'w> {
    currency: Option<Currency>,
    tiers: Vec<Tier<'w>>,
    is_open: bool,
    /// Due dates that stand outside PAT.
    due: Option<NaiveDate>,
}

/// One PAT with what follows it.
#[derive(Debug)]
struct Tier<'w> {
    pat: Segment<'w>,
    /// 4279: 22 discount; a surcharge for paying late is none.
    kind: Kind,
    /// Days from the date of the invoice.
    days: Option<u32>,
    due: Option<NaiveDate>,
    until: Option<NaiveDate>,
    percent: Option<Decimal>,
    amount: Option<Money>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Net,
    Discount,
    Penalty,
}

impl<'w> TermsReader<'w> {
    pub fn new(currency: Option<Currency>) -> Self {
        Self { currency, tiers: Vec::new(), is_open: false, due: None }
    }

    /// Whether what follows belongs to a PAT.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// PAT.
    pub fn open(&mut self, pat: &Segment<'w>, out: &mut Output<'w>) {
        let kind = match &*pat.code(1, 1) {
            "22" => Kind::Discount,
            "20" => Kind::Penalty,
            _ => Kind::Net,
        };
        let days = days(pat, out);
        self.tiers.push(Tier { pat: *pat, kind, days, due: None, until: None, percent: None, amount: None });
        self.is_open = true;
    }

    /// Another group begins.
    pub fn close(&mut self) {
        self.is_open = false;
    }

    /// DTM: 12 last day of the discount; 13 due date of the net amount, 140 and 265 due dates by other names.
    pub fn take_date(&mut self, element: &Element<'w>, out: &mut Output<'w>) {
        let qualifier = element.code(1);
        let is_due = matches!(&*qualifier, "13" | "140" | "265");
        if !is_due && qualifier != "12" {
            return;
        }
        let date = element.date(Effect::Noted, out);
        match self.tiers.last_mut().filter(|_| self.is_open) {
            Some(tier) if is_due && tier.kind == Kind::Net => tier.due = tier.due.or(date),
            // A discount whose date is called a due date ends on that day.
            Some(tier) => tier.until = tier.until.or(date),
            None if is_due => self.due = self.due.or(date),
            None => {}
        }
    }

    /// PCD behind PAT: the percentage.
    pub fn take_percent(&mut self, pcd: &Segment<'w>, out: &mut Output<'w>) {
        let Some(tier) = self.tiers.last_mut().filter(|_| self.is_open) else { return };
        let element = pcd.element(1);
        let percent = element.decimal(2, out).map(|percent| percent.normalize());
        if percent.is_some_and(|percent| percent > Decimal::ONE_HUNDRED) {
            let message = "the percentage is more than 100 and is not used".to_owned();
            out.finding(element.finding(2, FindingCode::BadAmount, Effect::Noted, message, "a percentage up to 100"));
            return;
        }
        tier.percent = tier.percent.or(percent);
    }

    /// MOA behind PAT: the discount as an amount (52 discount amount, 21 cash discount).
    pub fn take_amount(&mut self, moa: &Segment<'w>, out: &mut Output<'w>) {
        let Some(tier) = self.tiers.last_mut() else { return };
        let element = moa.element(1);
        if matches!(&*element.code(1), "52" | "21") && tier.amount.is_none() {
            tier.amount = amount(&element, self.currency, out);
        }
    }

    /// The terms and the due date: the first discount and the first due date win, everything else is noted.
    pub fn settle(&self, invoiced: Option<NaiveDate>, out: &mut Output<'w>) -> (Terms, Option<NaiveDate>) {
        let mut terms = Terms::default();
        let mut due = None;
        let mut discounted = false;
        for tier in &self.tiers {
            let gives = tier.kind == Kind::Discount && (tier.gives_percent() || tier.amount.is_some_and(|money| money.minor > 0));
            match tier.kind {
                Kind::Discount if gives && !discounted => {
                    discounted = true;
                    terms.discount_percent = tier.percent;
                    terms.discount_days = tier.days;
                    terms.discount_date = tier.until;
                    terms.discount_amount = tier.amount;
                }
                Kind::Discount | Kind::Penalty if tier.percent.is_some() || tier.amount.is_some() => tier.note(out),
                Kind::Net => {
                    terms.net_days = terms.net_days.or(tier.days);
                    due = due.or(tier.due).or_else(|| after(invoiced, tier.days));
                }
                Kind::Discount | Kind::Penalty => {}
            }
        }
        (terms, due.or(self.due))
    }
}

impl Tier<'_> {
    fn gives_percent(&self) -> bool {
        self.percent.is_some_and(|percent| percent > Decimal::ZERO)
    }

    /// Says which terms were not used.
    fn note(&self, out: &mut Output<'_>) {
        let what = if self.kind == Kind::Penalty { "a surcharge for paying late" } else { "a further discount" };
        let message = format!("{what} is not used");
        let mut finding = self.pat.finding(FindingCode::FurtherTerms, Effect::Noted, message, "one discount");
        finding.severity = Severity::Info;
        out.finding(finding);
    }
}

/// C112: so many days after the date of the invoice. Days from any other date, and months, give no count.
fn days(pat: &Segment<'_>, out: &mut Output<'_>) -> Option<u32> {
    let element = pat.element(3);
    element.text(4)?;
    // 2475: date of the invoice, receipt of the invoice, specified date. 2009: reference date or after it.
    let counts = matches!(&*element.code(1), "" | "5" | "9" | "66") && matches!(&*element.code(2), "" | "1" | "3");
    let unit = match &*element.code(3) {
        "" | "D" | "CD" => 1_u64,
        "W" => 7,
        _ => return None,
    };
    let days = element.count(4).and_then(|count| count.checked_mul(unit)).filter(|days| *days <= DAYS_MAX);
    if days.is_none() {
        let message = "PAT names no number of days; it is not used".to_owned();
        out.finding(element.finding(4, FindingCode::BadAmount, Effect::Noted, message, "at most 999 days"));
    }
    days.filter(|_| counts).and_then(|days| u32::try_from(days).ok())
}

fn after(date: Option<NaiveDate>, days: Option<u32>) -> Option<NaiveDate> {
    date?.checked_add_days(Days::new(u64::from(days?)))
}
