//! Applications, journal entries and deductions: the facts that `ledger` writes. Insert-only; undone by their mirror image.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{
    Tx,
    bulk::Rows,
    value::{Columns, values},
};
use crate::domain::{ApplicationId, Currency, CustomerId, DecisionId, FileId, Lesson, OpenItemId, PaymentId, SellerId};

/// What an application moves money to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApplicationKind {
    /// An open item.
    Item,
    /// The customer's account, for later.
    OnAccount,
    /// Back to the payer, on request.
    Refund,
    /// The bank took it back.
    Return,
}

impl ApplicationKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Item => "item",
            Self::OnAccount => "on_account",
            Self::Refund => "refund",
            Self::Return => "return",
        }
    }
}

/// Money moved from a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    pub id: ApplicationId,
    pub payment: PaymentId,
    pub kind: ApplicationKind,
    pub item: Option<OpenItemId>,
    pub customer: Option<CustomerId>,
    /// Cash in the payment's currency.
    pub cash_minor: i64,
    /// The same in the item's currency, and what else closes a part of the item.
    pub applied_minor: i64,
    pub discount_minor: i64,
    pub deduction_minor: i64,
    pub write_off_minor: i64,
    /// Currency of the item; of the payment where there is none.
    pub currency: Currency,
    pub reason: String,
    pub remittance_line: Option<u32>,
    pub decision: Option<DecisionId>,
    pub entry: i64,
    pub actor: String,
    pub day: NaiveDate,
    pub note: Option<String>,
    pub reverses: Option<ApplicationId>,
}

impl Application {
    /// What the open amount of the item goes down by.
    pub fn closes_minor(&self) -> Option<i64> {
        self.applied_minor.checked_add(self.discount_minor)?.checked_add(self.deduction_minor)?.checked_add(self.write_off_minor)
    }
}

/// One change of the books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalEntry {
    pub(crate) id: i64,
    pub(crate) key: String,
    pub(crate) kind: &'static str,
    pub(crate) day: NaiveDate,
    pub(crate) actor: String,
    pub(crate) file: Option<FileId>,
    pub(crate) payment: Option<PaymentId>,
    pub(crate) lines: Vec<JournalLine>,
}

/// Debits are positive, credits negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalLine {
    pub(crate) account: &'static str,
    pub(crate) seller: Option<SellerId>,
    pub(crate) currency: Currency,
    pub(crate) amount_minor: i64,
}

/// A short-paid part with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewDeduction {
    pub(crate) id: i64,
    pub(crate) application: ApplicationId,
    pub(crate) payment: PaymentId,
    pub(crate) item: OpenItemId,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) currency: Currency,
    pub(crate) amount_minor: i64,
    pub(crate) reason_code: String,
    pub(crate) queue: String,
    pub(crate) gl: String,
}

const COLUMNS: &str = "a.id, a.payment_id, a.kind, a.open_item_id, a.customer_id, a.cash_minor, a.applied_minor, a.discount_minor, \
                       a.deduction_minor, a.write_off_minor, coalesce(i.currency, p.currency), a.reason, a.remittance_line, a.decision_id, \
                       a.entry_id, a.actor, a.business_day, a.note, a.reverses";
const FROM: &str = "application a join payment p on p.id = a.payment_id left join open_item i on i.id = a.open_item_id";

impl Tx {
    pub(crate) async fn record_applications(&mut self, applications: &[Application]) -> anyhow::Result<()> {
        let at = self.stamp().to_owned();
        let mut rows = Rows::of_width(20);
        for new in applications {
            let closes = new
                .closes_minor()
                .ok_or_else(|| anyhow::anyhow!("application of {}: the amounts do not add up to a number", new.payment))?;
            rows.push(values![
                new.id,
                new.payment,
                new.kind.as_str(),
                new.item,
                new.customer,
                new.cash_minor,
                new.applied_minor,
                new.discount_minor,
                new.deduction_minor,
                new.write_off_minor,
                closes,
                &new.reason,
                new.remittance_line,
                new.decision,
                new.entry,
                &new.actor,
                &at,
                new.day,
                &new.note,
                new.reverses,
            ]);
        }
        let columns = "id, payment_id, kind, open_item_id, customer_id, cash_minor, applied_minor, discount_minor, deduction_minor, \
                       write_off_minor, closes_minor, reason, remittance_line, decision_id, entry_id, actor, at, business_day, note, reverses";
        self.insert("application", columns, "", rows).await?;
        Ok(())
    }

    pub(crate) async fn record_entries(&mut self, entries: &[JournalEntry]) -> anyhow::Result<()> {
        let at = self.stamp().to_owned();
        let (mut heads, mut lines) = (Rows::of_width(8), Rows::of_width(6));
        for entry in entries {
            heads.push(values![entry.id, &entry.key, entry.kind, &at, entry.day, &entry.actor, entry.file, entry.payment]);
            for (number, line) in (1_i64..).zip(&entry.lines) {
                lines.push(values![entry.id, number, line.account, line.seller, line.currency, line.amount_minor]);
            }
        }
        self.insert("journal_entry", "id, key, kind, at, business_day, actor, file_id, payment_id", "", heads).await?;
        self.insert("journal_line", "entry_id, line, account, seller_id, currency, amount_minor", "", lines).await?;
        Ok(())
    }

    pub(crate) async fn entry_exists(&mut self, key: &str) -> anyhow::Result<bool> {
        Ok(self.number("select count(*) from journal_entry where key = $1", values![key]).await? > 0)
    }

    pub(crate) async fn record_deductions(&mut self, deductions: &[NewDeduction]) -> anyhow::Result<()> {
        let at = self.stamp().to_owned();
        let mut rows = Rows::of_width(12);
        for new in deductions {
            rows.push(values![
                new.id,
                new.application,
                new.payment,
                new.item,
                new.customer,
                new.currency,
                new.amount_minor,
                &new.reason_code,
                &new.queue,
                &new.gl,
                "open",
                &at,
            ]);
        }
        let columns = "id, application_id, payment_id, open_item_id, customer_id, currency, amount_minor, reason_code, queue, gl, state, at";
        self.insert("deduction", columns, "", rows).await?;
        Ok(())
    }

    /// Deductions whose application is undone are undone with it.
    pub(crate) async fn reverse_deductions(&mut self, applications: &[ApplicationId]) -> anyhow::Result<()> {
        let mut rows = Rows::of_width(1);
        for id in applications {
            rows.push(values![*id]);
        }
        let sql = "{v} update deduction set state = 'reversed' from v where deduction.application_id = v.id";
        self.with_rows("id", rows, sql, Vec::new()).await?;
        Ok(())
    }

    /// Applications of a payment that stand: neither undone nor undoing.
    pub async fn standing_applications(&mut self, payment: PaymentId) -> anyhow::Result<Vec<Application>> {
        let sql = format!(
            "select {COLUMNS} from {FROM} where a.payment_id = $1 and a.reverses is null \
             and not exists (select 1 from application r where r.reverses = a.id) order by a.id"
        );
        self.all(&sql, values![payment]).await?.iter().map(|row| Application::read(&mut Columns::of(row))).collect()
    }

    /// Items on which cash of these payments stands, by payment.
    pub async fn items_paid_by(&mut self, payments: &[PaymentId]) -> anyhow::Result<BTreeMap<PaymentId, Vec<Lesson>>> {
        let mut rows = Rows::of_width(1);
        for id in payments.iter().collect::<BTreeSet<_>>() {
            rows.push(values![*id]);
        }
        let sql = "{v} select a.payment_id, a.open_item_id, case when a.actor = 'engine' then null else a.id end \
                   from application a join v on a.payment_id = v.id where a.open_item_id is not null and a.reverses is null \
                   and not exists (select 1 from application r where r.reverses = a.id) order by a.id";
        let mut paid: BTreeMap<PaymentId, Vec<Lesson>> = BTreeMap::new();
        for row in &self.all_with_rows("id", rows, sql, Vec::new()).await? {
            let mut columns = Columns::of(row);
            let (payment, item) = (PaymentId(columns.number()?), OpenItemId(columns.number()?));
            let by_person = columns.number_opt()?.map(ApplicationId);
            paid.entry(payment).or_default().push(Lesson { item, by_person });
        }
        Ok(paid)
    }

    /// All applications of a payment, with those that were undone and those that undo.
    pub async fn applications(&mut self, payment: PaymentId) -> anyhow::Result<Vec<Application>> {
        let sql = format!("select {COLUMNS} from {FROM} where a.payment_id = $1 order by a.id");
        self.all(&sql, values![payment]).await?.iter().map(|row| Application::read(&mut Columns::of(row))).collect()
    }

    pub async fn application(&mut self, id: ApplicationId) -> anyhow::Result<Option<Application>> {
        let sql = format!("select {COLUMNS} from {FROM} where a.id = $1");
        self.first(&sql, values![id]).await?.map(|row| Application::read(&mut Columns::of(&row))).transpose()
    }

    /// What was already granted on each item: (item, write-offs, deductions, discounts), reversals taken off.
    pub(crate) async fn granted_on_items(&mut self, items: &[OpenItemId]) -> anyhow::Result<Vec<(OpenItemId, i64, i64, i64)>> {
        let mut rows = Rows::of_width(1);
        for id in items.iter().collect::<BTreeSet<_>>() {
            rows.push(values![*id]);
        }
        let sql = "{v} select a.open_item_id, cast(sum(a.write_off_minor) as bigint), cast(sum(a.deduction_minor) as bigint), \
                   cast(sum(a.discount_minor) as bigint) from application a join v on a.open_item_id = v.id group by a.open_item_id";
        let found = self.all_with_rows("id", rows, sql, Vec::new()).await?;
        let granted = found.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((OpenItemId(columns.number()?), columns.number()?, columns.number()?, columns.number()?))
        });
        granted.collect()
    }
}

impl Application {
    fn read(columns: &mut Columns<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            id: ApplicationId(columns.number()?),
            payment: PaymentId(columns.number()?),
            kind: columns.code()?,
            item: columns.number_opt()?.map(OpenItemId),
            customer: columns.number_opt()?.map(CustomerId),
            cash_minor: columns.number()?,
            applied_minor: columns.number()?,
            discount_minor: columns.number()?,
            deduction_minor: columns.number()?,
            write_off_minor: columns.number()?,
            currency: columns.currency()?,
            reason: columns.text()?,
            remittance_line: columns.small_opt()?,
            decision: columns.number_opt()?.map(DecisionId),
            entry: columns.number()?,
            actor: columns.text()?,
            day: columns.date()?,
            note: columns.text_opt()?,
            reverses: columns.number_opt()?.map(ApplicationId),
        })
    }
}
