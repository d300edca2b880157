//! The days of a world: items are entered, payments decided, advices linked, returns taken back, and labels taught.

use std::{
    collections::{BTreeMap, HashMap},
    io::Write,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use chrono::NaiveDate;

use super::{
    record::{self, Label},
    world::{Event, World},
};
use crate::{
    domain::{
        Currency, Decision, ItemStatus, Lesson, OpenItem, OpenItemId, Outcome, Payment, PaymentId, PaymentState, Permits,
        Proposal, ProposalLine, Remittance,
    },
    matching::{self, Case, Snapshot, explain::Names},
    rules::RuleSet,
};

/// How a replay went.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub payments: u64,
    pub posted: u64,
    pub held: u64,
    pub returns: u64,
    pub taken_back: u64,
    /// Time spent deciding, without reading the world or writing records.
    pub deciding: Duration,
    /// The longest single decision.
    pub longest: Duration,
    /// Decisions in words, of the payments that were asked for.
    pub told: Vec<String>,
}

/// A replay in progress.
pub struct Replay<'a> {
    /// As they are written, and those in force on the day in hand.
    written: &'a RuleSet,
    rules: RuleSet,
    names: &'a HashMap<OpenItemId, String>,
    snapshot: Snapshot,
    ledger: HashMap<OpenItemId, OpenItem>,
    by_name: HashMap<&'a str, OpenItemId>,
    /// Payments so far, in order of arrival.
    seen: BTreeMap<PaymentId, Seen<'a>>,
    /// Payments of the day in hand.
    today: Vec<PaymentId>,
    labels: Option<&'a HashMap<String, Label>>,
    /// Payments whose decisions are told in words.
    told: &'a [String],
    permits: &'a Permits,
    tally: Tally,
}

/// A payment and what became of it.
struct Seen<'a> {
    name: &'a str,
    payment: Payment,
    advice: Option<Remittance>,
    decision: Decision,
    /// What was booked for it, by the engine or by a person.
    booked: Option<Proposal>,
}

impl<'a> Replay<'a> {
    /// A replay of `world`. With `labels`, each day's held payments are booked as labelled once the day is over.
    pub fn new(world: &'a World, rules: &'a RuleSet, labels: Option<&'a HashMap<String, Label>>, permits: &'a Permits) -> Self {
        Self {
            written: rules,
            rules: rules.clone(),
            names: &world.item_names,
            snapshot: Snapshot::new(&world.customers, &[], &[]),
            ledger: HashMap::new(),
            by_name: world.item_names.iter().map(|(id, name)| (name.as_str(), *id)).collect(),
            seen: BTreeMap::new(),
            today: Vec::new(),
            labels,
            told: &[],
            permits,
            tally: Tally::default(),
        }
    }

    /// Also tells how the payments of these names were decided.
    #[must_use]
    pub fn telling(mut self, names: &'a [String]) -> Self {
        self.told = names;
        self
    }

    /// Lives through the world and writes one JSON line for each payment and return. `progress` is told the events so far.
    pub fn run(mut self, world: &'a World, out: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> anyhow::Result<Tally> {
        let mut items = world.items.iter().peekable();
        let mut day = None;
        for (done, event) in (0..).zip(&world.events) {
            if day != Some(event.day()) {
                if let Some(over) = day {
                    self.teach(over);
                }
                day = Some(event.day());
                self.rules =
                    self.written.clone().in_force(event.day()).with_context(|| format!("the rules on {}", event.day()))?;
                while let Some(item) = items.next_if(|item| item.entered_date <= event.day()) {
                    self.snapshot.upsert_item(item);
                    self.ledger.insert(item.id, item.clone());
                }
            }
            self.live(event, out)?;
            progress(done);
        }
        for seen in self.seen.values() {
            let posted = !matches!(seen.decision.outcome, Outcome::Hold { .. });
            self.tally.posted += u64::from(posted);
            write(out, &record::of_decision(seen.name, &seen.decision, self.names))?;
        }
        self.tally.payments = self.seen.len() as u64;
        self.tally.held = self.tally.payments - self.tally.posted;
        self.tally.told = self.told.iter().map(|name| self.tell(name)).collect();
        Ok(self.tally)
    }

    /// How the payment of this name was decided, as `tieout explain` would tell it.
    fn tell(&self, name: &str) -> String {
        let Some(seen) = self.seen.values().find(|seen| seen.name == name) else {
            return format!("{name}: there is no such payment in this world\n");
        };
        let names = Names {
            currency: seen.payment.currency,
            item: &|id| self.names.get(&id).cloned(),
            customer: &|id| self.snapshot.customer_code(id).map(str::to_owned),
        };
        format!("{name}\n{}", matching::explain::render(&seen.decision, &names))
    }

    fn live(&mut self, event: &'a Event, out: &mut dyn Write) -> anyhow::Result<()> {
        match event {
            Event::Payment { name, day, payment, advice } => {
                let advice = advice.as_deref().cloned().or_else(|| self.waiting(payment));
                let id = payment.id;
                self.decide(name, (**payment).clone(), advice, *day);
                self.today.push(id);
            }
            Event::Advice { day, remittance } => match matching::link_remittance(remittance, &self.snapshot) {
                Some(link) => {
                    if let Some(seen) = self.seen.remove(&link.to) {
                        self.decide(seen.name, seen.payment, Some((**remittance).clone()), *day);
                    }
                }
                None => self.snapshot.add_waiting_remittance((**remittance).clone()),
            },
            Event::Return { name, day, trace, amount_minor, currency } => {
                self.tally.returns += 1;
                let original = self.original(trace, *amount_minor, *currency);
                if let Some(id) = original {
                    self.take_back(id, *day);
                }
                write(out, &record::of_return(name, original.map(|id| self.seen[&id].name)))?;
            }
        }
        Ok(())
    }

    /// The advice that waited for this payment.
    fn waiting(&mut self, payment: &Payment) -> Option<Remittance> {
        let link = matching::link(payment, &self.snapshot)?;
        let advice = self.snapshot.waiting_remittance(link.to).cloned();
        self.snapshot.forget_waiting_remittance(link.to);
        advice
    }

    fn decide(&mut self, name: &'a str, mut payment: Payment, advice: Option<Remittance>, day: NaiveDate) {
        payment.remittance = advice.as_ref().map(|advice| advice.id);
        payment.state = PaymentState::Received;
        let began = Instant::now();
        let case = Case { payment: &payment, remittance: advice.as_ref(), today: day, permits: self.permits };
        let decision = matching::decide(&case, &self.snapshot, &self.rules);
        let took = began.elapsed();
        self.tally.deciding += took;
        self.tally.longest = self.tally.longest.max(took);
        let posted = decision.proposals.first().filter(|_| !matches!(decision.outcome, Outcome::Hold { .. })).cloned();
        payment.state = if posted.is_some() { PaymentState::Posted } else { PaymentState::Exception };
        self.snapshot.saw_payment(&payment, advice.as_ref());
        if let Some(proposal) = &posted {
            self.book(proposal, 1, day);
            self.snapshot.learn(&payment, advice.as_ref(), &lessons(proposal));
        }
        self.seen.insert(payment.id, Seen { name, payment, advice, decision, booked: posted });
    }

    /// Takes off the items what a proposal closes of them; with `sign` -1 it gives it back.
    fn book(&mut self, proposal: &Proposal, sign: i64, day: NaiveDate) {
        for line in &proposal.lines {
            let (Some(item), Some(closes)) = (self.ledger.get_mut(&line.item), line.closes_minor()) else { continue };
            item.open_minor -= sign * closes;
            let closed = item.open_minor == 0;
            item.status = if closed { ItemStatus::Closed } else { ItemStatus::Open };
            item.closed_date = closed.then_some(day);
            self.snapshot.upsert_item(item);
        }
    }

    /// The live payment that a return is about; two that fit equally well are none.
    fn original(&self, trace: &str, amount_minor: i64, currency: Currency) -> Option<PaymentId> {
        let live = |seen: &&Seen<'_>| {
            let payment = &seen.payment;
            payment.trace.as_deref() == Some(trace)
                && payment.currency == currency
                && payment.amount_minor == amount_minor
                && payment.state != PaymentState::Returned
        };
        let mut found = self.seen.values().filter(live);
        match (found.next(), found.next()) {
            (Some(one), None) => Some(one.payment.id),
            _ => None,
        }
    }

    fn take_back(&mut self, id: PaymentId, day: NaiveDate) {
        self.tally.taken_back += 1;
        let Some(seen) = self.seen.get_mut(&id) else { return };
        seen.payment.state = PaymentState::Returned;
        let booked = seen.booked.take();
        self.snapshot.saw_payment(&seen.payment, seen.advice.as_ref());
        if let Some(proposal) = booked {
            self.book(&proposal, -1, day);
            let Some(seen) = self.seen.get(&id) else { return };
            self.snapshot.learn(&seen.payment, None, &[]);
        }
    }

    /// The day is over: a person has booked what was held.
    fn teach(&mut self, day: NaiveDate) {
        let today = std::mem::take(&mut self.today);
        let Some(labels) = self.labels else { return };
        for id in today {
            let Some(seen) = self.seen.get(&id).filter(|seen| seen.booked.is_none()) else { continue };
            let Some(label) = labels.get(seen.name) else { continue };
            let proposal = self.labelled(label);
            self.book(&proposal, 1, day);
            if let Some(seen) = self.seen.get_mut(&id) {
                self.snapshot.learn(&seen.payment, seen.advice.as_ref(), &lessons(&proposal));
                seen.booked = Some(proposal);
                seen.payment.state = PaymentState::Posted;
                self.snapshot.saw_payment(&seen.payment, seen.advice.as_ref());
            }
        }
    }

    /// What a person would have booked; no more of an item than is open.
    fn labelled(&self, label: &Label) -> Proposal {
        let lines = label.lines.iter().filter_map(|line| {
            let item = *self.by_name.get(line.invoice_id.as_str())?;
            let open = self.ledger.get(&item)?.open_minor;
            let closes = line.applied.saturating_add(line.discount).saturating_add(line.deduction);
            let applied_minor = if open >= 0 { closes.clamp(0, open) } else { closes.clamp(open, 0) };
            Some(ProposalLine { item, applied_minor, cash_minor: applied_minor, adjustments: Vec::new(), line: None })
        });
        Proposal { lines: lines.collect(), ..Proposal::default() }
    }
}

/// A world is not taught otherwise by revoking, so who booked it makes no difference.
fn lessons(proposal: &Proposal) -> Vec<Lesson> {
    proposal.lines.iter().map(|line| Lesson::of_engine(line.item)).collect()
}

fn write(out: &mut dyn Write, record: &record::Record<'_>) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    Ok(writeln!(out)?)
}
