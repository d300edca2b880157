//! Why payments need people: exceptions counted by what the nearest rule lacked, with what people made of the first proposals, and what history
//! says about opening that one condition.
//!
//! The figures beside a cause are those of the ledger. What would happen under other rules is said by a backtest alone.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::Context;
use chrono::NaiveDate;
use serde::Serialize;

use super::{
    backtest::{
        Figures, Range, backtest,
        verdict::{self, Confirmed},
    },
    engine::Engine,
    rulebook::read_set,
};
use crate::{
    domain::{ExceptionId, Lacked, PaymentId, PaymentState, Proposal, Reason},
    rules::{Remedy, RuleSet},
    store::{Asked, Move, Tx},
};

/// Exceptions read at once.
const PAGE: usize = 1_000;

/// Exceptions that have one reason, one nearest rule and one thing it lacked.
#[derive(Clone, Debug, Serialize)]
pub struct Cause {
    pub reason: Reason,
    /// Nothing where no decision is behind it, as with a held file.
    pub lacked: Option<Lacked>,
    pub exceptions: u64,
    pub open: u64,
    pub money: Vec<CauseMoney>,
    /// The day the oldest one that is open was raised on.
    pub oldest_open: Option<String>,
    pub first_proposals: FirstProposals,
    /// The setting that decides it; nothing where no rule file does.
    pub remedy: Option<Remedy>,
    /// What history says about opening the condition, where that was asked and makes sense.
    pub backtest: Option<Opened>,
}

/// Money of a cause in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CauseMoney {
    pub currency: String,
    pub minor: i64,
    pub open_minor: i64,
}

/// What people made of what the engine proposed first, each payment once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FirstProposals {
    /// What stands is exactly the proposal, and a person applied it.
    pub accepted: u64,
    /// A person settled the payment otherwise, or undid just this.
    pub otherwise: u64,
    /// Nobody has decided, or the money is gone.
    pub undecided: u64,
    /// There was nothing to propose.
    pub none: u64,
}

/// The figures of a backtest of the running set with the one condition opened.
#[derive(Clone, Debug, Serialize)]
pub struct Opened {
    pub decisions: u64,
    pub passed: bool,
    pub currencies: Vec<OpenedCurrency>,
}

#[derive(Clone, Debug, Serialize)]
pub struct OpenedCurrency {
    pub currency: String,
    pub new: Figures,
    pub lost: Figures,
    pub changed: Figures,
    /// Of the new and changed ones: nobody has decided about them yet.
    pub unjudged: Figures,
    pub now_wrong: Figures,
}

/// A cause while it is counted.
#[derive(Default)]
struct Counted {
    exceptions: u64,
    open: u64,
    money: BTreeMap<String, (i64, i64)>,
    oldest_open: Option<String>,
    first_proposals: FirstProposals,
    seen: HashSet<PaymentId>,
}

impl Engine {
    /// The most frequent causes of exceptions about payments and files of these business days. With `opened`, history is replayed for each that a
    /// condition of a bundle decides; `progress` is told which of how many replays, and how much of it, is done.
    pub async fn causes(
        &self,
        days: (NaiveDate, NaiveDate),
        top: usize,
        opened: bool,
        progress: &mut dyn FnMut(u64, u64),
    ) -> anyhow::Result<Vec<Cause>> {
        let mut tx = self.db.read().await?;
        let counted = count(&mut tx, days).await?;
        let active = tx.active_rules().await?.context("a ledger that was opened has an active set")?;
        let written = read_set(&mut tx, &active.rule_set).await?;
        tx.rollback().await?;
        let mut causes: Vec<Cause> =
            counted.into_iter().map(|((reason, lacked), counted)| counted.cause(reason, lacked, &written)).collect();
        causes.sort_by(|a, b| (b.exceptions, b.open, a.reason, &a.lacked).cmp(&(a.exceptions, a.open, b.reason, &b.lacked)));
        causes.truncate(top);
        if opened {
            self.open_each(&mut causes, &written, progress).await?;
        }
        Ok(causes)
    }

    async fn open_each(&self, causes: &mut [Cause], written: &RuleSet, progress: &mut dyn FnMut(u64, u64)) -> anyhow::Result<()> {
        // One condition may keep payments back for several reasons; it is replayed once.
        let mut known: HashMap<Lacked, Opened> = HashMap::new();
        let whole: HashSet<_> =
            causes.iter().filter_map(|cause| cause.lacked.clone()).filter(|lacked| written.opened(lacked).is_some()).collect();
        for cause in causes {
            let Some((lacked, set)) = cause.lacked.clone().and_then(|lacked| written.opened(&lacked).map(|set| (lacked, set)))
            else {
                continue;
            };
            if !known.contains_key(&lacked) {
                let (done, all) = (known.len() as u64, whole.len() as u64);
                let found =
                    backtest(&self.db, &set, Range::default(), &mut |part, of| progress(done * of + part, all * of)).await?;
                let currencies = found.totals().into_values().map(|total| OpenedCurrency {
                    currency: total.currency,
                    new: total.new,
                    lost: total.lost,
                    changed: total.changed,
                    unjudged: total.unjudged,
                    now_wrong: total.now_wrong,
                });
                let opened = Opened { decisions: found.decisions, passed: found.passed, currencies: currencies.collect() };
                known.insert(lacked.clone(), opened);
            }
            cause.backtest = known.get(&lacked).cloned();
        }
        Ok(())
    }
}

type Key = (Reason, Option<Lacked>);

async fn count(tx: &mut Tx, days: (NaiveDate, NaiveDate)) -> anyhow::Result<BTreeMap<Key, Counted>> {
    let mut causes: BTreeMap<Key, Counted> = BTreeMap::new();
    let mut newest = ExceptionId(0);
    loop {
        let page = tx.asked_after(newest, days, PAGE).await?;
        let Some(last) = page.last() else { break };
        newest = last.exception;
        let ids: Vec<_> = page.iter().filter(|asked| asked.lacked.is_some()).filter_map(|asked| asked.payment).collect();
        let (moves, payments) = (tx.moves_of(&ids).await?, tx.payments(&ids).await?);
        let confirmed = verdict::confirmed(&moves, payments.iter());
        let by_people = applied_by_people(&moves);
        let gone: HashSet<_> = payments
            .iter()
            .filter(|payment| matches!(payment.state, PaymentState::Returned | PaymentState::Void | PaymentState::Held))
            .map(|payment| payment.id)
            .collect();
        for asked in page {
            let counted = causes.entry((asked.reason, asked.lacked.clone())).or_default();
            counted.add(&asked);
            let Some((payment, proposal)) =
                asked.payment.zip(asked.proposal).filter(|(payment, _)| counted.seen.insert(*payment))
            else {
                continue;
            };
            let confirmed = confirmed.get(&payment).filter(|_| !gone.contains(&payment));
            counted.first_proposals.add(&proposal, confirmed, by_people.contains(&payment));
        }
    }
    Ok(causes)
}

/// Payments of which something stands, or stood, that a person applied.
fn applied_by_people(moves: &[Move]) -> HashSet<PaymentId> {
    moves.iter().filter(|moved| moved.reverses.is_none() && !moved.by_engine).map(|moved| moved.payment).collect()
}

impl Counted {
    fn add(&mut self, asked: &Asked) {
        self.exceptions += 1;
        self.open += u64::from(asked.open);
        if let Some((minor, currency)) = asked.amount {
            let sums = self.money.entry(currency.to_string()).or_default();
            sums.0 = sums.0.saturating_add(minor);
            sums.1 = sums.1.saturating_add(if asked.open { minor } else { 0 });
        }
        if asked.open && self.oldest_open.as_ref().is_none_or(|oldest| asked.opened < *oldest) {
            self.oldest_open = Some(asked.opened.clone());
        }
    }

    fn cause(self, reason: Reason, lacked: Option<Lacked>, rules: &RuleSet) -> Cause {
        let money = self.money.into_iter().map(|(currency, (minor, open_minor))| CauseMoney { currency, minor, open_minor });
        Cause {
            reason,
            exceptions: self.exceptions,
            open: self.open,
            money: money.collect(),
            oldest_open: self.oldest_open,
            first_proposals: self.first_proposals,
            remedy: lacked.as_ref().and_then(|lacked| rules.remedy(lacked)),
            lacked,
            backtest: None,
        }
    }
}

impl FirstProposals {
    fn add(&mut self, proposal: &Proposal, confirmed: Option<&Confirmed>, by_person: bool) {
        let lines = verdict::lines(proposal);
        let Some(confirmed) = confirmed.filter(|_| !lines.is_empty()) else {
            *(if lines.is_empty() { &mut self.none } else { &mut self.undecided }) += 1;
            return;
        };
        // Nothing of an item counts as open here: what is asked is whether people did exactly this.
        let (wrong, _) = confirmed.judge(&lines, &|_| 0);
        let place = match () {
            () if by_person && lines == confirmed.right => &mut self.accepted,
            () if by_person && (!wrong.is_empty() || !verdict::beyond(&confirmed.right, &lines).is_empty()) => {
                &mut self.otherwise
            }
            () => &mut self.undecided,
        };
        *place += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OpenItemId, ProposalLine};

    #[test]
    fn only_exactly_what_was_proposed_counts_as_accepted() {
        let line = |item: i64, cash: i64| ProposalLine {
            item: OpenItemId(item),
            applied_minor: cash,
            cash_minor: cash,
            adjustments: Vec::new(),
            line: None,
        };
        let proposal = |lines: &[(i64, i64)]| Proposal {
            lines: lines.iter().map(|(item, cash)| line(*item, *cash)).collect(),
            ..Proposal::default()
        };
        let confirmed = |lines: &[(i64, i64)]| Confirmed::standing(verdict::lines(&proposal(lines)));
        let asked = |proposed: &[(i64, i64)], stands: &[(i64, i64)], by_person| {
            let mut found = FirstProposals::default();
            found.add(&proposal(proposed), Some(&confirmed(stands)), by_person);
            (found.accepted, found.otherwise, found.undecided, found.none)
        };
        let two = [(1, 100), (2, 50)];
        assert_eq!(asked(&two, &two, true), (1, 0, 0, 0));
        assert_eq!(asked(&two, &two, false), (0, 0, 1, 0), "the engine posted it later");
        assert_eq!(asked(&two, &[(1, 100), (3, 50)], true), (0, 1, 0, 0), "another item");
        assert_eq!(asked(&two, &[(1, 100), (2, 49)], true), (0, 1, 0, 0), "another amount");
        assert_eq!(asked(&two, &[(1, 100)], true), (0, 0, 1, 0), "a part so far, and the rest waits");
        assert_eq!(asked(&two, &[], true), (0, 0, 1, 0));
        assert_eq!(asked(&[], &two, true), (0, 0, 0, 1));
    }
}
