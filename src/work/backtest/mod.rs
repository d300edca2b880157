//! Replays history under other rules: every decision again, on what was known when it was made, against what people confirmed.
//!
//! The decisions go through the same matching as in production. What the other rules would have decided does not change what comes after:
//! each decision stands on the inputs it had, so that one difference is not counted again and again in its consequences.

mod history;
mod report;
#[cfg(test)]
mod suite;
pub(super) mod verdict;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use anyhow::Context;
use chrono::NaiveDate;

pub use report::{Backtest, ChangeKind, Changed, Figures, LineChange};

use self::{
    history::History,
    verdict::{Confirmed, Lines},
};
use crate::{
    domain::{Currency, Decision, DecisionId, Outcome, PaymentId, Permit, Permits, Proposal, Reason, Stratum},
    matching::{self, Case},
    rules::RuleSet,
    store::{Db, Inputs, PastDecision},
};

/// Decisions read at once.
const PAGE: usize = 500;

/// Which business days are compared; nothing on a side leaves it open.
#[derive(Clone, Copy, Debug, Default)]
pub struct Range {
    pub from: Option<NaiveDate>,
    pub until: Option<NaiveDate>,
}

impl Range {
    fn has(self, day: NaiveDate) -> bool {
        self.from.is_none_or(|from| from <= day) && self.until.is_none_or(|until| day <= until)
    }

    fn is_over(self, day: NaiveDate) -> bool {
        self.until.is_some_and(|until| until < day)
    }
}

/// Replays the decisions of a range under `rules`. `progress` is told how many of how many decisions are done.
pub async fn backtest(db: &Db, rules: &RuleSet, range: Range, progress: &mut dyn FnMut(u64, u64)) -> anyhow::Result<Backtest> {
    let mut tx = db.read().await?;
    let whole = u64::try_from(tx.count_decisions().await?)?;
    let moves = tx.moves().await?;
    let payments = tx.payments_changed_since(0).await?.0;
    let confirmed = verdict::confirmed(&moves, payments.iter());
    let currencies: HashMap<_, _> = payments.into_iter().map(|payment| (payment.id, payment.currency)).collect();
    let mut replay =
        Replay { history: History::read(&mut tx, moves).await?, rules: Days::of(rules), range, found: Found::default() };
    let (mut newest, mut done) = (DecisionId(0), 0);
    loop {
        let page = tx.decisions_after(newest, PAGE).await?;
        let Some(last) = page.last() else { break };
        newest = last.id;
        for decision in &page {
            replay.live(decision)?;
            done += 1;
            progress(done, whole);
        }
    }
    let items = tx.items_with_settled().await?.into_iter().map(|item| (item.item.id, item.item)).collect();
    tx.rollback().await?;
    Ok(replay.found.report(rules, range, newest, &confirmed, &currencies, &items))
}

/// A replay in progress.
struct Replay<'a> {
    history: History,
    rules: Days<'a>,
    range: Range,
    found: Found,
}

impl Replay<'_> {
    fn live(&mut self, decision: &PastDecision) -> anyhow::Result<()> {
        if self.range.is_over(decision.business_day) {
            return Ok(());
        }
        let Some(inputs) = &decision.inputs else {
            self.found.unpinned += u64::from(self.range.has(decision.business_day));
            return Ok(());
        };
        self.history.advance(decision, inputs);
        if self.range.has(decision.business_day)
            && let Some(now) = self.again(decision, inputs)?
        {
            self.found.add(decision, now.posts().then(|| now.proposals.into_iter().next()).flatten());
        }
        self.history.decided(decision, inputs);
        Ok(())
    }

    /// The decision once more, on what it stood on.
    fn again(&mut self, decision: &PastDecision, inputs: &Inputs) -> anyhow::Result<Option<Decision>> {
        let Some((payment, remittance)) = self.history.subject(decision, inputs) else { return Ok(None) };
        let rules = self.rules.on(decision.business_day)?;
        let case = Case { payment: &payment, remittance, today: decision.business_day, permits: &permits_of(decision) };
        Ok(Some(matching::decide(&case, self.history.snapshot(), &rules)))
    }
}

/// What the certificate of then said about this decision: other rules do not change what was shown by then.
fn permits_of(decision: &PastDecision) -> Permits {
    let Some(class) = decision.class else { return Permits::default() };
    let stratum = Stratum { rule: decision.proposal.rule.clone(), class };
    let mut permits = decision.certificate.map(Permits::of_certificate).unwrap_or_default();
    match decision.outcome {
        Outcome::Hold { reason: Reason::NotCertified } => permits.set(&stratum, Permit::Never),
        Outcome::Hold { .. } => {}
        Outcome::Post | Outcome::PostWithFollowUp { .. } => permits.set(&stratum, Permit::Always),
    }
    permits
}

/// The rules in force, day by day.
struct Days<'a> {
    written: &'a RuleSet,
    last: Option<(NaiveDate, Arc<RuleSet>)>,
}

impl<'a> Days<'a> {
    const fn of(written: &'a RuleSet) -> Self {
        Self { written, last: None }
    }

    fn on(&mut self, day: NaiveDate) -> anyhow::Result<Arc<RuleSet>> {
        if let Some((_, rules)) = self.last.as_ref().filter(|(last, _)| *last == day) {
            return Ok(Arc::clone(rules));
        }
        let rules = Arc::new(self.written.clone().in_force(day).with_context(|| format!("the rules on {day}"))?);
        self.last = Some((day, Arc::clone(&rules)));
        Ok(rules)
    }
}

/// What was decided about each payment, then and now: the first decision that posts ends it.
#[derive(Default)]
struct Found {
    decisions: u64,
    unpinned: u64,
    payments: BTreeMap<PaymentId, (Option<Posted>, Option<Posted>)>,
}

/// A decision that posts.
struct Posted {
    rule: String,
    lines: Lines,
}

impl Posted {
    fn of(proposal: &Proposal) -> Self {
        Self { rule: proposal.rule.clone(), lines: verdict::lines(proposal) }
    }
}

impl Found {
    fn add(&mut self, decision: &PastDecision, now: Option<Proposal>) {
        self.decisions += 1;
        let then = (!matches!(decision.outcome, Outcome::Hold { .. })).then_some(&decision.proposal);
        let (before, after) = self.payments.entry(decision.payment).or_default();
        *before = before.take().or_else(|| then.map(Posted::of));
        *after = after.take().or_else(|| now.as_ref().map(Posted::of));
    }

    fn report(
        self,
        rules: &RuleSet,
        range: Range,
        newest: DecisionId,
        confirmed: &HashMap<PaymentId, Confirmed>,
        currencies: &HashMap<PaymentId, Currency>,
        items: &report::Items,
    ) -> Backtest {
        let mut report = Backtest::new(rules, range, newest, self.decisions, self.unpinned);
        report.payments = self.payments.len() as u64;
        let unknown = Confirmed::default();
        for (id, (before, after)) in self.payments {
            let currency = currencies.get(&id).copied().unwrap_or(Currency::USD);
            let confirmed = confirmed.get(&id).unwrap_or(&unknown);
            report.compare(id, currency, before.as_ref(), after.as_ref(), confirmed, items);
        }
        report.judge(rules);
        report
    }
}
