//! Where the readers put what they found: records, findings and controls of the set in hand, and the tally of the file.

use crate::{
    Acknowledgment, Balance, Control, Effect, Exchange, Figure, Finding, FindingCode, Invoice, Location, Payment, Record,
    Remittance, Return, Severity, Sink, mask,
};

use super::{received::Note, value::Dates};

/// Running numbers and the verdict so far. It outlives the bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    payments: u32,
    remittances: u32,
    returns: u32,
    /// Findings that are only noted, and those that have an effect.
    oddities: usize,
    faults: usize,
    findings_max: usize,
    /// Findings counted but not kept.
    pub findings_dropped: usize,
    /// Records set aside of which no finding was kept.
    pub records_untold: usize,
    /// A finding that holds the file was among those not listed.
    pub hold_untold: bool,
    effect: Option<Effect>,
    severity: Option<Severity>,
    pub dates: Dates,
}

impl Tally {
    pub fn new(findings_max: usize) -> Self {
        Self { findings_max, ..Self::default() }
    }

    /// The worst effect and the worst severity so far.
    pub fn worst(&self) -> Option<(Effect, Severity)> {
        Some((self.effect?, self.severity?))
    }
}

/// Records and findings of the set in hand.
///
/// A reader pushes what it reads; `seq` and `exchange` are filled in here. A finding whose effect is [`Effect::RecordSetAside`] sets the whole set aside, unless the reader takes
/// the mark back with [`Output::take_set_aside`] because only one entry of many is meant.
#[derive(Debug)]
pub struct Output<'w> {
    records: Vec<Record<'w>>,
    pub(crate) tally: Tally,
    set_aside: bool,
    notes: Option<Vec<Note>>,
    before: (u32, u32, u32),
    exchange: Option<Exchange<'w>>,
}

impl<'w> Output<'w> {
    pub(crate) fn new(tally: Tally) -> Self {
        Self { records: Vec::new(), tally, set_aside: false, notes: None, before: (0, 0, 0), exchange: None }
    }

    /// Adds a finding; account numbers in it are hidden here, whichever reader it comes from.
    pub fn finding(&mut self, mut finding: Finding) {
        mask::finding(&mut finding);
        let tally = &mut self.tally;
        tally.effect = tally.effect.max(Some(finding.effect));
        tally.severity = tally.severity.max(Some(finding.severity));
        let begins = finding.effect == Effect::RecordSetAside && !std::mem::replace(&mut self.set_aside, true);
        // Each kind has its own bound, so that mere oddities never crowd out what sets a record aside.
        let count = if finding.effect == Effect::Noted { &mut tally.oddities } else { &mut tally.faults };
        *count = count.saturating_add(1);
        if *count > tally.findings_max {
            tally.findings_dropped = tally.findings_dropped.saturating_add(1);
            tally.hold_untold |= finding.effect == Effect::FileHeld;
            if begins {
                // Nobody would learn of this record, so nothing of the file may go on by itself.
                tally.records_untold = tally.records_untold.saturating_add(1);
                tally.effect = tally.effect.max(Some(Effect::FileHeld));
            }
            return;
        }
        if let Some(notes) = &mut self.notes
            && finding.severity > Severity::Info
        {
            notes.extend(Note::of(&finding));
        }
        self.records.push(Record::Finding(finding));
    }

    /// Adds a control.
    pub fn control(&mut self, control: Control) {
        self.records.push(Record::Control(control));
    }

    /// Adds a control and, when the figures disagree, a finding that holds the file.
    pub(crate) fn compare(&mut self, name: &'static str, level: &'static str, sides: (Figure, Figure), ok: bool, claim: Claim) {
        let (claimed, computed) = sides;
        if !ok {
            self.finding(Finding {
                code: claim.code,
                severity: Severity::Error,
                effect: Effect::FileHeld,
                message: format!("{name} says {}, but {} is {computed}", quoted(&claimed), claim.what),
                expected: computed.as_str().to_owned(),
                found: claimed.as_str().to_owned(),
                location: claim.location,
            });
        }
        self.control(Control { name, level, claimed, computed, ok, location: claim.location });
    }

    /// Adds a payment and gives its `seq`.
    pub fn payment(&mut self, payment: impl Into<Box<Payment<'w>>>) -> u32 {
        let mut payment = payment.into();
        self.number_payment(&mut payment);
        self.records.push(Record::Payment(payment));
        self.tally.payments.saturating_sub(1)
    }

    /// Gives a payment its `seq` and `exchange`, for a reader that hands it over itself.
    #[inline]
    pub(crate) fn number_payment(&mut self, payment: &mut Payment<'w>) {
        payment.seq = self.tally.payments;
        if self.exchange.is_some() {
            payment.exchange.clone_from(&self.exchange);
        }
        self.tally.payments = self.tally.payments.saturating_add(1);
    }

    /// Adds a remittance and gives its `seq`, for the payment that refers to it.
    pub fn remittance(&mut self, remittance: impl Into<Box<Remittance<'w>>>) -> u32 {
        let mut remittance = remittance.into();
        remittance.seq = self.tally.remittances;
        remittance.exchange.clone_from(&self.exchange);
        self.tally.remittances = self.tally.remittances.saturating_add(1);
        self.records.push(Record::Remittance(remittance));
        self.tally.remittances.saturating_sub(1)
    }

    /// Adds an invoice.
    pub fn invoice(&mut self, mut invoice: Invoice<'w>) {
        invoice.exchange.clone_from(&self.exchange);
        self.records.push(Record::Invoice(Box::new(invoice)));
    }

    /// Adds a return and gives its `seq`.
    pub fn payment_return(&mut self, mut returned: Return<'w>) -> u32 {
        returned.seq = self.tally.returns;
        self.tally.returns = self.tally.returns.saturating_add(1);
        self.records.push(Record::Return(Box::new(returned)));
        self.tally.returns.saturating_sub(1)
    }

    /// Adds a balance.
    pub fn balance(&mut self, balance: Balance) {
        self.records.push(Record::Balance(balance));
    }

    /// Adds an acknowledgment of something we sent.
    pub fn acknowledgment(&mut self, acknowledgment: Acknowledgment<'w>) {
        self.records.push(Record::Acknowledgment(Box::new(acknowledgment)));
    }

    /// Whether something of the set in hand was found that sets it aside.
    pub fn is_set_aside(&self) -> bool {
        self.set_aside
    }

    /// Takes the mark back and gives it: the reader leaves out one entry and keeps the others.
    pub fn take_set_aside(&mut self) -> bool {
        std::mem::take(&mut self.set_aside)
    }

    /// Begins a set; everything of sets before it has been flushed.
    pub(crate) fn begin_set(&mut self, exchange: Option<Exchange<'w>>) {
        self.set_aside = false;
        self.exchange = exchange;
        self.before = (self.tally.payments, self.tally.remittances, self.tally.returns);
        // A reused list: most sets have no notes.
        self.notes.get_or_insert_default().clear();
    }

    /// Ends the set: when it is set aside, only findings and controls of it remain. Gives its syntax notes.
    pub(crate) fn end_set(&mut self) -> (bool, Vec<Note>) {
        let set_aside = std::mem::take(&mut self.set_aside);
        if set_aside {
            let (payments, remittances, returns) = self.before;
            (self.tally.payments, self.tally.remittances, self.tally.returns) = (payments, remittances, returns);
            self.records.retain(|record| matches!(record, Record::Finding(_) | Record::Control(_)));
        }
        (set_aside, self.notes.take().unwrap_or_default())
    }

    /// Whether something waits to be handed over.
    #[inline]
    pub(crate) fn has_records(&self) -> bool {
        !self.records.is_empty()
    }

    #[inline]
    pub(crate) fn flush<S: Sink<'w> + ?Sized>(&mut self, sink: &mut S) {
        for record in self.records.drain(..) {
            sink.record(record);
        }
    }
}

/// What a control claims, for the sentence of its finding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub code: FindingCode,
    /// What was computed, such as `the number of segments`.
    pub what: &'static str,
    pub location: Location,
}

/// What to say about findings that were counted and not kept; `byte` is where reading ended. Records set aside untold hold the file.
pub(crate) fn unlisted(tally: &Tally, byte: u64) -> Option<Finding> {
    let (severity, effect, more) = match tally.records_untold {
        0 if tally.hold_untold => (Severity::Error, Effect::FileHeld, "; what holds the file is among them".to_owned()),
        0 => (Severity::Warning, Effect::Noted, String::new()),
        untold => (Severity::Error, Effect::FileHeld, format!("; {untold} records were set aside with them")),
    };
    (tally.findings_dropped > 0).then(|| Finding {
        code: FindingCode::LimitReached,
        severity,
        effect,
        message: format!("{} further findings are not listed{more}", tally.findings_dropped),
        expected: format!("at most {} findings of a kind", tally.findings_max),
        found: tally.findings_dropped.to_string(),
        location: Location { byte, ..Location::default() },
    })
}

fn quoted(figure: &Figure) -> String {
    if figure.as_str().is_empty() { "nothing".to_owned() } else { figure.as_str().to_owned() }
}
