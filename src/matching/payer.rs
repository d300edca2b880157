//! Who paid: every customer the payment points to, with what points to it.
//!
//! Account, originator id and code identify; a name supports. References vote later, when the items they name are known.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::limits::NAMES_MAX;
use super::snapshot::{Customers, Owner, Snapshot, signs};
use super::trail::{Trail, evidence, excerpt};
use crate::domain::{CustomerId, EvidenceItem, FactId, FactRef, Payer, SignKind};
use crate::normalise::{self, Name, similarity_milli};
use crate::rules::{MayPay, RelationKind, RuleSet};

/// How well a name agrees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NameMatch {
    #[default]
    None,
    /// Resembles it.
    Weak,
    /// Is a beginning that several names share, cut as banks cut: references tell which of them it is.
    Shared,
    /// Is the name or a known alias, or the cut beginning of one name only.
    Strong,
}

/// A customer that something points to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pointed {
    /// Internal number of the customer.
    pub(super) number: u32,
    pub(super) account: bool,
    pub(super) id: bool,
    pub(super) name: NameMatch,
    /// A person said so.
    pub(super) confirmed: bool,
    /// Master data says so too, or a person; habit alone does not make strangers of others.
    pub(super) recorded: bool,
    pub(super) points_milli: i64,
}

impl Pointed {
    /// Whether this alone says who paid.
    pub(super) fn is_strong(&self) -> bool {
        self.account || self.id || self.confirmed || self.name == NameMatch::Strong
    }
}

/// Customers the payment points to, in id order.
#[derive(Clone, Debug, Default)]
pub(super) struct PayerView {
    pub(super) pointed: BTreeMap<CustomerId, Pointed>,
    /// The payment carries an account that no customer is known by.
    pub(super) account_unknown: bool,
    /// The payer's name as written.
    pub(super) name: String,
}

/// How the payer stands to the customer of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Someone else is identified, and nothing lets it pay for this customer.
    Stranger,
    /// Someone else is identified, and a person confirms each time that it may pay.
    Asks,
    /// Nobody is identified.
    Unknown,
    /// A name that resembles this customer's.
    Resembles,
    /// A dated relation lets the payer pay for it.
    Related,
    /// Of one family by parent.
    Family,
    Same,
}

impl Standing {
    pub(super) const fn points_milli(self) -> i64 {
        match self {
            Self::Stranger => -6_000,
            Self::Asks => -1_000,
            Self::Unknown => 0,
            Self::Resembles => 1_500,
            Self::Related => 2_500,
            Self::Family => 2_700,
            Self::Same => 3_000,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Stranger => "not related",
            Self::Asks => "related, to be confirmed",
            Self::Unknown => "unknown",
            Self::Resembles => "resembles",
            Self::Related => "related",
            Self::Family => "family",
            Self::Same => "same",
        }
    }

    /// Something points to the customer or to one that may pay for it.
    pub(super) const fn is_pointed(self) -> bool {
        matches!(self, Self::Resembles | Self::Related | Self::Family | Self::Same)
    }

    /// The payer is identified and may pay.
    pub(super) const fn may_pay(self) -> bool {
        matches!(self, Self::Related | Self::Family | Self::Same)
    }
}

impl PayerView {
    /// Customers strongly pointed to, best first.
    pub(super) fn strong(&self) -> Vec<&Pointed> {
        let mut strong: Vec<&Pointed> = self.pointed.values().filter(|pointed| pointed.is_strong()).collect();
        strong.sort_by_key(|pointed| std::cmp::Reverse(pointed.points_milli));
        strong
    }

    /// Master data or a person says who paid. What the ledger has shown supports a customer, and does not make strangers of the others.
    pub(super) fn is_identified(&self) -> bool {
        self.pointed.values().any(|pointed| pointed.recorded && pointed.is_strong())
    }

    /// Customers whose items may be paid when nothing is named: those strongly pointed to and the members of their families they may pay for, or
    /// else those that share the name.
    pub(super) fn likely(&self, customers: &Customers) -> Vec<u32> {
        let mut strong: Vec<u32> = self.strong().iter().map(|pointed| pointed.number).collect();
        if strong.is_empty() {
            return self
                .pointed
                .values()
                .filter(|pointed| pointed.name == NameMatch::Shared)
                .map(|pointed| pointed.number)
                .collect();
        }
        for at in 0..strong.len() {
            let children = customers.children(strong[at]).iter().copied().take(FAMILY_MAX);
            strong.extend(children);
        }
        let mut once = BTreeSet::new();
        strong.retain(|number| once.insert(*number));
        strong
    }

    /// How the payer stands to the owner of an item, and what points to the one through whom it does.
    pub(super) fn standing(
        &self,
        owner: u32,
        snapshot: &Snapshot,
        rules: &RuleSet,
        day: NaiveDate,
    ) -> (Standing, Option<&Pointed>) {
        let nobody = if self.is_identified() { Standing::Stranger } else { Standing::Unknown };
        let mut best: (Standing, Option<&Pointed>) = (nobody, None);
        for pointed in self.pointed.values() {
            let Some(standing) = may_pay(pointed.number, owner, &snapshot.customers, rules, day) else { continue };
            let standing = if pointed.is_strong() { standing } else { Standing::Resembles };
            let better = match best {
                (_, None) => standing >= best.0 || standing == Standing::Asks,
                (known, Some(other)) => (standing, pointed.points_milli) > (known, other.points_milli),
            };
            if better {
                best = (standing, Some(pointed));
            }
        }
        best
    }
}

/// What lets one customer pay for another.
fn may_pay(payer: u32, owner: u32, customers: &Customers, rules: &RuleSet, day: NaiveDate) -> Option<Standing> {
    if payer == owner {
        return Some(Standing::Same);
    }
    let family = customers.kinship(payer, owner).map(|kind| rules.payers.relation(kind, None, None, day));
    let stored = customers.relation(payer, owner, day).and_then(|relation| {
        RelationKind::parse(&relation.kind).map(|kind| rules.payers.relation(kind, Some(relation.from), relation.until, day))
    });
    let written = rules.for_customer(Some(customers.code(owner))).may_pay(customers.code(payer), customers.code(owner), day);
    match (family, stored, written) {
        (Some(MayPay::Yes { .. }), _, _) => Some(Standing::Family),
        (_, Some(MayPay::Yes { .. }), _) | (_, _, MayPay::Yes { .. }) => Some(Standing::Related),
        (Some(MayPay::Ask { .. }), _, _) | (_, Some(MayPay::Ask { .. }), _) | (_, _, MayPay::Ask { .. }) => Some(Standing::Asks),
        _ => None,
    }
}

/// Points of what identifies and supports, log-odds in thousandths.
mod points {
    pub(super) const CONFIRMED: i64 = 9_000;
    pub(super) const ACCOUNT: i64 = 7_000;
    pub(super) const ORIGINATOR: i64 = 6_000;
    pub(super) const LEARNED_ACCOUNT: i64 = 5_000;
    pub(super) const LEARNED_NAME: i64 = 3_500;
    pub(super) const NAME: i64 = 4_500;
    pub(super) const NAME_CUT: i64 = 3_500;
    pub(super) const NAME_MISSPELT: i64 = 3_000;
    pub(super) const NAME_ALIKE: i64 = 2_000;
    /// Lost when a second customer is pointed to by the same thing.
    pub(super) const SHARED: i64 = 700;
}

/// Finds whom the payment points to, and says so in the trail.
pub(super) fn identify<'t>(
    payers: &[&Payer],
    texts: impl Iterator<Item = &'t str>,
    snapshot: &Snapshot,
    rules: &RuleSet,
    trail: &mut Trail,
) -> PayerView {
    let customers = &snapshot.customers;
    let mut view = PayerView::default();
    let mut found = Vec::new();
    for payer in payers {
        if let Some(number) = payer.customer.and_then(|id| customers.find(id)) {
            point(&mut view, customers, number, points::CONFIRMED, |pointed| {
                (pointed.confirmed, pointed.recorded) = (true, true)
            });
            found.push(evidence("payer", "", &label(customers, number), "confirmed", points::CONFIRMED, None));
        }
        by_account(payer, customers, &mut view, &mut found);
        by_id(payer, customers, &mut view, &mut found);
    }
    for payer in payers {
        by_history(payer, snapshot, &mut view, &mut found);
    }
    by_code_in_text(texts, customers, &mut view, &mut found);
    // Who is known by an id needs no account to be known by.
    view.account_unknown &= !view.pointed.values().any(|pointed| pointed.id);
    for payer in payers {
        by_name(payer, rules, customers, &mut view, &mut found);
    }
    let text = match view.strong().as_slice() {
        [] if view.pointed.is_empty() => "nothing on the payment says who paid".to_owned(),
        [] => "the payer's name resembles a customer's, which is not enough to say who paid".to_owned(),
        [one] => format!("the payer is {}", label(customers, one.number)),
        several => format!("the payer is one of {} customers known by the same data", several.len()),
    };
    // The order in which customers were fed must not show.
    found.sort_by(|a, b| (&a.field, -a.points_milli, &a.ours).cmp(&(&b.field, -b.points_milli, &b.ours)));
    found.dedup();
    trail.note_with("payer", None, text, found);
    view
}

fn by_account(payer: &Payer, customers: &Customers, view: &mut PayerView, found: &mut Vec<EvidenceItem>) {
    let Some(account) = &payer.account else { return };
    let owners = customers.with_account(account);
    view.account_unknown |= owners.is_empty();
    let shown = payer.account_last4.as_deref().map(|last4| format!("••••{last4}")).unwrap_or_default();
    let points = points::ACCOUNT - shared(owners.len());
    for &number in owners {
        point(view, customers, number, points, |pointed| (pointed.account, pointed.recorded) = (true, true));
        found.push(evidence("payer_account", &shown, &label(customers, number), "exact", points, None));
    }
}

/// A customer's code among the words of a text; plain numbers and plain words are too common to be one.
fn by_code_in_text<'t>(
    texts: impl Iterator<Item = &'t str>,
    customers: &Customers,
    view: &mut PayerView,
    found: &mut Vec<EvidenceItem>,
) {
    for word in texts.flat_map(|text| text.split_whitespace().take(TEXT_WORDS_MAX)) {
        let folded = normalise::fold(word);
        if folded.len() < CODE_CHARS_MIN || normalise::is_plain_number(&folded) || normalise::digits(&folded) == 0 {
            continue;
        }
        if let [number] = customers.with_code(&folded) {
            point(view, customers, *number, points::ORIGINATOR, |pointed| (pointed.id, pointed.recorded) = (true, true));
            found.push(evidence("customer_code", word, &label(customers, *number), "exact", points::ORIGINATOR, None));
        }
    }
}

/// Words of a text in which a customer's code is looked for.
const TEXT_WORDS_MAX: usize = 64;
/// Shorter codes are syllables.
const CODE_CHARS_MIN: usize = 4;

/// Whose items were paid from this account, under this id or name before. Who pays for strangers, as a processor or a factor does, is evidence for
/// none of them.
fn by_history(payer: &Payer, snapshot: &Snapshot, view: &mut PayerView, found: &mut Vec<EvidenceItem>) {
    for sign in signs(payer) {
        let owners = snapshot.learned.owners(&sign, |a, b| snapshot.customers.root(a) == snapshot.customers.root(b));
        let (field, shown, points) = match sign.kind {
            SignKind::Account => {
                view.account_unknown &= owners.is_empty();
                ("payer_account", payer.account_last4.as_deref().map(|last4| format!("••••{last4}")), points::LEARNED_ACCOUNT)
            }
            SignKind::Id => ("originator_id", payer.id.clone(), points::LEARNED_ACCOUNT),
            SignKind::Name => ("payer_name", payer.name.clone(), points::LEARNED_NAME),
        };
        let points = points - shared(owners.len());
        for Owner { number, payments, version } in owners {
            point(view, &snapshot.customers, number, points, |pointed| match sign.kind {
                SignKind::Account => pointed.account = true,
                SignKind::Id => pointed.id = true,
                SignKind::Name => pointed.name = pointed.name.max(NameMatch::Strong),
            });
            let level = format!("learned from {payments} payments");
            let shown = shown.as_deref().unwrap_or_default();
            let id = FactId::of(sign.kind, &sign.text, snapshot.customers.id(number));
            let said = evidence(field, shown, &label(&snapshot.customers, number), &level, points, None);
            found.push(EvidenceItem { fact: Some(FactRef { id, version }), ..said });
        }
    }
}

fn by_id(payer: &Payer, customers: &Customers, view: &mut PayerView, found: &mut Vec<EvidenceItem>) {
    let Some(written) = payer.id.as_deref() else { return };
    let folded = normalise::fold(written);
    for (field, owners) in
        [("originator_id", customers.with_originator(&folded)), ("customer_code", customers.with_code(&folded))]
    {
        let points = points::ORIGINATOR - shared(owners.len());
        for &number in owners {
            point(view, customers, number, points, |pointed| (pointed.id, pointed.recorded) = (true, true));
            found.push(evidence(field, written, &label(customers, number), "exact", points, None));
        }
    }
}

fn by_name(payer: &Payer, rules: &RuleSet, customers: &Customers, view: &mut PayerView, found: &mut Vec<EvidenceItem>) {
    let Some(written) = payer.name.as_deref().filter(|name| name.len() <= 256) else { return };
    if view.name.is_empty() {
        view.name = excerpt(written);
    }
    // Banks put codes before a name; the name without its first words is tried when the whole says nothing.
    let whole = Name::new(written);
    for (tail, name) in (0..=LEAD_WORDS_MAX).filter_map(|count| without_lead(written, count)) {
        if name.compact.len() < rules.payers.alias.length_min.max(4) {
            continue;
        }
        // A blank at the cut falls away, so that a cut name may be one shorter.
        let length = tail.trim().chars().count();
        let at_cut = rules.payers.alias.cut_lengths.iter().any(|cut| length == *cut || length + 1 == *cut);
        let mut owners = customers.with_stem(&name.stem).to_vec();
        let exact = !owners.is_empty();
        // After a code was dropped, one word is too little to be the beginning of a name.
        let telling = name.words.len() == whole.words.len() || name.words.len() >= 2;
        if name.compact.len() >= 10 && telling && (at_cut || !exact) {
            owners.extend(customers.beginning_with(&name.compact, NAMES_MAX));
            owners.sort_unstable();
            owners.dedup();
        }
        if !owners.is_empty() && owners.len() < NAMES_MAX {
            let (strength, points) = match (owners.len(), exact) {
                (1, true) => (NameMatch::Strong, points::NAME),
                (1, false) => (NameMatch::Strong, points::NAME_CUT),
                (_, true) if !at_cut => (NameMatch::Strong, points::NAME),
                _ => (NameMatch::Shared, points::NAME_CUT),
            };
            let level = if exact { "exact" } else { "cut" };
            return named(&owners, strength, points, level, written, customers, view, found);
        }
    }
    if let Some(number) = misspelt(written, customers) {
        return named(&[number], NameMatch::Strong, points::NAME_MISSPELT, "misspelt", written, customers, view, found);
    }
    let alike: Vec<u32> = customers
        .sharing_a_word(&whole, NAMES_MAX)
        .into_iter()
        .filter(|number| customers.names(*number).iter().any(|ours| similarity_milli(&whole, ours) >= 850))
        .collect();
    named(&alike, NameMatch::Weak, points::NAME_ALIKE, "alike", written, customers, view, found);
}

/// Members of a family whose items are looked at for an amount alone.
const FAMILY_MAX: usize = 16;

/// Words that a bank may put before a name.
const LEAD_WORDS_MAX: usize = 3;

/// What is written after the first `count` words, and the name it is.
fn without_lead(written: &str, count: usize) -> Option<(&str, Name)> {
    let mut tail = written.trim();
    for _ in 0..count {
        let word = tail.find(|c: char| !c.is_alphanumeric())?;
        let rest = tail[word..].trim_start_matches(|c: char| !c.is_alphanumeric());
        tail = rest;
    }
    let name = Name::new(tail);
    (!name.is_empty()).then_some((tail, name))
}

/// The one customer whose long name differs from what is written by a slip or two, where no other comes near.
fn misspelt(written: &str, customers: &Customers) -> Option<u32> {
    for (_, name) in (0..=LEAD_WORDS_MAX).filter_map(|count| without_lead(written, count)) {
        if name.stem.len() < MISSPELT_LENGTH_MIN {
            break;
        }
        let mut near: Vec<(usize, u32)> = Vec::new();
        for number in customers.sharing_a_word(&name, NAMES_MAX) {
            let away = |ours: &Name| {
                let apart = |a: &str, b: &str| (a.len().abs_diff(b.len()) <= MISSPELT_RIVAL).then(|| strsim::osa_distance(a, b));
                [apart(&name.stem, &ours.stem), apart(&name.compact, &ours.compact)].into_iter().flatten().min()
            };
            let nearest = customers.names(number).iter().filter_map(away).min();
            near.extend(nearest.filter(|edits| *edits <= MISSPELT_RIVAL).map(|edits| (edits, number)));
        }
        near.sort_unstable();
        match near.as_slice() {
            [(edits, number)] if *edits <= MISSPELT_EDITS => return Some(*number),
            [] => {}
            _ => return None,
        }
    }
    None
}

/// Shorter names have neighbours by chance.
const MISSPELT_LENGTH_MIN: usize = 12;
/// Slips in a name that is still the name.
const MISSPELT_EDITS: usize = 2;
/// Another name as near as this makes a slip a guess.
const MISSPELT_RIVAL: usize = 4;

#[expect(clippy::too_many_arguments, reason = "one way of naming with its words; a struct would only repeat them")]
fn named(
    owners: &[u32],
    strength: NameMatch,
    points: i64,
    level: &str,
    written: &str,
    customers: &Customers,
    view: &mut PayerView,
    found: &mut Vec<EvidenceItem>,
) {
    let points = (points - shared(owners.len())).max(200);
    for &number in owners {
        point(view, customers, number, points, |pointed| {
            pointed.name = pointed.name.max(strength);
            pointed.recorded |= strength == NameMatch::Strong;
        });
        found.push(evidence("payer_name", written, &label(customers, number), level, points, None));
    }
}

fn point(view: &mut PayerView, customers: &Customers, number: u32, points: i64, mark: impl FnOnce(&mut Pointed)) {
    let pointed = view.pointed.entry(customers.id(number)).or_default();
    pointed.number = number;
    pointed.points_milli += points;
    mark(pointed);
}

/// What is lost when several customers answer: about the logarithm of their number.
fn shared(owners: usize) -> i64 {
    points::SHARED * i64::from(owners.max(1).ilog2())
}

/// A customer for people: its code, or its id while it has none.
pub(super) fn label(customers: &Customers, number: u32) -> String {
    match customers.code(number) {
        "" => customers.id(number).to_string(),
        code => code.to_owned(),
    }
}
