//! BPR, the beginning of a payment order: how much moves, how, between which accounts and when.

use crate::{Account, Direction, Effect, FindingCode, Location, Method, Money};

use super::{
    super::{
        output::Output,
        segment::{Segment, Stretch},
        value,
    },
    Advice,
};

/// What BPR says beyond what the payment record holds.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub handling: Handling,
    /// BPR02; nothing when it is no amount.
    pub amount: Option<Money>,
    /// BPR04 is not NON.
    pub moves: bool,
    pub amount_location: Location,
}

/// What becomes of a set by its transaction handling code (BPR01).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Handling {
    /// C, D, U, X: the money moves with this order.
    Pays,
    /// I, H and others: the money, if any, comes another way.
    Advises,
    /// P: a test of accounts; nothing is paid and nothing is advised.
    Prenote,
}

impl<'w> Advice<'w> {
    pub(super) fn take_header(&mut self, segment: &Segment<'w, '_>, out: &mut Output<'w>) {
        if self.header.is_some() {
            let message = "a second BPR stands in the set; a payment order has one".to_owned();
            out.finding(segment.finding(1, FindingCode::UnknownSegment, Effect::RecordSetAside, message, "one BPR"));
            return;
        }
        // A BPR is long, so its elements are looked for once.
        let elements = segment.stretches();
        let [code, total, flag, means, _, _, payer_bank, _, payer_account, payer_id, e11, e12, e13, e14, e15, e16] = elements;
        let amount = segment.required_amount_in(total, 2, self.currency, Effect::RecordSetAside, out);
        let handling = handling(segment, code, out);
        if amount.is_some_and(|amount| amount.minor < 0) {
            let message = "BPR02 is negative; BPR03 says which way the money moves, so no order pays it".to_owned();
            let expected = "an amount of zero or more";
            out.finding(segment.finding(2, FindingCode::BadAmount, Effect::RecordSetAside, message, expected));
        }
        let payment = &mut *self.payment;
        payment.direction = direction(segment, flag, out);
        let moves = segment.value_in(means) != b"NON";
        if moves {
            payment.method = method(segment, segment.value_in(means), 4, out);
        }
        payment.amount = amount.unwrap_or(Money::zero(self.currency));
        payment.location = segment.location();
        let is_short = lacks_separator(segment, [e11, e12, e15, e16], out);
        let (payee_bank, payee_account, date, n) = if is_short { (e12, e14, e15, 15) } else { (e13, e15, e16, 16) };
        payment.value_date = segment.date_in(date, n, Effect::Noted, out);
        payment.payer.bank = segment.text_in(payer_bank);
        payment.payer.account = segment.text_in(payer_account).map(Account::new);
        if payment.payer.id.is_none() {
            payment.payer.id = segment.text_in(payer_id);
        }
        payment.payee.bank = segment.text_in(payee_bank);
        payment.payee.account = segment.text_in(payee_account).map(Account::new);
        self.header = Some(Header { handling, amount, moves, amount_location: segment.location_in(total, 2) });
    }
}

/// Transaction handling code (BPR01, element 305).
fn handling<'w>(segment: &Segment<'w, '_>, code: Stretch, out: &mut Output<'w>) -> Handling {
    match segment.value_in(code) {
        b"C" | b"D" | b"U" | b"X" => Handling::Pays,
        b"I" | b"H" => Handling::Advises,
        b"P" => Handling::Prenote,
        _ => {
            let message = "BPR01 says no handling that moves money; read as an advice".to_owned();
            out.finding(segment.finding(1, FindingCode::BadCode, Effect::Noted, message, "C, D, H, I, P, U or X"));
            Handling::Advises
        }
    }
}

/// Credit/debit flag (BPR03). Anything else sets the set aside: money taken for a receipt that was a debit would be applied to invoices.
fn direction<'w>(segment: &Segment<'w, '_>, flag: Stretch, out: &mut Output<'w>) -> Direction {
    match segment.value_in(flag) {
        b"C" => Direction::Credit,
        b"D" => Direction::Debit,
        _ => {
            let message = "BPR03 is neither credit nor debit, so it is not known which way the money moves".to_owned();
            let code = if segment.has(3) { FindingCode::BadCode } else { FindingCode::MissingElement };
            out.finding(segment.finding(3, code, Effect::RecordSetAside, message, "C or D"));
            Direction::Credit
        }
    }
}

/// Payment method (element 591: BPR04, BPS01, which is element `n`) of money that moves.
pub(super) fn method<'w>(segment: &Segment<'w, '_>, means: &[u8], n: usize, out: &mut Output<'w>) -> Method {
    match means {
        b"ACH" | b"DDP" => Method::Ach,
        b"CHK" => Method::Check,
        b"FWT" | b"SWT" | b"CWT" | b"IWT" => Method::Wire,
        b"BOP" | b"ZZZ" => Method::Other,
        _ => {
            let message = format!("{} is no payment method we know", segment.name(n));
            let expected = "ACH, CHK, FWT, SWT, CWT, IWT, BOP, DDP, NON or ZZZ";
            out.finding(segment.finding(n, FindingCode::BadCode, Effect::Noted, message, expected));
            Method::Other
        }
    }
}

/// Whether a separator is missing before BPR11, so that it and what follows stand one place to the left and the date ends in BPR15.
///
/// Seen where BPR11 was left out instead of left empty: its place then holds the qualifier of the payee's bank. The elements are BPR11,
/// BPR12, BPR15 and BPR16.
fn lacks_separator<'w>(segment: &Segment<'w, '_>, elements: [Stretch; 4], out: &mut Output<'w>) -> bool {
    let [e11, e12, e15, e16] = elements.map(|element| segment.value_in(element));
    let qualifier_early = matches!(e11, b"01" | b"02" | b"03" | b"04") && e12.len() > 2;
    if !e16.is_empty() || !qualifier_early || value::date(e15).is_none() {
        return false;
    }
    let mut finding = segment.finding(
        11,
        FindingCode::MissingElement,
        Effect::Noted,
        "a separator is missing before BPR11: the payee's bank and the date were read one place earlier".to_owned(),
        "an empty BPR11 and the date in BPR16",
    );
    finding.location = segment.location_of(11);
    out.finding(finding);
    true
}
