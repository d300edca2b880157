//! The amounts of an INVOIC: which of them is the invoice, and whether lines, taxes and prepayments bear it out.

use crate::{Currency, Effect, Figure, FindingCode, Location, Money, x12::output::Output};

use super::super::{
    message::{Claim, Message, amount},
    segment::{Element, Segment},
};

/// The whole of the invoice (5025), the best first: invoice amount, invoice total, message total, total amount.
const WHOLE: &[&str] = &["77", "39", "86", "388", "128"];
/// What is left to pay of it, and what was paid before.
const DUE: &str = "9";
const PREPAID: &[&str] = &["113", "263"];
/// Tax of the whole message: tax amount, VAT amount, message total of duties, taxes and fees.
const TAX: &[&str] = &["176", "124", "150"];

/// What the amounts that follow belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    /// Header or summary.
    Message,
    /// A line.
    Line,
    /// A tax of the summary.
    Tax,
    /// An allowance or charge, or a tax of a line.
    Apart,
}

/// Amounts as they are gathered.
#[derive(Debug)]
pub(super) struct Totals<'w> {
    currency: Option<Currency>,
    group: Group,
    in_summary: bool,
    /// Amounts of header and summary by their qualifier.
    stated: Vec<(String, Money, Location)>,
    /// Taxable amounts and taxes of the tax groups of the summary.
    taxable: i128,
    taxes: i128,
    tax_groups: u64,
    lines: u64,
    /// Lines with an amount (203 Line item amount), and their sum.
    lines_stated: u64,
    line_sum: i128,
    line_taken: bool,
    lines_claimed: Option<Element<'w>>,
}

impl<'w> Totals<'w> {
    pub fn new(currency: Option<Currency>) -> Self {
        Self {
            currency,
            group: Group::Message,
            in_summary: false,
            stated: Vec::new(),
            taxable: 0,
            taxes: 0,
            tax_groups: 0,
            lines: 0,
            lines_stated: 0,
            line_sum: 0,
            line_taken: false,
            lines_claimed: None,
        }
    }

    /// LIN.
    pub fn take_line(&mut self) {
        self.lines = self.lines.saturating_add(1);
        (self.group, self.line_taken) = (Group::Line, false);
    }

    /// UNS.
    pub fn begin_summary(&mut self) {
        (self.group, self.in_summary) = (Group::Message, true);
    }

    /// TAX and ALC begin groups of their own.
    pub fn begin_group(&mut self, segment: &Segment<'w>) {
        self.group = match (segment.tag().as_str(), self.in_summary) {
            ("TAX", true) => Group::Tax,
            _ => Group::Apart,
        };
        self.tax_groups = self.tax_groups.saturating_add(u64::from(self.group == Group::Tax));
    }

    /// CNT+2: the number of lines.
    pub fn take_count(&mut self, cnt: &Segment<'w>) {
        let element = cnt.element(1);
        if element.code(1) == "2" {
            self.lines_claimed = Some(element);
        }
    }

    /// MOA outside terms of payment.
    pub fn take_amount(&mut self, element: &Element<'w>, out: &mut Output<'w>) {
        let qualifier = element.code(1);
        let of_whole = WHOLE.contains(&&*qualifier) || qualifier == DUE || PREPAID.contains(&&*qualifier) || qualifier == "79";
        match (&*qualifier, self.group) {
            // The totals of the message mean the same behind a tax of the summary.
            (_, Group::Message | Group::Tax) if of_whole => self.state(&qualifier, element, out),
            (qualifier, Group::Message) if TAX.contains(&qualifier) || qualifier == "125" => self.state(qualifier, element, out),
            ("124", Group::Tax) => self.taxes = self.taxes.saturating_add(self.minor(element, out)),
            ("125", Group::Tax) => self.taxable = self.taxable.saturating_add(self.minor(element, out)),
            ("203", Group::Line) if !std::mem::replace(&mut self.line_taken, true) => {
                self.line_sum = self.line_sum.saturating_add(self.minor(element, out));
                self.lines_stated = self.lines_stated.saturating_add(1);
            }
            _ => {}
        }
    }

    /// An amount of the message. In another currency it is told for the books only; twice with two values it is a riddle.
    fn state(&mut self, qualifier: &str, element: &Element<'w>, out: &mut Output<'w>) {
        let Some(money) = amount(element, self.currency, out) else { return };
        let currency = *self.currency.get_or_insert(money.currency);
        if money.currency != currency {
            return;
        }
        match self.stated.iter().find(|(held, ..)| held == qualifier) {
            Some((_, other, _)) if *other != money => {
                let message = format!(
                    "{} names {money} here and {other} before; which of the two is owed, nobody can know",
                    element.name()
                );
                let expected = other.to_string();
                out.finding(element.finding(2, FindingCode::OutOfBalance, Effect::RecordSetAside, message, &expected));
            }
            Some(_) => {}
            None => self.stated.push((qualifier.to_owned(), money, element.location(2))),
        }
    }

    fn minor(&self, element: &Element<'w>, out: &mut Output<'w>) -> i128 {
        amount(element, self.currency, out)
            .filter(|money| Some(money.currency) == self.currency)
            .map_or(0, |money| money.minor.into())
    }

    fn stated(&self, wanted: &[&str]) -> Option<(Money, Location)> {
        let of = |wanted: &&str| self.stated.iter().find(|(held, ..)| held == wanted).map(|(_, money, place)| (*money, *place));
        wanted.iter().find_map(of)
    }

    /// What is owed: the amount due, which is the whole less what was paid before; else the whole.
    pub fn settle(&self, message: &Message<'w, '_>, out: &mut Output<'w>) -> Option<(Money, Location)> {
        let (whole, due) = (self.stated(WHOLE), self.stated(&[DUE]));
        let Some(owed) = due.or(whole) else {
            if !out.is_set_aside() {
                out.finding(message.missing("MOA+77", "the invoice names no total (MOA+77, 39, 86, 128 or 9)"));
            }
            return None;
        };
        if let (Some((whole, _)), Some((due, location))) = (whole, due) {
            let prepaid = self.stated(PREPAID).map_or(0, |(money, _)| i128::from(money.minor.saturating_abs()));
            let minor = i128::from(whole.minor);
            // Of a credit note the signs of both are those of the sender.
            let rest = if minor < 0 { minor.saturating_add(prepaid) } else { minor.saturating_sub(prepaid) };
            if i128::from(due.minor) != minor || prepaid != 0 {
                let what = "the amount of the invoice less what was paid before";
                Claim::of_money("MOA+9", due, rest, what, location).check(out);
            }
        }
        let foots = self.check_whole(whole.unwrap_or(owed), out);
        self.check_lines(foots, out);
        Some(owed)
    }

    /// Taxable amount and tax give the whole, where the message tells both once.
    fn check_whole(&self, (whole, location): (Money, Location), out: &mut Output<'w>) -> bool {
        let minor = |wanted: &[&str]| self.stated(wanted).map(|(money, _)| i128::from(money.minor));
        let grouped = self.tax_groups > 0 && self.taxable != 0;
        let taxable = minor(&["125"]).or(grouped.then_some(self.taxable));
        let tax = minor(TAX).or((self.tax_groups > 0).then_some(self.taxes));
        let (Some(taxable), Some(tax)) = (taxable, tax) else { return true };
        let sum = taxable.saturating_add(tax);
        // Goods that bear no tax, and amounts paid for others, stand in no taxable amount: less than the whole proves nothing.
        if sum.saturating_abs() < i128::from(whole.minor).saturating_abs() {
            return true;
        }
        Claim::of_money("MOA+77", whole, sum, "taxable amount and tax together", location).check(out)
    }

    /// 79 Total line items amount against the lines, and CNT+2 against their number.
    fn check_lines(&self, foots: bool, out: &mut Output<'w>) {
        let mut agree = foots;
        if let Some((claimed, location)) = self.stated(&["79"]).filter(|_| self.lines > 0 && self.lines_stated == self.lines) {
            agree &= Claim::of_money("MOA+79", claimed, self.line_sum, "the sum of the lines", location).check(out);
        }
        let Some(element) = &self.lines_claimed else { return };
        let Some(claimed) = element.count(2) else { return };
        Claim {
            name: "CNT+2",
            claimed: Figure::count(claimed),
            computed: Figure::count(self.lines),
            what: "the number of LIN segments",
            code: FindingCode::ControlCountMismatch,
            // A wrong count alone is a slip; together with totals that do not foot, lines may be missing.
            effect: if agree { Effect::Noted } else { Effect::RecordSetAside },
            location: element.location(2),
        }
        .check(out);
    }
}
