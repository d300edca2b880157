//! What the ledger has shown: from which accounts, under which ids and names the owners of paid items pay.
//!
//! A fact is the number of payments whose cash stands on items of one customer. Taking a payment back takes its facts back, so that the same
//! ledger always gives the same knowledge, in whatever order it was read. A person may revoke a fact: from then on only what people apply
//! later counts for it. What was counted before still tells that a sign pays for strangers, so that no revoke makes the engine post more.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{ApplicationId, CustomerId, FactId, FactRef, Payer, PaymentId, SignKind};
use crate::normalise::{self, Name};

/// What a payer is recognised by: an account, an originator id or a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::matching) struct Sign {
    pub(in crate::matching) kind: SignKind,
    pub(in crate::matching) text: String,
}

/// Payments by sign and by the customer whose items they paid.
#[derive(Clone, Debug, Default)]
pub(in crate::matching) struct Learned {
    counts: HashMap<Sign, BTreeMap<u32, u32>>,
    revoked: HashMap<Sign, BTreeMap<u32, Revoked>>,
    /// What each payment taught, to be taken back.
    taught: HashMap<PaymentId, Taught>,
}

/// A payment under some signs stands on items of these customers, each with the newest application that a person made there.
#[derive(Clone, Debug)]
struct Taught {
    signs: Vec<Sign>,
    owners: Vec<(u32, Option<ApplicationId>)>,
}

/// A fact that was revoked, and what counts for it since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::matching) struct Revoked {
    pub(in crate::matching) times: u32,
    pub(in crate::matching) for_good: bool,
    pub(in crate::matching) until: Option<ApplicationId>,
    /// Payments that people applied later.
    again: u32,
}

impl Revoked {
    fn is_taught_by(&self, by_person: Option<ApplicationId>) -> bool {
        !self.for_good && by_person > self.until
    }
}

/// A customer that a sign points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::matching) struct Owner {
    pub(in crate::matching) number: u32,
    /// Payments that count for it.
    pub(in crate::matching) payments: u32,
    pub(in crate::matching) version: u32,
}

/// What becomes of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactState {
    /// It supports its customer.
    InUse,
    /// The sign has paid for strangers too, and is evidence for nobody.
    Mixed,
    /// People may teach it again.
    Revoked,
    RevokedForGood,
}

impl FactState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InUse => "in use",
            Self::Mixed => "mixed",
            Self::Revoked => "revoked",
            Self::RevokedForGood => "revoked for good",
        }
    }
}

/// A fact with the payments that count for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LearnedFact {
    pub fact: FactRef,
    pub kind: SignKind,
    /// The keyed hash of the account, the folded id, the compact name.
    pub sign: String,
    pub customer: CustomerId,
    pub state: FactState,
    pub payments: Vec<PaymentId>,
}

/// Payments that make a sign a fact.
const PAYMENTS_MIN: u32 = 3;
/// Payments for one family that outweigh one for somebody else, which may have been a mistake.
const FAMILY_PAYMENTS_PER_STRAY: u64 = 20;
/// Names shorter than this are words.
const NAME_CHARS_MIN: usize = 6;

impl Learned {
    /// The payment paid items of these customers, each once; none when nothing of it is applied any more.
    pub(in crate::matching) fn teach(
        &mut self,
        payment: PaymentId,
        payers: &[&Payer],
        owners: Vec<(u32, Option<ApplicationId>)>,
    ) {
        if let Some(known) = self.taught.remove(&payment) {
            self.count(&known, false);
        }
        if owners.is_empty() {
            return;
        }
        let mut signs: Vec<Sign> = payers
            .iter()
            .flat_map(|payer| signs(payer, payer.name.as_deref().map(Name::new).as_ref()).collect::<Vec<_>>())
            .collect();
        signs.sort_unstable();
        signs.dedup();
        let taught = Taught { signs, owners };
        self.count(&taught, true);
        self.taught.insert(payment, taught);
    }

    /// The facts that people revoked, all of them: they take the place of those known before.
    pub(in crate::matching) fn revoke(&mut self, revoked: HashMap<Sign, BTreeMap<u32, Revoked>>) {
        let bare = |revoked: &HashMap<Sign, BTreeMap<u32, Revoked>>| -> BTreeMap<(Sign, u32), Revoked> {
            let each = revoked.iter().flat_map(|(sign, by)| by.iter().map(|(owner, told)| ((sign.clone(), *owner), *told)));
            each.map(|(key, told)| (key, Revoked { again: 0, ..told })).collect()
        };
        if bare(&revoked) == bare(&self.revoked) {
            return;
        }
        self.revoked = revoked;
        self.revoked.values_mut().flat_map(BTreeMap::values_mut).for_each(|told| told.again = 0);
        for taught in self.taught.values() {
            count_again(&mut self.revoked, taught, true);
        }
    }

    /// The customers whose items were paid under a sign, with the number of payments; nothing until it is a fact, and nothing when the sign has paid
    /// for customers that are not `kin`.
    pub(in crate::matching) fn owners(&self, sign: &Sign, kin: impl Fn(u32, u32) -> bool) -> Vec<Owner> {
        let Some(counts) = self.counts.get(sign) else { return Vec::new() };
        let Some(most) = most(counts) else { return Vec::new() };
        if is_mixed(counts, most, &kin) {
            return Vec::new();
        }
        let owners = counts.iter().filter(|(owner, _)| kin(**owner, most)).map(|(owner, count)| self.owner(sign, *owner, *count));
        owners.filter(|owner| owner.payments >= PAYMENTS_MIN).collect()
    }

    /// Everything that is a fact or was one until it was revoked, in no particular order.
    pub(in crate::matching) fn facts(
        &self,
        kin: impl Fn(u32, u32) -> bool,
        customer: impl Fn(u32) -> CustomerId,
    ) -> Vec<LearnedFact> {
        let mut facts: HashMap<(&Sign, u32), LearnedFact> = HashMap::new();
        let counted =
            self.counts.iter().flat_map(|(sign, counts)| counts.iter().map(move |(owner, count)| (sign, *owner, *count)));
        let revoked = self.revoked.iter().flat_map(|(sign, by)| by.keys().map(move |owner| (sign, *owner, 0)));
        for (sign, owner, count) in counted.chain(revoked) {
            let found = self.owner(sign, owner, count);
            let told = self.revoked_of(sign, owner);
            if found.payments < PAYMENTS_MIN && told.is_none() || facts.contains_key(&(sign, owner)) {
                continue;
            }
            let counts = self.counts.get(sign);
            let mixed = counts.and_then(|counts| Some((counts, most(counts)?)));
            let mixed = mixed.is_some_and(|(counts, most)| is_mixed(counts, most, &kin) || !kin(owner, most));
            let state = match told {
                Some(told) if told.for_good => FactState::RevokedForGood,
                Some(told) if told.again < PAYMENTS_MIN => FactState::Revoked,
                _ if mixed => FactState::Mixed,
                _ => FactState::InUse,
            };
            let fact = FactRef { id: FactId::of(sign.kind, &sign.text, customer(owner)), version: found.version };
            let (kind, text, customer) = (sign.kind, sign.text.clone(), customer(owner));
            facts.insert((sign, owner), LearnedFact { fact, kind, sign: text, customer, state, payments: Vec::new() });
        }
        for (payment, taught) in &self.taught {
            for sign in &taught.signs {
                for (owner, by_person) in &taught.owners {
                    let counts = self.revoked_of(sign, *owner).is_none_or(|told| told.is_taught_by(*by_person));
                    if let Some(fact) = facts.get_mut(&(sign, *owner)).filter(|_| counts) {
                        fact.payments.push(*payment);
                    }
                }
            }
        }
        facts.into_values().collect()
    }

    fn owner(&self, sign: &Sign, number: u32, count: u32) -> Owner {
        match self.revoked_of(sign, number) {
            None => Owner { number, payments: count, version: 1 },
            Some(told) => Owner { number, payments: told.again, version: 1 + told.times },
        }
    }

    fn revoked_of(&self, sign: &Sign, owner: u32) -> Option<&Revoked> {
        if self.revoked.is_empty() {
            return None;
        }
        self.revoked.get(sign)?.get(&owner)
    }

    fn count(&mut self, taught: &Taught, more: bool) {
        for sign in &taught.signs {
            let counts = self.counts.entry(sign.clone()).or_default();
            for (owner, _) in &taught.owners {
                let count = counts.entry(*owner).or_default();
                *count = if more { count.saturating_add(1) } else { count.saturating_sub(1) };
                if *count == 0 {
                    counts.remove(owner);
                }
            }
            if counts.is_empty() {
                self.counts.remove(sign);
            }
        }
        if !self.revoked.is_empty() {
            count_again(&mut self.revoked, taught, more);
        }
    }
}

/// Counts for revoked facts what people applied since.
fn count_again(revoked: &mut HashMap<Sign, BTreeMap<u32, Revoked>>, taught: &Taught, more: bool) {
    for sign in &taught.signs {
        let Some(by) = revoked.get_mut(sign) else { continue };
        for (owner, by_person) in &taught.owners {
            if let Some(told) = by.get_mut(owner).filter(|told| told.is_taught_by(*by_person)) {
                told.again = if more { told.again.saturating_add(1) } else { told.again.saturating_sub(1) };
            }
        }
    }
}

/// The customer for which most was paid; the first of several.
fn most(counts: &BTreeMap<u32, u32>) -> Option<u32> {
    counts.iter().max_by_key(|(owner, count)| (**count, std::cmp::Reverse(**owner))).map(|(owner, _)| *owner)
}

/// Whether more was paid for customers outside of the family of one than a rare mistake explains.
fn is_mixed(counts: &BTreeMap<u32, u32>, most: u32, kin: &impl Fn(u32, u32) -> bool) -> bool {
    let total: u32 = counts.values().sum();
    let family: u32 = counts.iter().filter(|(owner, _)| kin(**owner, most)).map(|(_, count)| count).sum();
    u64::from(total - family) * FAMILY_PAYMENTS_PER_STRAY > u64::from(family)
}

/// Everything a payer may be recognised by; `name` is its name, read.
pub(in crate::matching) fn signs(payer: &Payer, name: Option<&Name>) -> impl Iterator<Item = Sign> {
    let account = payer.account.as_ref().map(|account| (SignKind::Account, account.0.clone()));
    let id = payer.id.as_deref().map(normalise::fold).filter(|id| !id.is_empty()).map(|id| (SignKind::Id, id));
    let name = name.map(|name| &name.compact).filter(|name| name.len() >= NAME_CHARS_MIN);
    let signs = account.into_iter().chain(id).chain(name.cloned().map(|name| (SignKind::Name, name)));
    signs.map(|(kind, text)| Sign { kind, text })
}
