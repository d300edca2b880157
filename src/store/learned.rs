//! Learned facts: which decisions named them, what became of that, who taught them, and what people revoked.
//!
//! What is a fact is decided in `matching`; here stand only the rows that it follows from and the rows that follow from it.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;

use super::{
    Kind, NewDecision, Tx,
    bulk::Rows,
    value::{Columns, values},
};
use crate::domain::{
    ApplicationId, Currency, CustomerId, DecisionId, FactId, FactRef, PaymentId, PaymentState, Revocation, SignKind,
};

/// A revocation to be stored.
#[derive(Clone, Debug)]
pub(crate) struct NewRevocation<'a> {
    /// The version that it ends.
    pub(crate) fact: FactRef,
    pub(crate) revocation: &'a Revocation,
    pub(crate) day: NaiveDate,
    pub(crate) actor: &'a str,
    pub(crate) role: &'a str,
    pub(crate) note: &'a str,
}

/// A revocation as stored.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct StoredRevocation {
    pub version: u32,
    pub business_day: NaiveDate,
    pub at: String,
    pub actor: String,
    pub role: String,
    pub for_good: bool,
    pub note: String,
}

/// Cash that stands on an item, with who put it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Teaching {
    pub payment: PaymentId,
    pub customer: CustomerId,
    pub actor: String,
    pub day: NaiveDate,
}

/// A decision that named a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactUse {
    pub fact: FactRef,
    pub decision: DecisionId,
    pub day: NaiveDate,
    pub rule: String,
    pub payment: PaymentId,
    pub currency: Currency,
    pub amount_minor: i64,
    pub state: PaymentState,
}

/// Money that a decision moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecidedMove {
    pub application: ApplicationId,
    pub decision: DecisionId,
    /// Number of the item; nothing for cash on account.
    pub item: Option<String>,
    pub customer: Option<String>,
    pub cash_minor: i64,
    /// Who undid it and on which business day, where somebody did.
    pub undone: Option<(String, NaiveDate)>,
}

impl Tx {
    /// Notes which learned facts the evidence of decisions names.
    pub(super) async fn record_facts<'d>(
        &mut self,
        decisions: impl Iterator<Item = (DecisionId, &'d NewDecision<'d>)>,
    ) -> anyhow::Result<()> {
        let mut rows = Rows::of_width(3);
        for (id, new) in decisions {
            for fact in new.decision.evidence.facts() {
                rows.push(values![id, fact.id.to_string(), fact.version]);
            }
        }
        self.insert("decision_fact", "decision_id, fact, version", "on conflict (decision_id, fact) do nothing", rows).await?;
        Ok(())
    }

    /// All revocations, oldest first.
    pub async fn revocations(&mut self) -> anyhow::Result<Vec<Revocation>> {
        Ok(self.numbered_revocations().await?.into_iter().map(|(_, revocation)| revocation).collect())
    }

    /// The same with the number of each.
    pub async fn numbered_revocations(&mut self) -> anyhow::Result<Vec<(i64, Revocation)>> {
        let sql = "select id, kind, sign, customer_id, for_good, until from learned_revocation order by id";
        let rows = self.all(sql, Vec::new()).await?;
        let revocations = rows.iter().map(|row| {
            let columns = &mut Columns::of(row);
            let number = columns.number()?;
            let (kind, sign) = (columns.code::<SignKind>()?, columns.text()?);
            let (customer, for_good) = (CustomerId(columns.number()?), columns.flag()?);
            Ok((number, Revocation { kind, sign, customer, for_good, until: ApplicationId(columns.number()?) }))
        });
        revocations.collect()
    }

    /// Revocations of each fact, oldest first.
    pub async fn revocations_by_fact(&mut self) -> anyhow::Result<HashMap<FactId, Vec<StoredRevocation>>> {
        let sql = "select fact, version, business_day, at, actor, role, for_good, note from learned_revocation order by id";
        let mut by_fact: HashMap<FactId, Vec<StoredRevocation>> = HashMap::new();
        for row in &self.all(sql, Vec::new()).await? {
            let columns = &mut Columns::of(row);
            let fact = fact_of(&columns.text()?)?;
            by_fact.entry(fact).or_default().push(StoredRevocation {
                version: columns.small()?,
                business_day: columns.date()?,
                at: columns.text()?,
                actor: columns.text()?,
                role: columns.text()?,
                for_good: columns.flag()?,
                note: columns.text()?,
            });
        }
        Ok(by_fact)
    }

    /// Stores a revocation; false when somebody else ended this version of the fact first.
    pub(crate) async fn record_revocation(&mut self, new: &NewRevocation<'_>) -> anyhow::Result<bool> {
        let (id, at) = (self.reserve_one(Kind::LearnedRevocation).await?, self.stamp().to_owned());
        let Revocation { kind, sign, customer, for_good, until } = new.revocation;
        let row = values![
            id,
            new.fact.id.to_string(),
            new.fact.version,
            kind.as_str(),
            sign,
            *customer,
            *for_good,
            *until,
            at,
            new.day,
            new.actor,
            new.role,
            new.note
        ];
        let sql = "insert into learned_revocation (id, fact, version, kind, sign, customer_id, for_good, until, at, business_day, actor, role, note) \
                   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) on conflict (fact, version) do nothing";
        Ok(self.run(sql, row).await? > 0)
    }

    /// The newest application that this transaction sees.
    pub async fn newest_application(&mut self) -> anyhow::Result<ApplicationId> {
        Ok(ApplicationId(self.number("select coalesce(max(id), 0) from application", Vec::new()).await?))
    }

    /// What stands of payments on items, in the order in which it was applied.
    pub async fn teachings(&mut self, payments: &[PaymentId]) -> anyhow::Result<Vec<Teaching>> {
        let mut rows = Rows::of_width(1);
        for payment in payments {
            rows.push(values![*payment]);
        }
        let sql = "{v} select a.payment_id, i.customer_id, a.actor, a.business_day from application a join v on a.payment_id = v.id \
                   join open_item i on i.id = a.open_item_id where a.reverses is null \
                   and not exists (select 1 from application r where r.reverses = a.id) order by a.id";
        let found = self.all_with_rows("id", rows, sql, Vec::new()).await?;
        let teachings = found.iter().map(|row| {
            let columns = &mut Columns::of(row);
            let (payment, customer) = (PaymentId(columns.number()?), CustomerId(columns.number()?));
            Ok(Teaching { payment, customer, actor: columns.text()?, day: columns.date()? })
        });
        teachings.collect()
    }

    /// The last four characters of payers' accounts.
    pub async fn account_ends(&mut self, accounts: &[&str]) -> anyhow::Result<HashMap<String, String>> {
        let mut rows = Rows::of_width(1);
        for account in accounts {
            rows.push(values![*account]);
        }
        let of = |table: &str| {
            format!(
                "select t.payer_account_key, t.payer_account_last4 from {table} t join v on t.payer_account_key = v.id where t.payer_account_last4 is not null"
            )
        };
        let sql = format!("{{v}} {} union {}", of("payment"), of("remittance"));
        let found = self.all_with_rows("id", rows, &sql, Vec::new()).await?;
        let ends = found.iter().map(|row| {
            let columns = &mut Columns::of(row);
            Ok((columns.text()?, columns.text()?))
        });
        ends.collect()
    }

    /// Decisions that named a fact, or any, oldest first.
    pub async fn fact_uses(&mut self, only: Option<FactId>) -> anyhow::Result<Vec<FactUse>> {
        let sql = format!(
            "select u.fact, u.version, d.id, d.business_day, d.rule, p.id, p.currency, p.amount_minor, p.state from decision_fact u \
             join decision d on d.id = u.decision_id join payment p on p.id = d.payment_id {} order by d.id, u.fact",
            if only.is_some() { "where u.fact = $1" } else { "" }
        );
        let given = only.map(|fact| values![fact.to_string()]).unwrap_or_default();
        self.all(&sql, given).await?.iter().map(|row| FactUse::read(&mut Columns::of(row))).collect()
    }

    /// What the engine moved by decisions that named a fact, or any, by decision.
    pub async fn moved_on_facts(&mut self, only: Option<FactId>) -> anyhow::Result<BTreeMap<DecisionId, Vec<DecidedMove>>> {
        let sql = format!(
            "select a.id, a.decision_id, i.number, c.code, a.cash_minor, x.actor, x.business_day from application a \
             left join open_item i on i.id = a.open_item_id left join customer c on c.id = coalesce(i.customer_id, a.customer_id) \
             left join application x on x.reverses = a.id where a.reverses is null and a.actor = 'engine' \
             and a.decision_id in (select decision_id from decision_fact {}) order by a.id",
            if only.is_some() { "where fact = $1" } else { "" }
        );
        let given = only.map(|fact| values![fact.to_string()]).unwrap_or_default();
        let mut moved: BTreeMap<DecisionId, Vec<DecidedMove>> = BTreeMap::new();
        for row in &self.all(&sql, given).await? {
            let columns = &mut Columns::of(row);
            let (application, decision) = (ApplicationId(columns.number()?), DecisionId(columns.number()?));
            let (item, customer, cash_minor) = (columns.text_opt()?, columns.text_opt()?, columns.number()?);
            let undone = columns.text_opt()?.zip(columns.date_opt()?);
            moved.entry(decision).or_default().push(DecidedMove { application, decision, item, customer, cash_minor, undone });
        }
        Ok(moved)
    }
}

impl FactUse {
    fn read(columns: &mut Columns<'_>) -> anyhow::Result<Self> {
        let fact = FactRef { id: fact_of(&columns.text()?)?, version: columns.small()? };
        let (decision, day, rule) = (DecisionId(columns.number()?), columns.date()?, columns.text()?);
        Ok(Self {
            fact,
            decision,
            day,
            rule,
            payment: PaymentId(columns.number()?),
            currency: columns.currency()?,
            amount_minor: columns.number()?,
            state: columns.code()?,
        })
    }
}

fn fact_of(text: &str) -> anyhow::Result<FactId> {
    text.parse().map_err(|why| anyhow::anyhow!("a stored fact: {why}"))
}
