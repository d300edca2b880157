//! Advices whose cash has not been linked yet.

use std::collections::HashMap;

use super::index::{Index, Kind, key};
use crate::domain::{Currency, Remittance, RemittanceId};
use crate::normalise;

/// Waiting advices, found by trace, by the end of the trace and by total.
#[derive(Clone, Debug, Default)]
pub(in crate::matching) struct Waiting {
    slots: HashMap<RemittanceId, u32>,
    remittances: Vec<Option<Remittance>>,
    /// Places of forgotten advices, to be used again.
    free: Vec<u32>,
    index: Index,
}

/// Characters of a trace that some banks print instead of all of it.
pub(in crate::matching) const TRACE_TAIL: usize = 6;

impl Waiting {
    pub(in crate::matching) fn upsert(&mut self, remittance: Remittance) {
        self.forget(remittance.id);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.remittances.push(None);
            u32::try_from(self.remittances.len() - 1).expect("fewer than four billion advices fit in memory")
        });
        for key in remittance_keys(&remittance) {
            self.index.insert(key, slot);
        }
        self.slots.insert(remittance.id, slot);
        self.remittances[slot as usize] = Some(remittance);
    }

    pub(in crate::matching) fn forget(&mut self, id: RemittanceId) {
        let Some(slot) = self.slots.remove(&id) else { return };
        if let Some(remittance) = self.remittances[slot as usize].take() {
            for key in remittance_keys(&remittance) {
                self.index.remove(key, slot);
            }
        }
        self.free.push(slot);
    }

    pub(in crate::matching) fn get(&self, id: RemittanceId) -> Option<&Remittance> {
        self.slots.get(&id).and_then(|slot| self.remittances[*slot as usize].as_ref())
    }

    /// Advices that share the trace, its end, or the total, each once, in id order.
    pub(in crate::matching) fn alike(
        &self,
        trace: Option<&str>,
        currency: Currency,
        amount_minor: i64,
        most: usize,
    ) -> Vec<&Remittance> {
        let mut wanted = trace_keys(&normalise::fold(trace.unwrap_or_default()));
        wanted.push(total_key(currency, amount_minor));
        let mut found: Vec<&Remittance> = wanted
            .into_iter()
            .flat_map(|key| self.index.get(key).iter().take(most))
            .filter_map(|slot| self.remittances[*slot as usize].as_ref())
            .collect();
        found.sort_by_key(|remittance| remittance.id);
        found.dedup_by_key(|remittance| remittance.id);
        found
    }
}

/// The last characters of a folded trace, where it is longer than they are.
pub(in crate::matching) fn tail(trace: &str) -> Option<&str> {
    let start = trace.len().checked_sub(TRACE_TAIL)?;
    trace.get(start..)
}

/// Keys under which an advice is filed, and under which it looks for its cash.
pub(super) fn remittance_keys(remittance: &Remittance) -> Vec<u64> {
    let mut keys = trace_keys(&normalise::fold(remittance.trace.as_deref().unwrap_or_default()));
    let lines = || remittance.lines.iter().try_fold(0i64, |sum, line| sum.checked_add(line.net_minor?));
    let total = remittance.total_minor.filter(|total| *total != 0).or_else(lines);
    keys.extend(total.map(|total| total_key(remittance.currency, total)));
    keys
}

/// The whole of a folded trace without leading zeros, and its end with them.
pub(super) fn trace_keys(folded: &str) -> Vec<u64> {
    let without_zeros = folded.trim_start_matches('0');
    if without_zeros.is_empty() {
        return Vec::new();
    }
    let end = tail(folded).map(|tail| key(Kind::TraceTail, 0, tail.as_bytes()));
    std::iter::once(key(Kind::AdviceTrace, 0, without_zeros.as_bytes())).chain(end).collect()
}

pub(super) fn total_key(currency: Currency, amount_minor: i64) -> u64 {
    let mut text = currency.as_str().as_bytes().to_vec();
    text.extend_from_slice(&amount_minor.to_le_bytes());
    key(Kind::Total, 0, &text)
}
