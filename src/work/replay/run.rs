//! A world without a store: items are entered, payments decided, advices linked, returns taken back, and labels taught.

use std::{
    collections::{BTreeMap, HashMap},
    io::Write,
    time::Instant,
};

use anyhow::Context as _;
use chrono::NaiveDate;

use super::{
    Tally,
    event::{Event, What},
    label::Label,
    record::{self, Made, TakenBack},
    world::{Day, World},
};
use crate::{
    domain::{
        ItemStatus, Lesson, OpenItem, OpenItemId, Payment, PaymentId, PaymentState, Permits, Proposal, ProposalLine, Remittance,
    },
    matching::{self, Case, Snapshot},
    rules::RuleSet,
    store::BankReturn,
    work::{
        match_job::{customer, follow, forget_guess, take_waiting},
        returns::{bears, originals},
    },
};

/// A replay in progress.
pub struct Replay<'a> {
    world: &'a World,
    /// As they are written, and those in force on the day in hand.
    written: &'a RuleSet,
    rules: RuleSet,
    snapshot: Snapshot,
    ledger: HashMap<OpenItemId, OpenItem>,
    by_name: BTreeMap<&'a str, OpenItemId>,
    /// Payments so far, in order of arrival.
    seen: BTreeMap<PaymentId, Seen>,
    returns: Vec<TakenBack<'a>>,
    /// Returns that found no payment yet, each with its place among all.
    untied: Vec<(usize, BankReturn)>,
    labels: Option<&'a HashMap<String, Label>>,
    permits: &'a Permits,
    tally: Tally,
}

/// A payment and what became of it.
struct Seen {
    payment: Payment,
    advice: Option<Remittance>,
    made: Vec<Made>,
    /// What was booked for it, by the engine or by a person.
    booked: Vec<Proposal>,
}

impl<'a> Replay<'a> {
    /// A replay of `world`. With `labels`, each day's held payments are booked as labelled once the day is over.
    pub fn new(world: &'a World, rules: &'a RuleSet, labels: Option<&'a HashMap<String, Label>>, permits: &'a Permits) -> Self {
        Self {
            world,
            written: rules,
            rules: rules.clone(),
            snapshot: Snapshot::new(&world.customers, &[], &[]),
            ledger: HashMap::new(),
            by_name: world.items_by_name(),
            seen: BTreeMap::new(),
            returns: Vec::new(),
            untied: Vec::new(),
            labels,
            permits,
            tally: Tally::default(),
        }
    }

    /// Lives through the world and writes one JSON line for each payment and return. `progress` is told the events so far; the payments of the names
    /// `told` are told in words.
    pub fn run(mut self, told: &[String], out: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> anyhow::Result<Tally> {
        let mut done = 0;
        for day in self.world.days() {
            self.rules = self.written.clone().in_force(day.day).with_context(|| format!("the rules on {}", day.day))?;
            for item in day.entered() {
                self.snapshot.upsert_item(&item);
                self.ledger.insert(item.id, item);
            }
            for file in day.files() {
                self.live(file, day.day);
                done += file.len() as u64;
                progress(done);
            }
            self.teach(day);
        }
        record::write(out, self.world, &self.returns, |id| self.seen.get(&id).map_or(&[], |seen| seen.made.as_slice()))?;
        self.tally.count(self.seen.values().map(|seen| seen.made.as_slice()), &self.returns);
        let last = |id| Some(self.seen.get(&id)?.made.last()?.decision.clone());
        self.tally.told = told.iter().map(|name| self.world.tell(name, last)).collect();
        Ok(self.tally)
    }

    fn live(&mut self, file: &'a [Event], day: NaiveDate) {
        for event in file {
            match &event.what {
                What::Payment { new, advice, .. } => {
                    let mut payment = new.payment.clone();
                    let advice = advice.as_deref().cloned().or_else(|| take_waiting(&mut self.snapshot, &mut payment));
                    self.decide(Seen { payment, advice, made: Vec::new(), booked: Vec::new() }, day);
                }
                What::Advice(remittance) => match matching::link_remittance(remittance, &self.snapshot) {
                    Some(link) => {
                        if let Some(mut seen) = self.seen.remove(&link.to) {
                            seen.payment.remittance = Some(remittance.id);
                            self.decide(Seen { advice: Some((**remittance).clone()), ..seen }, day);
                        }
                    }
                    None => self.snapshot.add_waiting_remittance((**remittance).clone()),
                },
                What::Return { name, returned } => {
                    let place = self.returns.len();
                    self.returns.push(TakenBack { name, original: None });
                    self.untied.push((place, returned.stored()));
                    self.tie_returns(|_| true, day);
                }
            }
        }
        // A return may come before its payment: it looks again once there is one that bears its trace.
        let arrived = |event: &Event, trace: &str| match &event.what {
            What::Payment { new, .. } => bears(new.payment.trace.as_deref(), trace),
            What::Advice(_) | What::Return { .. } => false,
        };
        self.tie_returns(|trace| file.iter().any(|event| arrived(event, trace)), day);
    }

    fn decide(&mut self, mut seen: Seen, day: NaiveDate) {
        forget_guess(&mut seen.payment);
        let began = Instant::now();
        let case = Case { payment: &seen.payment, remittance: seen.advice.as_ref(), today: day, permits: self.permits };
        let decision = matching::decide(&case, &self.snapshot, &self.rules);
        let took = began.elapsed();
        self.tally.took += took;
        self.tally.longest = self.tally.longest.max(took);
        follow(&mut self.snapshot, &case, &decision);
        let posted = decision.proposals.first().filter(|_| decision.posts()).cloned();
        seen.payment.payer.customer = customer(&decision).or(seen.payment.payer.customer);
        seen.made.push(Made { decision, posted: posted.is_some() });
        match posted {
            Some(proposal) => self.book(&mut seen, proposal, day),
            None => seen.payment.state = PaymentState::Exception,
        }
        self.snapshot.saw_payment(&seen.payment, seen.advice.as_ref());
        self.seen.insert(seen.payment.id, seen);
    }

    /// Moves the money of a proposal, as the ledger does.
    fn book(&mut self, seen: &mut Seen, proposal: Proposal, day: NaiveDate) {
        self.settle(&proposal.lines, 1, day);
        seen.payment.unapplied_minor = proposal.unapplied_minor;
        seen.payment.state = PaymentState::with_left(proposal.unapplied_minor);
        seen.booked.push(proposal);
    }

    /// Takes off the items what the lines close of them; with `sign` -1 it gives it back.
    fn settle(&mut self, lines: &[ProposalLine], sign: i64, day: NaiveDate) {
        for line in lines {
            let (Some(item), Some(closes)) = (self.ledger.get_mut(&line.item), line.closes_minor()) else { continue };
            item.open_minor -= sign * closes;
            let closed = item.open_minor == 0;
            item.status = if closed { ItemStatus::Closed } else { ItemStatus::Open };
            item.closed_date = closed.then_some(day);
            self.snapshot.upsert_item(item);
        }
    }

    /// Ties the returns that found nothing yet and whose trace is asked for.
    fn tie_returns(&mut self, asked: impl Fn(&str) -> bool, day: NaiveDate) {
        for (place, returned) in std::mem::take(&mut self.untied) {
            let original = returned.original_trace.as_deref().filter(|trace| asked(trace)).and_then(|_| self.original(&returned));
            match original {
                Some(id) => {
                    self.take_back(id, returned.amount_minor, day);
                    if let Some(back) = self.returns.get_mut(place) {
                        back.original = Some(id);
                    }
                }
                None => self.untied.push((place, returned)),
            }
        }
    }

    /// The payment that a return is about.
    fn original(&self, returned: &BankReturn) -> Option<PaymentId> {
        let trace = returned.original_trace.as_deref().filter(|_| returned.amount_minor > 0)?;
        let named = self.seen.values().map(|seen| &seen.payment).filter(|payment| bears(payment.trace.as_deref(), trace));
        match originals(returned, named.cloned().collect()).as_slice() {
            [one] => Some(one.id),
            _ => None,
        }
    }

    fn take_back(&mut self, id: PaymentId, amount_minor: i64, day: NaiveDate) {
        let Some(mut seen) = self.seen.remove(&id) else { return };
        for proposal in std::mem::take(&mut seen.booked) {
            self.settle(&proposal.lines, -1, day);
        }
        seen.payment.unapplied_minor = seen.payment.amount_minor - amount_minor;
        seen.payment.state = PaymentState::taken_back(seen.payment.unapplied_minor);
        self.snapshot.saw_payment(&seen.payment, seen.advice.as_ref());
        self.snapshot.learn(&seen.payment, seen.advice.as_ref(), &[]);
        self.seen.insert(id, seen);
    }

    /// The day is over: a person has booked what was held.
    fn teach(&mut self, day: Day<'a>) {
        let Some(labels) = self.labels else { return };
        for (name, id) in day.payments() {
            let booking = |seen: &Seen| labels.get(name)?.booking(&seen.payment, &self.by_name, &self.ledger);
            let Some(lines) = self.seen.get(&id).and_then(booking) else { continue };
            let Some(mut seen) = self.seen.remove(&id) else { continue };
            let cash: i64 = lines.iter().map(|line| line.cash_minor).sum();
            let proposal = Proposal { unapplied_minor: seen.payment.unapplied_minor - cash, lines, ..Proposal::default() };
            // A world is not taught otherwise by revoking, so who booked it makes no difference.
            let lessons: Vec<_> = proposal.lines.iter().map(|line| Lesson::of_engine(line.item)).collect();
            self.book(&mut seen, proposal, day.day);
            self.snapshot.learn(&seen.payment, seen.advice.as_ref(), &lessons);
            self.snapshot.saw_payment(&seen.payment, seen.advice.as_ref());
            self.seen.insert(id, seen);
        }
    }
}
