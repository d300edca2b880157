//! Who paid: every customer the payment points to, with what points to it.
//!
//! Account, originator id and code identify; a name supports. References vote later, when the items they name are known.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::likeness::{ALIKE_MAX, ALIKE_MILLI, Likeness, SHORTENED_MILLI, misspelt};
use super::limits::NAMES_MAX;
use super::snapshot::{Customers, Owner, Snapshot, signs};
use super::trail::{Trail, evidence, excerpt};
use crate::domain::{CustomerId, EvidenceItem, FactId, FactRef, Payer, SignKind};
use crate::normalise::{self, Name, similarity_milli};
use crate::rules::{IdentifyBy, MayPay, RelationKind, RuleSet};

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
    /// Master data says so too; habit alone does not make strangers of others.
    pub(super) recorded: bool,
    pub(super) points_milli: i64,
}

impl Pointed {
    /// Whether this alone says who paid.
    pub(super) fn is_strong(&self) -> bool {
        self.account || self.id || self.name == NameMatch::Strong
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
    /// Whom the cash by itself strongly points to, before the advice was asked.
    by_cash: Vec<u32>,
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

    /// Master data says who paid. What the ledger has shown supports a customer, and does not make strangers of the others.
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

    /// Whether the cash by itself points to one that may pay for this customer.
    pub(super) fn cash_may_pay(&self, owner: u32, snapshot: &Snapshot, rules: &RuleSet, day: NaiveDate) -> bool {
        let pays = |payer: &u32| may_pay(*payer, owner, &snapshot.customers, rules, day).is_some_and(Standing::may_pay);
        self.by_cash.iter().any(pays)
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

/// Looks for whom a payment points to: first by what its cash says, then, where that does not tell, by what its advice says.
pub(super) struct Search<'a> {
    snapshot: &'a Snapshot,
    rules: &'a RuleSet,
    view: PayerView,
    /// Nothing was paid from the accounts before.
    account_unused: bool,
    found: Vec<(Stage, EvidenceItem)>,
}

/// What evidence comes from; of equal pieces the earlier stage is told first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Recorded,
    History,
    Text,
    Name,
}

impl<'a> Search<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, rules: &'a RuleSet) -> Self {
        Self { snapshot, rules, view: PayerView::default(), account_unused: true, found: Vec::new() }
    }

    /// Asks what a payer is described by. Whose payment it was found to be before is no evidence: that was the engine's own finding.
    pub(super) fn ask(&mut self, payer: &Payer) {
        let name = payer.name.as_deref().map(Name::new);
        self.by_account(payer);
        self.by_id(payer);
        self.by_history(payer, name.as_ref());
        if let (Some(written), Some(name)) = (payer.name.as_deref(), name) {
            self.by_name(written, name);
        }
    }

    /// What was asked so far is all that the cash says.
    pub(super) fn cash_is_asked(&mut self) {
        self.view.by_cash = self.view.strong().iter().map(|pointed| pointed.number).collect();
    }

    /// Whether master data says who paid.
    pub(super) fn is_identified(&self) -> bool {
        self.view.is_identified()
    }

    /// Whom everything asked points to; the trail says so.
    pub(super) fn finish(mut self, trail: &mut Trail) -> PayerView {
        let view = &mut self.view;
        // Who is known by an id needs no account to be known by.
        view.account_unknown &= self.account_unused && !view.pointed.values().any(|pointed| pointed.id);
        let text: Cow<'static, str> = match view.strong().as_slice() {
            [] if view.pointed.is_empty() => "nothing on the payment says who paid".into(),
            [] => "the payer's name resembles a customer's, which is not enough to say who paid".into(),
            [one] => format!("the payer is {}", label(&self.snapshot.customers, one.number)).into(),
            several => format!("the payer is one of {} customers known by the same data", several.len()).into(),
        };
        // The order in which customers were fed must not show.
        self.found.sort_by(|(a_stage, a), (b_stage, b)| {
            (&a.field, -a.points_milli, &a.ours, a_stage).cmp(&(&b.field, -b.points_milli, &b.ours, b_stage))
        });
        let mut found: Vec<EvidenceItem> = self.found.into_iter().map(|(_, item)| item).collect();
        found.dedup();
        trail.note_with("payer", None, text, found);
        self.view
    }

    /// Points to a customer and keeps the evidence.
    #[expect(clippy::too_many_arguments, reason = "one piece of evidence; a struct would only repeat it")]
    fn point(
        &mut self,
        stage: Stage,
        field: &'static str,
        theirs: &str,
        number: u32,
        level: Cow<'static, str>,
        points_milli: i64,
        mark: impl FnOnce(&mut Pointed),
    ) {
        let customers = &self.snapshot.customers;
        let pointed = self.view.pointed.entry(customers.id(number)).or_default();
        pointed.number = number;
        pointed.points_milli += points_milli;
        mark(pointed);
        self.found.push((stage, evidence(field, theirs, &label(customers, number), level, points_milli, None)));
    }

    /// Whether the rules let a payer be found to be this customer in that way.
    fn may(&self, way: IdentifyBy, number: u32) -> bool {
        self.rules.for_customer(Some(self.snapshot.customers.code(number))).identifies(way)
    }

    fn by_account(&mut self, payer: &Payer) {
        let Some(account) = &payer.account else { return };
        let owners = self.snapshot.customers.with_account(account);
        self.view.account_unknown |= owners.is_empty();
        let points = points::ACCOUNT - shared(owners.len());
        for &number in owners {
            if !self.may(IdentifyBy::Account, number) {
                continue;
            }
            let mark = |pointed: &mut Pointed| (pointed.account, pointed.recorded) = (true, true);
            self.point(Stage::Recorded, "payer_account", &shown(payer), number, "exact".into(), points, mark);
        }
    }

    /// A customer's code among the words of a text; plain numbers and plain words are too common to be one.
    pub(super) fn read(&mut self, text: &str) {
        let customers = &self.snapshot.customers;
        for word in text.split_whitespace().take(TEXT_WORDS_MAX) {
            if normalise::digits(word) == 0 {
                continue;
            }
            let folded = normalise::fold(word);
            if folded.len() < CODE_CHARS_MIN || normalise::is_plain_number(&folded) {
                continue;
            }
            if let [number] = customers.with_code(&folded)
                && self.may(IdentifyBy::OriginatorId, *number)
            {
                let mark = |pointed: &mut Pointed| (pointed.id, pointed.recorded) = (true, true);
                self.point(Stage::Text, "customer_code", word, *number, "exact".into(), points::ORIGINATOR, mark);
            }
        }
    }

    /// Whose items were paid from this account, under this id or name before. Who pays for strangers, as a processor or a factor does, is evidence for
    /// none of them.
    fn by_history(&mut self, payer: &Payer, name: Option<&Name>) {
        let customers = &self.snapshot.customers;
        for sign in signs(payer, name) {
            let owners = self.snapshot.learned.owners(&sign, |a, b| customers.root(a) == customers.root(b));
            if sign.kind == SignKind::Account {
                self.account_unused &= owners.is_empty();
            }
            let all = owners.len();
            for Owner { number, payments, version } in owners {
                let way = match sign.kind {
                    SignKind::Account => IdentifyBy::Account,
                    SignKind::Id => IdentifyBy::OriginatorId,
                    SignKind::Name => IdentifyBy::Alias,
                };
                if !self.may(way, number) {
                    continue;
                }
                let level = format!("learned from {payments} payments").into();
                let (field, theirs, points, mark): (_, _, _, fn(&mut Pointed)) = match sign.kind {
                    SignKind::Account => ("payer_account", shown(payer).into(), points::LEARNED_ACCOUNT, |it| it.account = true),
                    SignKind::Id => {
                        ("originator_id", Cow::from(payer.id.as_deref().unwrap_or_default()), points::LEARNED_ACCOUNT, |it| {
                            it.id = true
                        })
                    }
                    SignKind::Name => {
                        let written = Cow::from(payer.name.as_deref().unwrap_or_default());
                        ("payer_name", written, points::LEARNED_NAME, |it| it.name = it.name.max(NameMatch::Strong))
                    }
                };
                self.point(Stage::History, field, &theirs, number, level, points - shared(all), mark);
                let fact = FactRef { id: FactId::of(sign.kind, &sign.text, customers.id(number)), version };
                if let Some((_, said)) = self.found.last_mut() {
                    said.fact = Some(fact);
                }
            }
        }
    }

    fn by_id(&mut self, payer: &Payer) {
        let Some(written) = payer.id.as_deref() else { return };
        let folded = normalise::fold(written);
        let customers = &self.snapshot.customers;
        for (field, owners) in
            [("originator_id", customers.with_originator(&folded)), ("customer_code", customers.with_code(&folded))]
        {
            let points = points::ORIGINATOR - shared(owners.len());
            for &number in owners {
                if !self.may(IdentifyBy::OriginatorId, number) {
                    continue;
                }
                let mark = |pointed: &mut Pointed| (pointed.id, pointed.recorded) = (true, true);
                self.point(Stage::Recorded, field, written, number, "exact".into(), points, mark);
            }
        }
    }

    fn by_name(&mut self, written: &str, whole: Name) {
        if written.len() > NAME_BYTES_MAX {
            return;
        }
        if self.view.name.is_empty() {
            self.view.name = excerpt(written);
        }
        let customers = &self.snapshot.customers;
        let rules = &self.rules.payers.alias;
        let words = whole.words().len();
        // Banks put codes before a name; the name without its first words is tried when the whole says nothing.
        let mut leads: Vec<(Name, bool)> = Vec::with_capacity(LEAD_WORDS_MAX + 1);
        let mut whole = Some(whole);
        for count in 0..=LEAD_WORDS_MAX {
            let Some(tail) = without_lead(written, count) else { break };
            let name = whole.take().unwrap_or_else(|| Name::new(tail));
            if name.is_empty() {
                continue;
            }
            // A blank at the cut falls away, so that a cut name may be one shorter.
            let length = tail.chars().count();
            let at_cut = rules.cut_lengths.iter().any(|cut| length == *cut || length + 1 == *cut);
            leads.push((name, at_cut));
            let name = &leads[leads.len() - 1].0;
            if name.compact.len() < rules.length_min.max(4) {
                continue;
            }
            let mut owners = Cow::Borrowed(customers.with_stem(&name.stem));
            let exact = !owners.is_empty();
            // After a code was dropped, one word is too little to be the beginning of a name.
            let telling = name.words().len() == words || name.words().len() >= 2;
            if name.compact.len() >= 10 && telling && (at_cut || !exact) {
                let all = owners.to_mut();
                all.extend(customers.beginning_with(&name.compact, NAMES_MAX));
                all.sort_unstable();
                all.dedup();
            }
            if !owners.is_empty() && owners.len() < NAMES_MAX {
                let (strength, points) = match (owners.len(), exact) {
                    (1, true) => (NameMatch::Strong, points::NAME),
                    (1, false) => (NameMatch::Strong, points::NAME_CUT),
                    (_, true) if !at_cut => (NameMatch::Strong, points::NAME),
                    _ => (NameMatch::Shared, points::NAME_CUT),
                };
                let likeness = if exact { Likeness::Exact(name) } else { Likeness::Cut };
                return self.named(&owners, strength, points, likeness, written);
            }
        }
        let near = misspelt(&leads, customers);
        match near.as_slice() {
            [] => {}
            [one] => return self.named(&[*one], NameMatch::Strong, points::NAME_MISSPELT, Likeness::Misspelt, written),
            several => return self.named(several, NameMatch::Shared, points::NAME_MISSPELT, Likeness::Misspelt, written),
        }
        let Some((whole, _)) = leads.first() else { return };
        let mut alike: Vec<(u32, u32)> = customers
            .sharing_a_word(whole, NAMES_MAX)
            .into_iter()
            .filter_map(|number| {
                let names = customers.names(number).iter();
                Some((number, names.filter_map(|ours| similarity_milli(whole, ours, ALIKE_MILLI)).max()?))
            })
            .collect();
        // Words shortened, and few names like it: references or amounts tell which of them it is.
        let shortened = alike.len() <= ALIKE_MAX && alike.iter().all(|(_, milli)| *milli >= SHORTENED_MILLI);
        let strength = if shortened { NameMatch::Shared } else { NameMatch::Weak };
        let alike: Vec<u32> = alike.drain(..).map(|(number, _)| number).collect();
        self.named(&alike, strength, points::NAME_ALIKE, Likeness::Alike, written);
    }

    fn named(&mut self, owners: &[u32], strength: NameMatch, points: i64, likeness: Likeness<'_>, written: &str) {
        let points = (points - shared(owners.len())).max(200);
        for &number in owners {
            if !self.may(likeness.way(number, &self.snapshot.customers), number) {
                continue;
            }
            let mark = |pointed: &mut Pointed| {
                pointed.name = pointed.name.max(strength);
                pointed.recorded |= strength == NameMatch::Strong;
            };
            self.point(Stage::Name, "payer_name", written, number, likeness.as_str().into(), points, mark);
        }
    }
}

/// An account for people: its last characters, where they are known.
fn shown(payer: &Payer) -> String {
    payer.account_last4.as_deref().map(|last4| format!("••••{last4}")).unwrap_or_default()
}

/// Words of a text in which a customer's code is looked for.
const TEXT_WORDS_MAX: usize = 64;
/// Shorter codes are syllables.
const CODE_CHARS_MIN: usize = 4;
/// Longer names are texts.
const NAME_BYTES_MAX: usize = 256;

/// Members of a family whose items are looked at for an amount alone.
const FAMILY_MAX: usize = 16;

/// Words that a bank may put before a name.
const LEAD_WORDS_MAX: usize = 3;

/// What is written after the first `count` words.
fn without_lead(written: &str, count: usize) -> Option<&str> {
    let mut tail = written.trim();
    for _ in 0..count {
        let word = tail.find(|c: char| !c.is_alphanumeric())?;
        tail = tail[word..].trim_start_matches(|c: char| !c.is_alphanumeric());
    }
    Some(tail.trim())
}

/// What is lost when several customers answer: about the logarithm of their number.
fn shared(owners: usize) -> i64 {
    points::SHARED * i64::from(owners.max(1).ilog2())
}

/// A customer for people: its code, or its id while it has none.
pub(super) fn label(customers: &Customers, number: u32) -> Cow<'_, str> {
    match customers.code(number) {
        "" => customers.id(number).to_string().into(),
        code => code.into(),
    }
}
