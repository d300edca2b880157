//! What a payment truly paid, and what a person who knows it books.

use std::{
    collections::{BTreeMap, HashMap},
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};

use crate::domain::{LineAdjustment, LineAdjustmentKind, OpenItem, OpenItemId, Payment, PaymentState, ProposalLine};

/// Cash applied to one item, and what closes with it. Amounts are minor units.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Line {
    pub(super) invoice_id: String,
    pub(super) applied: i64,
    pub(super) discount: i64,
    pub(super) deduction: i64,
    pub(super) reason: String,
}

/// What a payment truly paid.
#[derive(Clone, Debug, Deserialize)]
pub struct Label {
    payment_id: String,
    #[serde(default)]
    lines: Vec<Line>,
}

impl Label {
    /// Reads `truth.jsonl`, by payment.
    pub fn read(path: &Path) -> anyhow::Result<HashMap<String, Self>> {
        let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
        let mut labels = HashMap::new();
        for (index, line) in BufReader::new(file).lines().enumerate() {
            let line = line.with_context(|| format!("reading {}", path.display()))?;
            let label: Self = serde_json::from_str(&line).with_context(|| format!("{}:{}", path.display(), index + 1))?;
            labels.insert(label.payment_id.clone(), label);
        }
        Ok(labels)
    }

    /// The items it names, by their names in the world.
    pub(super) fn items(&self, by_name: &BTreeMap<&str, OpenItemId>) -> Vec<OpenItemId> {
        self.lines.iter().filter_map(|line| by_name.get(line.invoice_id.as_str())).copied().collect()
    }

    /// What a person books for a payment of which nothing was applied: no more of an item than is open, and nothing where the label needs another
    /// seller's items, another currency or more cash than there is.
    pub(super) fn booking(
        &self,
        payment: &Payment,
        by_name: &BTreeMap<&str, OpenItemId>,
        items: &HashMap<OpenItemId, OpenItem>,
    ) -> Option<Vec<ProposalLine>> {
        if payment.state != PaymentState::Exception || payment.unapplied_minor != payment.amount_minor {
            return None;
        }
        let mut lines = Vec::new();
        for line in &self.lines {
            let item = by_name.get(line.invoice_id.as_str()).and_then(|id| items.get(id))?;
            if item.currency != payment.currency || payment.seller.is_some_and(|seller| seller != item.seller) {
                return None;
            }
            lines.extend(line.on(item));
        }
        let cash = lines.iter().try_fold(0_i64, |sum, line| sum.checked_add(line.cash_minor))?;
        (!lines.is_empty() && (0..=payment.unapplied_minor).contains(&cash)).then_some(lines)
    }
}

impl Line {
    /// Cash first, then what closes with it, each as far as the item is open.
    fn on(&self, item: &OpenItem) -> Option<ProposalLine> {
        let sign = item.open_minor.signum();
        let mut left = item.open_minor.checked_mul(sign)?;
        let mut take = |amount: i64| {
            let taken = amount.saturating_mul(sign).clamp(0, left);
            left -= taken;
            taken * sign
        };
        let cash_minor = take(self.applied);
        let closing =
            [(LineAdjustmentKind::Discount, self.discount, ""), (LineAdjustmentKind::Deduction, self.deduction, &*self.reason)];
        let adjustments: Vec<_> = closing
            .into_iter()
            .map(|(kind, amount, reason)| LineAdjustment { kind, amount_minor: take(amount), reason: reason.to_owned() })
            .filter(|adjustment| adjustment.amount_minor != 0)
            .collect();
        let closes_any = cash_minor != 0 || !adjustments.is_empty();
        closes_any.then_some(ProposalLine { item: item.id, applied_minor: cash_minor, cash_minor, adjustments, line: None })
    }
}
