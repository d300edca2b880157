//! Whether the lines, allowances, charges and taxes of an 810 give its total.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::{Currency, Effect, FindingCode};

use super::{output::Output, segment::Segment};

/// Sums of one invoice. They are checked against TDS01 and decide nothing else: the claimed total is the invoice.
#[derive(Debug)]
pub(crate) struct Footing<'w, 's> {
    currency: Currency,
    /// The line in hand, whose price may still come (CTP03).
    line: Option<Line<'w, 's>>,
    /// Lines rounded one by one, in minor units.
    rounded: i128,
    /// Lines as they are.
    exact: Decimal,
    /// Sum of IT102.
    pub quantity: Option<Decimal>,
    /// Number of IT1 segments.
    pub lines: u64,
    at_lines: i128,
    at_total: i128,
    /// What allowances written with a minus sign would change if the sign were meant: in a credit memo it often is.
    turned: i128,
    /// Something in it has no amount, so a difference proves nothing.
    incomplete: bool,
    /// The SAC in hand is itself a tax, and TXI segments behind it say what it consists of.
    tax_told: bool,
}

#[derive(Debug)]
struct Line<'w, 's> {
    segment: Segment<'w, 's>,
    quantity: Option<Decimal>,
    price: Option<Decimal>,
}

impl<'w, 's> Footing<'w, 's> {
    pub fn new(currency: Currency) -> Self {
        Self {
            currency,
            line: None,
            rounded: 0,
            exact: Decimal::ZERO,
            quantity: Some(Decimal::ZERO),
            lines: 0,
            at_lines: 0,
            at_total: 0,
            turned: 0,
            incomplete: false,
            tax_told: false,
        }
    }

    /// IT1: quantity (IT102) times unit price (IT104).
    pub fn take_line(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        self.close_line();
        self.lines = self.lines.saturating_add(1);
        let quantity = segment.decimal(2, Effect::RecordSetAside, out);
        let price = segment.decimal(4, Effect::RecordSetAside, out);
        self.quantity = self.quantity.and_then(|sum| sum.checked_add(quantity.unwrap_or_default()));
        self.line = Some(Line { segment: *segment, quantity, price });
    }

    /// CTP: the unit price (CTP03) of a line that has none of its own.
    pub fn take_price(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        if let Some(line) = &mut self.line
            && line.price.is_none()
        {
            line.price = segment.decimal(3, Effect::RecordSetAside, out);
        }
    }

    /// SAC: an allowance reduces, a charge adds, anything else is information.
    pub fn take_allowance(&mut self, segment: &Segment<'w, 's>, after_total: bool, out: &mut Output<'w>) {
        self.tax_told = is_tax(segment.value(2));
        let amount = segment.implied(5, 2, self.currency, Effect::RecordSetAside, out);
        // Billed back, credited later or paid by the vendor: not part of this total.
        let apart = matches!(segment.value(12), b"01" | b"04" | b"05");
        let sign = match segment.value(1) {
            b"A" => -1_i128,
            b"C" => 1,
            _ => return,
        };
        if apart {
            return;
        }
        let Some(amount) = amount else {
            self.incomplete |= segment.has(7) || segment.has(8);
            return;
        };
        // The sign of an allowance is in its code; most senders who write it again mean the same.
        let mut minor = i128::from(amount.minor);
        if sign < 0 && minor < 0 {
            minor = minor.saturating_neg();
            self.turned = self.turned.saturating_add(minor.saturating_mul(2));
        }
        self.add(sign.saturating_mul(minor), after_total);
    }

    /// TXI: a tax (TXI02), unless it says what a tax told by SAC consists of.
    pub fn take_tax(&mut self, segment: &Segment<'w, 's>, after_total: bool, out: &mut Output<'w>) {
        let amount = segment.amount(2, self.currency, Effect::RecordSetAside, out);
        if let (Some(amount), false) = (amount, self.tax_told) {
            self.add(i128::from(amount.minor), after_total);
        }
    }

    /// Any other segment: TXI no longer belongs to the SAC before.
    pub fn leave_allowance(&mut self) {
        self.tax_told = false;
    }

    fn add(&mut self, minor: i128, after_total: bool) {
        let sum = if after_total { &mut self.at_total } else { &mut self.at_lines };
        *sum = sum.saturating_add(minor);
    }

    /// Ends the line in hand.
    pub fn close_line(&mut self) {
        let Some(line) = self.line.take() else { return };
        if line.quantity.is_none() && line.price.is_none() {
            // A line of text.
            return;
        }
        let extension = line.extension();
        let exact = extension.and_then(|extension| self.exact.checked_add(extension));
        let rounded = extension.and_then(|extension| minor(extension, self.currency));
        match (exact, rounded) {
            (Some(exact), Some(rounded)) => {
                self.exact = exact;
                self.rounded = self.rounded.saturating_add(rounded);
            }
            _ => self.incomplete = true,
        }
    }

    /// What the parts give. `claimed` chooses between the ways in which senders round and repeat.
    ///
    /// Lines are rounded one by one or all together. A minus sign of an allowance repeats its code or turns it. Allowances and charges behind the total either stand for themselves or repeat those
    /// of the lines; where both are there and do not give the claim together, those behind the total count.
    pub fn total(&self, claimed: i128) -> i128 {
        let exact = minor(self.exact, self.currency).unwrap_or(self.rounded);
        let all = self.at_lines.saturating_add(self.at_total);
        let repeats = self.at_lines != 0 && self.at_total != 0;
        let adjustments = if repeats { [all, self.at_total] } else { [all, all] };
        let ways = adjustments.into_iter().flat_map(|sum| [self.rounded, exact].map(|goods| goods.saturating_add(sum)));
        let ways = ways.flat_map(|way| [way, way.saturating_add(self.turned)]);
        let likely = self.rounded.saturating_add(if repeats { self.at_total } else { all });
        ways.into_iter().find(|way| *way == claimed).unwrap_or(likely)
    }

    /// Whether a difference would prove anything.
    pub fn is_complete(&self) -> bool {
        self.lines > 0 && !self.incomplete
    }
}

impl Line<'_, '_> {
    /// Quantity times price, by the basis of the price (IT105): per ten, per hundred, per thousand.
    fn extension(&self) -> Option<Decimal> {
        let amount = self.quantity?.checked_mul(self.price?)?;
        match self.segment.value(5) {
            b"PN" => amount.checked_div(Decimal::TEN),
            b"HP" => amount.checked_div(Decimal::ONE_HUNDRED),
            b"TP" => amount.checked_div(Decimal::ONE_THOUSAND),
            _ => Some(amount),
        }
    }
}

/// Service codes (SAC02) of taxes.
fn is_tax(code: &[u8]) -> bool {
    matches!(code, [b'H', b'6'..=b'8', b'0'..=b'9', b'0'..=b'9'])
}

/// Minor units of an amount in major units; halves go away from zero, as invoices have it.
fn minor(amount: Decimal, currency: Currency) -> Option<i128> {
    let exponent = currency.exponent();
    let mut rounded = amount.round_dp_with_strategy(exponent, RoundingStrategy::MidpointAwayFromZero);
    rounded.rescale(exponent);
    (rounded.scale() == exponent).then(|| rounded.mantissa())
}

/// A count or quantity as text, without zeros that say nothing.
pub(crate) fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

/// Code and effect of a total that does not foot.
///
/// A total of exactly a hundredth of its parts was written without its implied decimals: which of the two is the debt, a person must say.
pub(crate) fn judge(claimed: i128, computed: i128) -> (FindingCode, Effect) {
    let hundredth = claimed != 0 && claimed.checked_mul(100) == Some(computed);
    (FindingCode::OutOfBalance, if hundredth { Effect::RecordSetAside } else { Effect::Noted })
}
