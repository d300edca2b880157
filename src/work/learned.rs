//! What the ledger taught, for people: each fact with who taught it, what it drove, and what became of that; and its revocation.
//!
//! What is a fact is asked of the snapshot that decisions are made on, so that nothing is listed which the engine does not know.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt::Display,
};

use chrono::NaiveDate;
use serde::{Serialize, Serializer};

use super::{engine::Engine, matcher::Matcher};
use crate::{
    domain::{Currency, CustomerId, DecisionId, FactId, FactRef, PaymentId, Revocation, SignKind},
    ledger::{self, Mandate, Refusal, Withdrawal},
    matching::{FactState, LearnedFact},
    store::{DecidedMove, FactUse, StoredRevocation, Teaching, Tx},
};

/// A learned fact as people see it.
#[derive(Clone, Debug, Serialize)]
pub struct ListedFact {
    pub fact: String,
    pub version: u32,
    pub kind: SignKind,
    /// The id or name in the form that is compared; of an account the last four characters.
    pub sign: String,
    pub customer: String,
    pub state: FactState,
    /// Payments and items that count for it now.
    pub payments: u64,
    pub items: u64,
    pub taught_by: Vec<Teacher>,
    /// Decisions whose evidence names it, whatever else spoke for the payer.
    pub decisions: u64,
    /// Of these: decisions that moved money.
    pub posted: u64,
    pub cash: Vec<DrivenCash>,
    pub revoked: Vec<StoredRevocation>,
    #[serde(skip)]
    learned: LearnedFact,
}

/// Who applied the payments that count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Teacher {
    /// `engine`, or a person.
    pub actor: String,
    pub payments: u64,
    pub items: u64,
    pub first_day: NaiveDate,
    pub last_day: NaiveDate,
}

/// What the engine posted on a fact, and how much of it still stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DrivenCash {
    pub currency: Currency,
    pub posted_minor: i64,
    pub standing_minor: i64,
}

/// A payment that a fact touched.
#[derive(Clone, Debug, Serialize)]
pub struct Touched {
    #[serde(serialize_with = "written")]
    pub payment: PaymentId,
    pub state: &'static str,
    pub currency: Currency,
    pub amount_minor: i64,
    #[serde(serialize_with = "written")]
    pub decision: DecisionId,
    pub business_day: NaiveDate,
    pub rule: String,
    /// The version of the fact that the decision stood on.
    pub version: u32,
    /// Whether that decision moved money; a person was offered it otherwise.
    pub posted: bool,
    pub applications: Vec<TouchedApplication>,
}

impl Touched {
    /// Cash that the decision posted and nobody undid.
    pub fn standing_minor(&self) -> i64 {
        self.applications
            .iter()
            .filter(|application| application.undone_by.is_none())
            .map(|application| application.cash_minor)
            .sum()
    }

    /// A person still has to decide about it, with a proposal that leans on the fact.
    pub fn waits(&self) -> bool {
        !self.posted && self.state == "exception"
    }
}

/// Money that was posted on a fact.
#[derive(Clone, Debug, Serialize)]
pub struct TouchedApplication {
    /// Number of the item; nothing for cash on account.
    pub item: Option<String>,
    pub customer: Option<String>,
    pub cash_minor: i64,
    pub undone_by: Option<String>,
    pub undone_on: Option<NaiveDate>,
}

/// An id as people write it.
fn written<T: Display, S: Serializer>(id: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

impl Engine {
    /// What the ledger has taught, and what was revoked of it.
    pub async fn learned(&self) -> anyhow::Result<Vec<ListedFact>> {
        let mut tx = self.db.read().await?;
        let facts = facts(&mut tx, None).await?;
        tx.rollback().await?;
        Ok(facts)
    }

    /// A fact with everything it touched; nothing where there is no such fact.
    pub async fn learned_fact(&self, id: FactId) -> anyhow::Result<Option<(ListedFact, Vec<Touched>)>> {
        let mut tx = self.db.read().await?;
        let found = one(&mut tx, id).await?;
        tx.rollback().await?;
        Ok(found)
    }

    /// A person revokes a fact: from the next piece of work of every process on it supports nobody. What it touched is returned.
    pub async fn revoke_fact(
        &self,
        mandate: &Mandate<'_>,
        id: FactId,
        for_good: bool,
        note: &str,
    ) -> anyhow::Result<(ListedFact, Vec<Touched>)> {
        if note.trim().is_empty() {
            return Err(Refusal("say with --note why it is not to be believed; the next person reads it".to_owned()).into());
        }
        let Some((fact, touched)) = self.learned_fact(id).await? else {
            return Err(Refusal(format!("there is no learned fact {id}; tieout learned list shows them")).into());
        };
        may_be_revoked(&fact, for_good)?;
        let posted = posted(&touched);
        self.db
            .transact(async |tx| {
                let LearnedFact { fact: reference, kind, sign, customer, .. } = fact.learned.clone();
                let until = tx.newest_application().await?;
                let asked = Withdrawal {
                    fact: reference,
                    revocation: Revocation { kind, sign, customer, for_good, until },
                    shown: &fact.sign,
                    customer: &fact.customer,
                    note,
                    posted: &posted,
                };
                ledger::revoke_fact(tx, mandate, &asked).await
            })
            .await?;
        // Read once more: another process may have posted on it until now.
        self.learned_fact(id).await?.ok_or_else(|| anyhow::anyhow!("{id} was revoked and is gone"))
    }
}

/// What is off already is not switched off again, unless it shall be for good.
fn may_be_revoked(fact: &ListedFact, for_good: bool) -> Result<(), Refusal> {
    let is_off = match fact.state {
        FactState::RevokedForGood => true,
        FactState::Revoked => !for_good,
        FactState::InUse | FactState::Mixed => false,
    };
    match fact.revoked.last().filter(|_| is_off) {
        None => Ok(()),
        Some(last) => {
            let hint =
                if fact.state == FactState::Revoked { "; --for-good keeps people's postings from teaching it again" } else { "" };
            Err(Refusal(format!(
                "{} was revoked by {} on {} and supports nobody{hint}; nothing was done",
                fact.fact, last.actor, last.business_day
            )))
        }
    }
}

/// What was posted by currency: payments, cash, and the largest of them.
fn posted(touched: &[Touched]) -> Vec<(Currency, u64, i64, i64)> {
    let mut sums: BTreeMap<String, (Currency, u64, i64, i64)> = BTreeMap::new();
    for one in touched.iter().filter(|one| one.posted) {
        let cash: i64 = one.applications.iter().map(|application| application.cash_minor).sum();
        let sum = sums.entry(one.currency.to_string()).or_insert((one.currency, 0, 0, 0));
        *sum = (one.currency, sum.1 + 1, sum.2 + cash, sum.3.max(cash));
    }
    sums.into_values().collect()
}

async fn one(tx: &mut Tx, id: FactId) -> anyhow::Result<Option<(ListedFact, Vec<Touched>)>> {
    let Some(fact) = facts(tx, Some(id)).await?.pop() else { return Ok(None) };
    let mut moved = tx.moved_on_facts(Some(id)).await?;
    let uses = tx.fact_uses(Some(id)).await?;
    let touched = uses.into_iter().map(|used| {
        let applications = moved.remove(&used.decision).unwrap_or_default();
        touched(used, applications)
    });
    Ok(Some((fact, touched.collect())))
}

fn touched(used: FactUse, moved: Vec<DecidedMove>) -> Touched {
    let application = |one: DecidedMove| {
        let (undone_by, undone_on) = one.undone.unzip();
        TouchedApplication { item: one.item, customer: one.customer, cash_minor: one.cash_minor, undone_by, undone_on }
    };
    Touched {
        payment: used.payment,
        state: used.state.as_str(),
        currency: used.currency,
        amount_minor: used.amount_minor,
        decision: used.decision,
        business_day: used.day,
        rule: used.rule,
        version: used.fact.version,
        posted: !moved.is_empty(),
        applications: moved.into_iter().map(application).collect(),
    }
}

/// All facts, or one.
async fn facts(tx: &mut Tx, only: Option<FactId>) -> anyhow::Result<Vec<ListedFact>> {
    let mut matcher = Matcher::default();
    let mut learned = matcher.refresh(tx).await?.learned_facts();
    learned.retain(|fact| only.is_none_or(|id| fact.fact.id == id));
    let payments: BTreeSet<_> = learned.iter().flat_map(|fact| fact.payments.iter().copied()).collect();
    let teachings = tx.teachings(&payments.into_iter().collect::<Vec<_>>()).await?;
    let mut by_payment: HashMap<(PaymentId, CustomerId), Vec<Teaching>> = HashMap::new();
    for teaching in teachings {
        by_payment.entry((teaching.payment, teaching.customer)).or_default().push(teaching);
    }
    let accounts: Vec<_> = learned.iter().filter(|fact| fact.kind == SignKind::Account).map(|fact| fact.sign.as_str()).collect();
    let ends = tx.account_ends(&accounts).await?;
    let customers: BTreeSet<_> = learned.iter().map(|fact| fact.customer).collect();
    let codes = tx.customer_codes(&customers.into_iter().collect::<Vec<_>>()).await?;
    let mut revoked = tx.revocations_by_fact().await?;
    let mut driven = driven(tx, only).await?;
    let listed = learned.into_iter().map(|fact| {
        let FactRef { id, version } = fact.fact;
        let sign = match fact.kind {
            SignKind::Account => format!("••••{}", ends.get(&fact.sign).map_or("", String::as_str)),
            SignKind::Id | SignKind::Name => fact.sign.clone(),
        };
        let taught_by = teachers(&fact, &by_payment);
        let driven = driven.remove(&id).unwrap_or_default();
        ListedFact {
            fact: id.to_string(),
            version,
            kind: fact.kind,
            sign,
            customer: codes.get(&fact.customer).cloned().unwrap_or_else(|| fact.customer.to_string()),
            state: fact.state,
            payments: fact.payments.len() as u64,
            items: taught_by.iter().map(|teacher| teacher.items).sum(),
            taught_by,
            decisions: driven.decisions,
            posted: driven.posted,
            cash: driven.cash.into_values().collect(),
            revoked: revoked.remove(&id).unwrap_or_default(),
            learned: fact,
        }
    });
    Ok(listed.collect())
}

/// Who applied the payments that count, by name.
fn teachers(fact: &LearnedFact, by_payment: &HashMap<(PaymentId, CustomerId), Vec<Teaching>>) -> Vec<Teacher> {
    let mut teachers: BTreeMap<&str, (Teacher, BTreeSet<PaymentId>)> = BTreeMap::new();
    let taught = fact.payments.iter().filter_map(|payment| by_payment.get(&(*payment, fact.customer))).flatten();
    for Teaching { payment, actor, day, .. } in taught {
        let new = Teacher { actor: actor.clone(), payments: 0, items: 0, first_day: *day, last_day: *day };
        let (teacher, payments) = teachers.entry(actor).or_insert_with(|| (new, BTreeSet::new()));
        payments.insert(*payment);
        teacher.items += 1;
        teacher.first_day = teacher.first_day.min(*day);
        teacher.last_day = teacher.last_day.max(*day);
    }
    teachers.into_values().map(|(teacher, payments)| Teacher { payments: payments.len() as u64, ..teacher }).collect()
}

/// What a fact drove.
#[derive(Clone, Debug, Default)]
struct Driven {
    decisions: u64,
    posted: u64,
    cash: BTreeMap<String, DrivenCash>,
}

async fn driven(tx: &mut Tx, only: Option<FactId>) -> anyhow::Result<HashMap<FactId, Driven>> {
    let moved = tx.moved_on_facts(only).await?;
    let mut driven: HashMap<FactId, Driven> = HashMap::new();
    for used in tx.fact_uses(only).await? {
        let sums = driven.entry(used.fact.id).or_default();
        sums.decisions += 1;
        let Some(moves) = moved.get(&used.decision) else { continue };
        sums.posted += 1;
        let none = DrivenCash { currency: used.currency, posted_minor: 0, standing_minor: 0 };
        let cash = sums.cash.entry(used.currency.to_string()).or_insert(none);
        for one in moves {
            cash.posted_minor += one.cash_minor;
            cash.standing_minor += if one.undone.is_none() { one.cash_minor } else { 0 };
        }
    }
    Ok(driven)
}
