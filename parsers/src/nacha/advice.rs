//! What the addenda 05 and 17 of an entry say: a whole X12 820, some of its segments, or free text.
//!
//! The 80 columns of each record are joined as they stand, blanks included, because the text was cut anywhere. X12 is read by the reader
//! of X12; every place it names is carried back to the addenda record that holds the byte.

use crate::{
    Control, Effect, Figure, Finding, FindingCode, Limits, Money, Party, Payment, Record, Reference, Remittance, Severity, Text,
    x12::{Bare, Delimiters, lexer::Tape, machine::Machine, output::Output},
};

use super::{
    dialect::{Kind, is_prose, kind, wrap},
    joined::{Joined, Places, text},
    layout::{addenda as at, entry},
    line::{Letters, Line},
};

/// The addenda of one entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source<'w, 'a> {
    pub entry: &'a Line<'w>,
    pub lines: &'a [Line<'w>],
    /// The first whose sequence number is not the next one, and the number expected.
    pub disorder: Option<(Line<'w>, usize)>,
    pub limits: &'a Limits,
}

/// What they say.
#[derive(Debug, Default)]
pub(super) struct Advice<'w> {
    pub text: Option<Text<'w>>,
    pub references: Vec<Reference<'w>>,
    pub remittance: Option<Box<Remittance<'w>>>,
}

impl<'w> Source<'w, '_> {
    /// Reads the addenda of an entry that made `payment`. The tape is memory to work in.
    pub fn read(&self, payment: &Payment<'w>, tape: &mut Tape, out: &mut Output<'w>) -> Advice<'w> {
        if let [line] = self.lines
            && line.letters == Letters::Ascii
            && self.disorder.is_none()
            && is_prose(line.raw(&at::PAYMENT_INFORMATION))
        {
            return Advice { text: line.text(&at::PAYMENT_INFORMATION), ..Advice::default() };
        }
        let joined = Joined::new(self.lines);
        let kind = kind(&joined.bytes);
        if let Some((line, expected)) = &self.disorder {
            tell_disorder(line, *expected, kind, out);
            if kind != Kind::Text {
                return Advice::default();
            }
        }
        let raw = || text(&joined, kind);
        let read = match kind {
            Kind::Text => return Advice { text: raw(), ..Advice::default() },
            Kind::Interchange => self.read_x12(&joined, (&joined.bytes, 0), None, tape, out),
            Kind::Sets(delimiters) => self.read_x12(&joined, (&joined.bytes, 0), Some(delimiters), tape, out),
            Kind::Segments(delimiters) => {
                let (bytes, prefix) = wrap(&joined.bytes, delimiters, payment.amount);
                self.read_x12(&joined, (&bytes, prefix), Some(delimiters), tape, out)
            }
        };
        let Some(mut advice) = read else { return Advice { text: raw(), ..Advice::default() } };
        match &mut advice.remittance {
            Some(remittance) => complete(remittance, payment),
            // Nothing came of it but references or notes, so the text itself stays for people.
            None => advice.text = advice.text.or_else(raw),
        }
        advice
    }

    /// Reads X12: bytes of which so many first ones were put before the joined text. Nothing when it is damaged.
    fn read_x12(
        &self,
        joined: &Joined<'w>,
        (bytes, prefix): (&[u8], usize),
        bare: Option<Delimiters>,
        tape: &mut Tape,
        out: &mut Output<'w>,
    ) -> Option<Advice<'w>> {
        let limits = Limits { findings_max: 50, ..self.limits.clone() };
        let place = Places { joined, entry: self.entry, prefix };
        let mut found = Found::default();
        let mut machine = Machine::on_tape(&limits, bare.map(Bare::Sets), std::mem::take(tape));
        machine.run(bytes, true, &mut |record: Record<'_>| found.take(record, &mut |text| place.text(bytes, text)));
        *tape = machine.take_tape();
        machine.finish(&mut |record: Record<'_>| found.take(record, &mut |text| place.text(bytes, text)));
        let Found { payments, remittances, controls, findings } = found;
        let mut whole = true;
        for finding in findings {
            if let Some(finding) = place.finding(finding) {
                whole &= finding.effect != Effect::RecordSetAside;
                out.finding(finding);
            }
        }
        for control in controls {
            if prefix == 0 {
                out.control(Control { location: place.location(control.location), ..control });
            }
        }
        if !whole {
            return None;
        }
        let claimed = remittances
            .iter()
            .filter_map(|remittance| remittance.total)
            .chain(payments.iter().filter(|payment| !payment.has_lines).map(|payment| payment.amount));
        let claimed = claimed.map(|money| i128::from(money.minor)).reduce(i128::saturating_add);
        if let Some(claimed) = claimed.filter(|_| prefix == 0) {
            self.compare_amount(claimed, out);
        }
        Some(gather(payments, remittances, &place))
    }

    /// BPR02 of the addenda and the amount of the entry.
    fn compare_amount(&self, claimed: i128, out: &mut Output<'w>) {
        let moved = self.entry.number(&entry::AMOUNT).map_or(0, i128::from);
        let (claimed, moved) = (Figure::decimal(claimed, 2), Figure::decimal(moved, 2));
        let location = self.entry.location_of(&entry::AMOUNT);
        let ok = claimed == moved;
        if !ok {
            out.finding(Finding {
                code: FindingCode::OutOfBalance,
                severity: Severity::Error,
                effect: Effect::Noted,
                message: format!("the entry moves {moved}, but the 820 in its addenda says {claimed} (BPR02)"),
                expected: moved.as_str().to_owned(),
                found: claimed.as_str().to_owned(),
                location,
            });
        }
        out.control(Control { name: "BPR02", level: "entry", claimed, computed: moved, ok, location });
    }
}

/// What the X12 reader found, with texts of the file: the joined bytes do not outlive the entry.
#[derive(Debug, Default)]
struct Found<'w> {
    payments: Vec<Paid<'w>>,
    #[expect(clippy::vec_box, reason = "a remittance goes on in its box; moving it out and in again costs")]
    remittances: Vec<Box<Remittance<'w>>>,
    controls: Vec<Control>,
    findings: Vec<Finding>,
}

/// What is wanted of the payment order: the money itself is the entry's.
#[derive(Debug)]
struct Paid<'w> {
    amount: Money,
    /// A remittance came of it, which has the text and the trace too.
    has_lines: bool,
    references: Vec<Reference<'w>>,
    text: Option<Text<'w>>,
    trace: Option<Text<'w>>,
}

impl<'w> Found<'w> {
    fn take<'x>(&mut self, record: Record<'x>, text: &mut impl FnMut(Text<'x>) -> Text<'w>) {
        match record {
            Record::Payment(payment) => self.payments.push(Paid {
                amount: payment.amount,
                has_lines: payment.remittance.is_some(),
                references: payment.references.into_iter().map(|reference| reference.with_texts(text)).collect(),
                text: payment.text.map(&mut *text),
                trace: payment.trace.map(text),
            }),
            Record::Remittance(remittance) => self.remittances.push(Box::new(remittance.with_texts(text))),
            Record::Control(control) => self.controls.push(control),
            Record::Finding(finding) => self.findings.push(finding),
            // Sets of other kinds have no business in a payment.
            Record::Invoice(_) | Record::Return(_) | Record::Balance(_) | Record::Acknowledgment(_) => {}
        }
    }
}

/// One advice of everything the X12 reader found. Several sets for one entry are one remittance.
fn gather<'w>(payments: Vec<Paid<'w>>, remittances: Vec<Box<Remittance<'w>>>, place: &Places<'_, '_>) -> Advice<'w> {
    let mut advice = Advice::default();
    for payment in payments {
        advice.references.extend(payment.references);
        if !payment.has_lines {
            add_text(&mut advice.text, payment.text);
            let traced = payment.trace.map(|value| Reference { qualifier: Text::Borrowed("TN"), value });
            advice.references.extend(traced);
        }
    }
    for mut remittance in remittances {
        remittance.location = place.location(remittance.location);
        for line in &mut remittance.lines {
            line.location = place.location(line.location);
        }
        add_text(&mut advice.text, remittance.text.clone());
        match &mut advice.remittance {
            None => advice.remittance = Some(remittance),
            Some(first) => {
                first.lines.append(&mut remittance.lines);
                first.references.append(&mut remittance.references);
                add_text(&mut first.text, remittance.text);
                first.total = match (first.total, remittance.total) {
                    (Some(one), Some(other)) => one.checked_add(other).ok(),
                    _ => None,
                };
            }
        }
    }
    advice
}

fn add_text<'w>(to: &mut Option<Text<'w>>, more: Option<Text<'w>>) {
    match (to.as_mut(), more) {
        (Some(text), Some(more)) => {
            let text = text.to_mut();
            text.push(' ');
            text.push_str(&more);
        }
        (None, more) => *to = more,
        (Some(_), None) => {}
    }
}

/// Fills in what the advice leaves to the entry.
fn complete<'w>(remittance: &mut Remittance<'w>, payment: &Payment<'w>) {
    fill(&mut remittance.payer, &payment.payer);
    fill(&mut remittance.payee, &payment.payee);
    if remittance.trace.is_none() {
        remittance.trace.clone_from(&payment.trace);
    }
    remittance.date = remittance.date.or(payment.value_date);
}

fn fill<'w>(party: &mut Party<'w>, from: &Party<'w>) {
    if party.name.is_none() {
        party.name.clone_from(&from.name);
    }
    if party.id.is_none() {
        party.id.clone_from(&from.id);
    }
    if party.bank.is_none() {
        party.bank.clone_from(&from.bank);
    }
    if party.account.is_none() {
        party.account.clone_from(&from.account);
    }
}

/// Prose out of order is a warning; X12 out of order is not read, because it would be another remittance.
fn tell_disorder(line: &Line<'_>, expected: usize, kind: Kind, out: &mut Output<'_>) {
    let (effect, message) = match kind {
        Kind::Text => (Effect::Noted, "the addenda are not numbered in order"),
        _ => (Effect::RecordSetAside, "the addenda are not in order, so they are not read as a remittance"),
    };
    let code = FindingCode::ControlNumberMismatch;
    out.finding(line.finding(&at::SEQUENCE, code, effect, message.to_owned(), &format!("{expected:04}")));
}
