//! The past: how much of the store was there at a moment, and what changed rows said before.
//!
//! Money needs no such help, because applications and reversals are never changed: what was open is what their order tells. What is
//! updated in place (an item whose terms were corrected, a customer that got an account) leaves its former self in `past`.

use serde::{Deserialize, Serialize};

use super::{
    ApplicationKind, Kind, Tx,
    bulk::Rows,
    value::{Columns, json, values},
};
use crate::domain::{AccountKey, ApplicationId, Customer, DecisionId, OpenItem, OpenItemId, Payment, PaymentId};

/// The newest row of each kind that a transaction saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownRows {
    pub items: i64,
    pub customers: i64,
    pub payments: i64,
    /// Entries of the journal, and with them the applications.
    pub entries: i64,
    pub past: i64,
    /// What people revoked of what the ledger teaches.
    #[serde(default)]
    pub revocations: i64,
}

/// An item with what was settled of it outside of this ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastItem {
    pub item: OpenItem,
    pub settled_elsewhere_minor: i64,
}

/// What a payment said before another record of the same money completed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastPayment {
    pub id: PaymentId,
    pub name: Option<String>,
    pub payer_id: Option<String>,
    pub account: Option<AccountKey>,
    pub trace: Option<String>,
    pub text: Option<String>,
}

impl From<Payment> for PastPayment {
    fn from(payment: Payment) -> Self {
        let Payment { id, payer, trace, text, .. } = payment;
        Self { id, name: payer.name, payer_id: payer.id, account: payer.account, trace, text }
    }
}

impl PastPayment {
    /// The payment as it was when it said this.
    pub fn restore(&self, payment: &mut Payment) {
        payment.payer.name.clone_from(&self.name);
        payment.payer.id.clone_from(&self.payer_id);
        payment.payer.account.clone_from(&self.account);
        payment.trace.clone_from(&self.trace);
        payment.text.clone_from(&self.text);
    }
}

/// What a row said before it was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Past {
    Item(PastItem),
    Customer(Customer),
    Payment(PastPayment),
}

/// Money that moved, or moved back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub application: ApplicationId,
    pub entry: i64,
    pub payment: PaymentId,
    pub kind: ApplicationKind,
    pub item: Option<OpenItemId>,
    pub cash_minor: i64,
    pub discount_minor: i64,
    pub deduction_minor: i64,
    pub write_off_minor: i64,
    pub closes_minor: i64,
    pub day: chrono::NaiveDate,
    pub by_engine: bool,
    /// It undoes because the bank took the payment back, which is nobody's error.
    pub by_bank: bool,
    pub reverses: Option<ApplicationId>,
    pub decision: Option<DecisionId>,
}

const MOVE: &str = "a.id, a.entry_id, a.payment_id, a.kind, a.open_item_id, a.cash_minor, a.discount_minor, a.deduction_minor, \
                    a.write_off_minor, a.closes_minor, a.business_day, a.actor, e.kind, a.reverses, a.decision_id";
const MOVED: &str = "application a join journal_entry e on e.id = a.entry_id";

impl Tx {
    /// The newest rows that this transaction sees.
    pub async fn known_rows(&mut self) -> anyhow::Result<KnownRows> {
        let newest = |table: &str| format!("(select coalesce(max(id), 0) from {table})");
        let tables = ["open_item", "customer", "payment", "journal_entry", "past", "learned_revocation"].map(newest).join(", ");
        let Some(row) = self.first(&format!("select {tables}"), Vec::new()).await? else { return Ok(KnownRows::default()) };
        let columns = &mut Columns::of(&row);
        Ok(KnownRows {
            items: columns.number()?,
            customers: columns.number()?,
            payments: columns.number()?,
            entries: columns.number()?,
            past: columns.number()?,
            revocations: columns.number()?,
        })
    }

    /// Keeps what rows say before they are changed.
    pub(super) async fn keep_past(&mut self, past: &[Past]) -> anyhow::Result<()> {
        if past.is_empty() {
            return Ok(());
        }
        let ids = self.reserve(Kind::Past, past.len()).await?;
        let at = self.stamp().to_owned();
        let mut rows = Rows::of_width(5);
        for (id, past) in ids.into_iter().zip(past) {
            let (kind, subject, content) = match past {
                Past::Item(item) => ("open_item", item.item.id.0, json(item)?),
                Past::Customer(customer) => ("customer", customer.id.0, json(customer)?),
                Past::Payment(payment) => ("payment", payment.id.0, json(payment)?),
            };
            rows.push(values![id, kind, subject, content, &at]);
        }
        self.insert("past", "id, kind, subject_id, content, at", "", rows).await?;
        Ok(())
    }

    /// Everything that changed rows said before, oldest first, with the id of each.
    pub async fn past(&mut self) -> anyhow::Result<Vec<(i64, Past)>> {
        let rows = self.all("select id, kind, content from past order by id", Vec::new()).await?;
        let past = rows.iter().map(|row| {
            let columns = &mut Columns::of(row);
            let (id, kind) = (columns.number()?, columns.text()?);
            let past = match kind.as_str() {
                "open_item" => Past::Item(columns.json()?),
                "customer" => Past::Customer(columns.json()?),
                "payment" => Past::Payment(columns.json()?),
                other => anyhow::bail!("past {id}: nobody knows the kind {other:?}"),
            };
            Ok((id, past))
        });
        past.collect()
    }

    /// All money that ever moved, in the order of the journal.
    pub async fn moves(&mut self) -> anyhow::Result<Vec<Move>> {
        let sql = format!("select {MOVE} from {MOVED} order by a.entry_id, a.id");
        self.all(&sql, Vec::new()).await?.iter().map(|row| Move::read(&mut Columns::of(row))).collect()
    }

    /// The same of some payments.
    pub async fn moves_of(&mut self, payments: &[PaymentId]) -> anyhow::Result<Vec<Move>> {
        let mut rows = Rows::of_width(1);
        for payment in payments {
            rows.push(values![*payment]);
        }
        let sql = format!("{{v}} select {MOVE} from {MOVED} join v on v.id = a.payment_id order by a.entry_id, a.id");
        let found = self.all_with_rows("id", rows, &sql, Vec::new()).await?;
        found.iter().map(|row| Move::read(&mut Columns::of(row))).collect()
    }

    /// Payments that stopped counting because of another record of the same money, with the entry that booked them back.
    pub async fn voided(&mut self) -> anyhow::Result<Vec<(i64, PaymentId)>> {
        let sql = "select id, payment_id from journal_entry where kind = 'void' and payment_id is not null order by id";
        let rows = self.all(sql, Vec::new()).await?;
        let voided = rows.iter().map(|row| {
            let columns = &mut Columns::of(row);
            Ok((columns.number()?, PaymentId(columns.number()?)))
        });
        voided.collect()
    }

    /// Pairs of payments that a person said are not the same money, with the moment.
    pub async fn told_apart_at(&mut self) -> anyhow::Result<Vec<(String, PaymentId, PaymentId)>> {
        let sql = "select coalesce(decided_at, ''), payment_id, other_id from doubt where state = 'other' order by 1, 2, 3";
        let rows = self.all(sql, Vec::new()).await?;
        let pairs = rows.iter().map(|row| {
            let columns = &mut Columns::of(row);
            Ok((columns.text()?, PaymentId(columns.number()?), PaymentId(columns.number()?)))
        });
        pairs.collect()
    }

    /// What the engine gave away in these business days in a currency: discounts, deductions and write-offs. What was undone since counts
    /// too: it was given away.
    pub async fn given_away(
        &mut self,
        from: chrono::NaiveDate,
        until: chrono::NaiveDate,
    ) -> anyhow::Result<Vec<(crate::domain::Currency, i64, i64, i64)>> {
        let sql = "select i.currency, cast(sum(abs(a.discount_minor)) as bigint), cast(sum(abs(a.deduction_minor)) as bigint), \
                   cast(sum(abs(a.write_off_minor)) as bigint) from application a join open_item i on i.id = a.open_item_id \
                   where a.actor = 'engine' and a.reverses is null and a.business_day >= $1 and a.business_day <= $2 \
                   and (a.discount_minor <> 0 or a.deduction_minor <> 0 or a.write_off_minor <> 0) group by i.currency order by i.currency";
        let rows = self.all(sql, values![from, until]).await?;
        let sums = rows.iter().map(|row| {
            let columns = &mut Columns::of(row);
            Ok((columns.currency()?, columns.number()?, columns.number()?, columns.number()?))
        });
        sums.collect()
    }

    /// One transaction at a time adds to what the engine gives away; the others wait here until it commits.
    pub(crate) async fn lock_given_away(&mut self) -> anyhow::Result<()> {
        if !self.for_update().is_empty() {
            self.run("select pg_advisory_xact_lock(7341204)", Vec::new()).await?;
        }
        Ok(())
    }
}

impl Move {
    fn read(columns: &mut Columns<'_>) -> anyhow::Result<Self> {
        let (application, entry) = (ApplicationId(columns.number()?), columns.number()?);
        Ok(Self {
            application,
            entry,
            payment: PaymentId(columns.number()?),
            kind: columns.code()?,
            item: columns.number_opt()?.map(OpenItemId),
            cash_minor: columns.number()?,
            discount_minor: columns.number()?,
            deduction_minor: columns.number()?,
            write_off_minor: columns.number()?,
            closes_minor: columns.number()?,
            day: columns.date()?,
            by_engine: columns.text()? == "engine",
            by_bank: columns.text()? == "return_undoes",
            reverses: columns.number_opt()?.map(ApplicationId),
            decision: columns.number_opt()?.map(DecisionId),
        })
    }
}
