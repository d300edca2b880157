//! What people made of a payment, and what another decision about it would have been worth.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    domain::{ApplicationId, LineAdjustmentKind, OpenItemId, Payment, PaymentId, PaymentState, Proposal},
    store::{ApplicationKind, Move},
};

/// What one item gets of a payment: cash, and what closes with it. Amounts are minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Gets {
    pub cash: i64,
    pub discount: i64,
    pub deduction: i64,
    pub write_off: i64,
}

impl Gets {
    /// What closes of the item besides the cash.
    const fn granted(&self) -> i64 {
        self.discount.saturating_add(self.deduction).saturating_add(self.write_off)
    }
}

/// What a payment pays, item by item.
pub type Lines = BTreeMap<OpenItemId, Gets>;

/// The lines of a proposal.
pub fn lines(proposal: &Proposal) -> Lines {
    let mut lines = Lines::new();
    for line in &proposal.lines {
        let gets = lines.entry(line.item).or_default();
        gets.cash += line.cash_minor;
        for part in &line.adjustments {
            match part.kind {
                LineAdjustmentKind::Discount => gets.discount += part.amount_minor,
                LineAdjustmentKind::Deduction => gets.deduction += part.amount_minor,
                LineAdjustmentKind::WriteOff => gets.write_off += part.amount_minor,
            }
        }
    }
    lines
}

/// Cash of lines, whatever its sign.
pub fn money(lines: &Lines) -> i64 {
    lines.values().fold(0_i64, |sum, gets| sum.saturating_add(gets.cash.saturating_abs()))
}

/// The lines of `these` that `those` do not have just so.
pub fn beyond(these: &Lines, those: &Lines) -> Lines {
    these.iter().filter(|(item, gets)| those.get(item) != Some(gets)).map(|(item, gets)| (*item, *gets)).collect()
}

/// What people confirmed of one payment.
#[derive(Clone, Debug, Default)]
pub struct Confirmed {
    /// What stands, or stood until the bank took the money back.
    pub right: Lines,
    /// What a person undid.
    undone: HashSet<(OpenItemId, Gets)>,
    /// Nothing of it waits any more, so what does not stand is wrong.
    settled: bool,
}

impl Confirmed {
    #[cfg(test)]
    pub fn standing(right: Lines) -> Self {
        Self { right, ..Self::default() }
    }

    /// The lines that are wrong, and those nobody has judged yet. `open_minor` tells what is open of an item now.
    pub fn judge(&self, lines: &Lines, open_minor: &dyn Fn(OpenItemId) -> i64) -> (Lines, Lines) {
        let (mut wrong, mut open) = (Lines::new(), Lines::new());
        for (item, gets) in beyond(lines, &self.right) {
            // The same cash on the same item, and more granted of what is still open there: the match is right, the grant undecided.
            let more =
                self.right.get(&item).filter(|right| right.cash == gets.cash).map(|right| gets.granted() - right.granted());
            let undecided = more.is_some_and(|more| more != 0 && (0..=open_minor(item).max(0)).contains(&more));
            let known_wrong = (self.settled && !undecided) || self.undone.contains(&(item, gets));
            if known_wrong { &mut wrong } else { &mut open }.insert(item, gets);
        }
        (wrong, open)
    }
}

/// What people confirmed, payment by payment.
pub fn confirmed<'a>(moves: &[Move], payments: impl Iterator<Item = &'a Payment>) -> HashMap<PaymentId, Confirmed> {
    let undone: HashMap<ApplicationId, bool> = moves.iter().filter_map(|moved| Some((moved.reverses?, moved.by_bank))).collect();
    let mut all: HashMap<PaymentId, Confirmed> = HashMap::new();
    for payment in payments {
        let live = !matches!(payment.state, PaymentState::Held | PaymentState::Void);
        let settled = payment.unapplied_minor == 0 || !live;
        all.insert(payment.id, Confirmed { settled, ..Confirmed::default() });
    }
    let made = moves.iter().filter(|moved| moved.reverses.is_none() && moved.kind == ApplicationKind::Item);
    for moved in made {
        let (Some(item), Some(confirmed)) = (moved.item, all.get_mut(&moved.payment)) else { continue };
        let gets = Gets {
            cash: moved.cash_minor,
            discount: moved.discount_minor,
            deduction: moved.deduction_minor,
            write_off: moved.write_off_minor,
        };
        if undone.get(&moved.application) == Some(&false) {
            confirmed.undone.insert((item, gets));
            continue;
        }
        let sum = confirmed.right.entry(item).or_default();
        sum.cash += gets.cash;
        sum.discount += gets.discount;
        sum.deduction += gets.deduction;
        sum.write_off += gets.write_off;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gets(cash: i64) -> Gets {
        Gets { cash, ..Gets::default() }
    }

    fn of(lines: &[(i64, i64)]) -> Lines {
        lines.iter().map(|(item, cash)| (OpenItemId(*item), gets(*cash))).collect()
    }

    #[test]
    fn what_people_undid_or_settled_otherwise_is_wrong_and_the_rest_is_open() {
        let confirmed = |right: &[(i64, i64)], undone: &[(i64, i64)], settled| Confirmed {
            right: of(right),
            undone: undone.iter().map(|(item, cash)| (OpenItemId(*item), gets(*cash))).collect(),
            settled,
        };
        for (why, confirmed, proposed, wrong, open) in [
            ("it stands", confirmed(&[(1, 100)], &[], true), of(&[(1, 100)]), of(&[]), of(&[])),
            ("settled with another item", confirmed(&[(2, 100)], &[], true), of(&[(1, 100)]), of(&[(1, 100)]), of(&[])),
            ("another amount stands", confirmed(&[(1, 90)], &[], true), of(&[(1, 100)]), of(&[(1, 100)]), of(&[])),
            ("nobody has decided", confirmed(&[], &[], false), of(&[(1, 100)]), of(&[]), of(&[(1, 100)])),
            ("undone and not decided", confirmed(&[], &[(1, 100)], false), of(&[(1, 100)]), of(&[(1, 100)]), of(&[])),
            ("undone and done again", confirmed(&[(1, 100)], &[(1, 100)], false), of(&[(1, 100)]), of(&[]), of(&[])),
        ] {
            assert_eq!(confirmed.judge(&proposed, &|_| 0), (wrong, open), "{why}");
        }
        // More is granted than stands: nobody has decided about what is still open, and all have about what is not.
        let stands = confirmed(&[(1, 100)], &[], true);
        let granted = Lines::from([(OpenItemId(1), Gets { cash: 100, deduction: 20, ..Gets::default() })]);
        assert_eq!(stands.judge(&granted, &|_| 20), (Lines::new(), granted.clone()));
        assert_eq!(stands.judge(&granted, &|_| 19), (granted, Lines::new()));
    }
}
