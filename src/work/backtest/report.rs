//! What a backtest found: new, lost, changed and now-wrong matches, in lines and money, by rule, with the payments to look at.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use serde::Serialize;

use super::{
    Posted, Range,
    verdict::{Confirmed, Lines, beyond, money},
};
use crate::{
    domain::{Currency, DecisionId, OpenItem, OpenItemId, PaymentId},
    rules::RuleSet,
};

/// The items of the ledger as they are now.
pub(super) type Items = HashMap<OpenItemId, OpenItem>;

/// How a match differs from what was decided then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It would post and was held.
    New,
    /// It posted and would be held.
    Lost,
    /// It would post otherwise.
    Changed,
    /// It would post, did not so then, and people decided otherwise.
    NowWrong,
}

impl ChangeKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Lost => "lost",
            Self::Changed => "changed",
            Self::NowWrong => "now_wrong",
        }
    }
}

/// Lines and cash of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    pub payments: u64,
    pub lines: u64,
    pub minor: i64,
}

impl Figures {
    fn add(&mut self, lines: &Lines) {
        self.payments += 1;
        self.lines += lines.len() as u64;
        self.minor = self.minor.saturating_add(money(lines));
    }
}

/// What the set does with one rule and currency.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LineChange {
    pub rule: String,
    pub currency: String,
    /// All that the rule would post.
    pub posts: Figures,
    pub new: Figures,
    pub lost: Figures,
    /// Of the lost ones: people had undone them, or settled them otherwise.
    pub lost_wrong: Figures,
    pub changed: Figures,
    /// Of the new and changed ones: nobody has decided about them yet.
    pub unjudged: Figures,
    pub now_wrong: Figures,
}

/// One payment to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// `P17`.
    pub payment: String,
    pub kind: ChangeKind,
    pub rule: String,
    pub currency: String,
    pub lines: u64,
    pub minor: i64,
    /// What was posted then, what would be now, and what people confirmed: `INV-1 980.00, INV-2 220.50`; empty for nothing.
    pub then: String,
    pub now: String,
    pub confirmed: String,
}

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Backtest {
    pub rule_set: String,
    pub from: Option<NaiveDate>,
    pub until: Option<NaiveDate>,
    pub newest_decision: DecisionId,
    /// Decisions that were made again.
    pub decisions: u64,
    /// Decisions whose inputs were not kept, because an older program made them; they are not part of the figures.
    pub unpinned: u64,
    pub payments: u64,
    /// By rule and currency; only rules that posted or would post.
    pub rules: Vec<LineChange>,
    pub changes: Vec<Changed>,
    pub passed: bool,
    /// Why it did not pass, a sentence per rule.
    pub failed: Vec<String>,
}

impl Backtest {
    pub(super) fn new(rules: &RuleSet, range: Range, newest_decision: DecisionId, decisions: u64, unpinned: u64) -> Self {
        Self {
            rule_set: rules.hash.clone(),
            from: range.from,
            until: range.until,
            newest_decision,
            decisions,
            unpinned,
            payments: 0,
            rules: Vec::new(),
            changes: Vec::new(),
            passed: false,
            failed: Vec::new(),
        }
    }

    /// Whether nothing differs from what was decided then.
    pub fn is_unchanged(&self) -> bool {
        self.changes.is_empty()
    }

    /// Figures of all rules together, by currency.
    pub fn totals(&self) -> BTreeMap<&str, LineChange> {
        let mut totals: BTreeMap<&str, LineChange> = BTreeMap::new();
        for rule in &self.rules {
            let total = totals.entry(&rule.currency).or_default();
            let parts = |change: &LineChange| {
                [change.posts, change.new, change.unjudged, change.lost, change.lost_wrong, change.changed, change.now_wrong]
            };
            let sums = parts(total).into_iter().zip(parts(rule)).map(|(sum, part)| Figures {
                payments: sum.payments + part.payments,
                lines: sum.lines + part.lines,
                minor: sum.minor.saturating_add(part.minor),
            });
            let sums: Vec<_> = sums.collect();
            if let [posts, new, unjudged, lost, lost_wrong, changed, now_wrong] = sums[..] {
                let (group, currency) = ("all".to_owned(), rule.currency.clone());
                *total = LineChange { rule: group, currency, posts, new, unjudged, lost, lost_wrong, changed, now_wrong };
            }
        }
        totals
    }

    pub(super) fn compare(
        &mut self,
        payment: PaymentId,
        currency: Currency,
        then: Option<&Posted>,
        now: Option<&Posted>,
        confirmed: &Confirmed,
        items: &Items,
    ) {
        let nothing = Lines::new();
        let (before, after) = (then.map_or(&nothing, |then| &then.lines), now.map_or(&nothing, |now| &now.lines));
        let fresh = beyond(after, before);
        let open = |item| items.get(&item).map_or(0, |item: &OpenItem| item.open_minor.saturating_abs());
        let (wrong, unjudged) = confirmed.judge(&fresh, &open);
        if let Some(now) = now {
            self.figures(&now.rule, currency).posts.add(after);
        }
        let written = |lines: &Lines| write(lines, currency, items);
        let say = |report: &mut Self, kind, rule: &str, lines: &Lines| {
            report.changes.push(Changed {
                payment: payment.to_string(),
                kind,
                rule: rule.to_owned(),
                currency: currency.to_string(),
                lines: lines.len() as u64,
                minor: money(lines),
                then: written(before),
                now: written(after),
                confirmed: written(&confirmed.right),
            });
        };
        match (then, now) {
            (None, Some(now)) => {
                self.figures(&now.rule, currency).new.add(&fresh);
                say(self, ChangeKind::New, &now.rule, &fresh);
            }
            (Some(then), None) => {
                self.figures(&then.rule, currency).lost.add(before);
                let (was_wrong, _) = confirmed.judge(before, &open);
                if !was_wrong.is_empty() {
                    self.figures(&then.rule, currency).lost_wrong.add(&was_wrong);
                }
                say(self, ChangeKind::Lost, &then.rule, before);
            }
            (Some(_), Some(now)) if before != after => {
                let differs = if fresh.is_empty() { beyond(before, after) } else { fresh };
                self.figures(&now.rule, currency).changed.add(&differs);
                say(self, ChangeKind::Changed, &now.rule, &differs);
            }
            _ => return,
        }
        if let Some(now) = now.filter(|_| !unjudged.is_empty()) {
            self.figures(&now.rule, currency).unjudged.add(&unjudged);
        }
        if let Some(now) = now.filter(|_| !wrong.is_empty()) {
            self.figures(&now.rule, currency).now_wrong.add(&wrong);
            say(self, ChangeKind::NowWrong, &now.rule, &wrong);
        }
    }

    /// Asks each rule's budget.
    pub(super) fn judge(&mut self, rules: &RuleSet) {
        self.rules.sort_by(|one, other| (&one.rule, &one.currency).cmp(&(&other.rule, &other.currency)));
        for change in &self.rules {
            let bundle = rules.engine.bundles.iter().find(|bundle| bundle.id == change.rule);
            let budget = bundle.map_or(&rules.engine.budget, |bundle| rules.engine.budget_of(bundle));
            if !budget.allows_wrong(change.now_wrong.minor, change.posts.minor) {
                let currency = Currency::parse(&change.currency).unwrap_or(Currency::USD);
                let money = |minor| crate::domain::Money::new(minor, currency);
                self.failed.push(format!(
                    "{}: {} now wrong of {} posted, and its budget is {} %",
                    change.rule,
                    money(change.now_wrong.minor),
                    money(change.posts.minor),
                    budget.wrong_percent
                ));
            }
        }
        self.passed = self.failed.is_empty();
    }

    fn figures(&mut self, rule: &str, currency: Currency) -> &mut LineChange {
        let code = currency.to_string();
        let place = self.rules.iter().position(|change| change.rule == rule && change.currency == code);
        let place = place.unwrap_or_else(|| {
            self.rules.push(LineChange { rule: rule.to_owned(), currency: code, ..LineChange::default() });
            self.rules.len() - 1
        });
        &mut self.rules[place]
    }
}

/// `INV-1 980.00 with 20.00 discount, INV-2 220.50`.
fn write(lines: &Lines, currency: Currency, items: &Items) -> String {
    const SHOWN: usize = 8;
    let mut said: Vec<String> = Vec::new();
    for (item, gets) in lines.iter().take(SHOWN) {
        let (number, theirs) =
            items.get(item).map_or_else(|| (item.to_string(), currency), |item| (item.number.clone(), item.currency));
        let figure = |minor, currency| crate::domain::Money::new(minor, currency).to_decimal().to_string();
        let mut text = format!("{number} {}", figure(gets.cash, currency));
        for (minor, what) in [(gets.discount, "discount"), (gets.deduction, "deduction"), (gets.write_off, "write-off")] {
            if minor != 0 {
                text.push_str(&format!(" with {} {what}", figure(minor, theirs)));
            }
        }
        said.push(text);
    }
    if lines.len() > SHOWN {
        said.push(format!("{} more", lines.len() - SHOWN));
    }
    said.join(", ")
}
