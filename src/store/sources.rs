//! Sources of payments: what linking reads, and the doubts that people settle.
//!
//! Linking looks at records of equal account, currency and amount, and at sums of items; the rest of a busy account is not read.

use std::collections::BTreeSet;

use chrono::NaiveDate;

use super::{
    Past, Tx,
    bulk::Rows,
    value::{Columns, values},
};
use crate::domain::{AccountKey, Currency, FileId, ItemGroup, Marks, PaymentId, RemittanceId, SellerId, Sighted, Sighting};

/// A doubt about a payment that waits for a person, or that a person settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredDoubt {
    pub payment: PaymentId,
    pub other: PaymentId,
    pub why: String,
    /// `open`, `same` or `other`.
    pub state: String,
}

/// Days of a file, and the accounts that it tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub accounts: Vec<AccountKey>,
    pub first: NaiveDate,
    pub last: NaiveDate,
}

const COLUMNS: &str = "p.id, p.file_id, f.format, p.seller_id, p.currency, p.amount_minor, p.value_date, p.method, p.payer_name, p.payer_id, \
                       p.payer_account_key, p.remittance_id, p.state, p.duplicate_of, p.part_of, \
                       (select count(*) from payment i where i.part_of = p.id), p.report, p.own_key, p.own_last4, p.is_sum, p.item_group, \
                       p.item_count, p.marks";
/// Items that count, or stand for one that does, and are no part of a sum yet.
const FREE_ITEMS: &str = "p.item_group is not null and p.is_sum = 0 and p.part_of is null and p.state <> 'held' \
                          and (p.state <> 'void' or p.duplicate_of is not null) \
                          and not exists (select 1 from payment r where r.id = p.duplicate_of and r.part_of is not null)";

impl Tx {
    /// Accounts and days of the live payments of a file; nothing when it tells of no account.
    pub async fn seen_of_file(&mut self, file: FileId) -> anyhow::Result<Option<Seen>> {
        let sql = "select own_key, min(value_date), max(value_date) from payment where file_id = $1 and own_key is not null \
                   and state not in ('held', 'void') group by own_key order by own_key";
        let mut seen: Option<Seen> = None;
        for row in &self.all(sql, values![file]).await? {
            let mut columns = Columns::of(row);
            let (account, first, last) = (AccountKey(columns.text()?), columns.date()?, columns.date()?);
            let seen = seen.get_or_insert_with(|| Seen { accounts: Vec::new(), first, last });
            seen.accounts.push(account);
            (seen.first, seen.last) = (seen.first.min(first), seen.last.max(last));
        }
        Ok(seen)
    }

    /// Waits until no other transaction links records of these accounts. Two files must not miss each other by being read at once.
    pub async fn lock_accounts(&mut self, accounts: &[AccountKey]) -> anyhow::Result<()> {
        if self.for_update().is_empty() {
            // The embedded database has one writer.
            return Ok(());
        }
        for account in accounts.iter().collect::<BTreeSet<_>>() {
            self.run("select pg_advisory_xact_lock(7341202, hashtext($1))", values![account]).await?;
        }
        Ok(())
    }

    /// Live records of a file whose account and amount other files tell of as well.
    pub async fn records_seen_elsewhere(&mut self, file: FileId, from: NaiveDate, to: NaiveDate) -> anyhow::Result<Vec<Sighted>> {
        let sql = format!(
            "select {COLUMNS} from payment p join file f on f.id = p.file_id where p.file_id = $1 and p.own_key is not null \
             and p.state not in ('held', 'void') and exists (select 1 from payment o where o.own_key = p.own_key \
             and o.amount_minor = p.amount_minor and o.currency = p.currency and o.file_id <> p.file_id and o.state <> 'held' \
             and o.value_date >= $2 and o.value_date <= $3) order by p.id"
        );
        self.all(&sql, values![file, from, to]).await?.iter().map(sighted).collect()
    }

    /// Records of other files that tell of an account and amount of this one.
    pub async fn records_like_those_of(&mut self, file: FileId, from: NaiveDate, to: NaiveDate) -> anyhow::Result<Vec<Sighted>> {
        let sql = format!(
            "select {COLUMNS} from (select distinct own_key, currency, amount_minor from payment where file_id = $1 \
             and own_key is not null and state not in ('held', 'void')) n join payment p on p.own_key = n.own_key \
             and p.amount_minor = n.amount_minor and p.currency = n.currency join file f on f.id = p.file_id \
             where p.file_id <> $1 and p.state <> 'held' and p.value_date >= $2 and p.value_date <= $3 order by p.id"
        );
        self.all(&sql, values![file, from, to]).await?.iter().map(sighted).collect()
    }

    /// Booked rows of a file that name no account of ours, with the live rows of other files that say the same in every word.
    pub async fn rows_told_again(&mut self, file: FileId) -> anyhow::Result<Vec<(PaymentId, PaymentId)>> {
        const MINE: &str = "file_id = $1 and own_key is null and report = 'final' and state not in ('held', 'void')";
        if self.number(&format!("select count(*) from payment where {MINE}"), values![file]).await? == 0 {
            return Ok(Vec::new());
        }
        // Two downloads that are read at once must not miss each other.
        self.lock_accounts(&[AccountKey("no account".to_owned())]).await?;
        let same = |column: &str| format!("coalesce(o.{column}, '') = coalesce(p.{column}, '')");
        let sql = format!(
            "select p.id, o.id from (select * from payment where {MINE}) p join payment o on o.value_date = p.value_date \
             and o.amount_minor = p.amount_minor and o.currency = p.currency and o.own_key is null and o.report = 'final' \
             and o.file_id <> p.file_id and o.state not in ('held', 'void') and {} and {} and {} order by p.id, o.id",
            same("text"),
            same("payer_name"),
            same("trace")
        );
        let rows = self.all(&sql, values![file]).await?;
        let pairs = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((PaymentId(columns.number()?), PaymentId(columns.number()?)))
        });
        pairs.collect()
    }

    /// Items of the accounts that are no part of a sum yet, added up as they were booked: those of the file, or those of all others.
    pub async fn item_groups(
        &mut self,
        file: FileId,
        of_file: bool,
        accounts: &[AccountKey],
        from: NaiveDate,
        to: NaiveDate,
    ) -> anyhow::Result<Vec<ItemGroup>> {
        let whose = if of_file { "=" } else { "<>" };
        let sql = format!(
            "{{v}} select p.file_id, f.format, p.own_key, p.currency, p.value_date, p.item_group, count(*), cast(sum(p.amount_minor) as bigint), \
             min(p.payer_name), min(p.payer_id) from v join payment p on p.own_key = v.account join file f on f.id = p.file_id \
             where p.file_id {whose} {{1}} and p.value_date >= {{2}} and p.value_date <= {{3}} and {FREE_ITEMS} \
             group by p.file_id, f.format, p.own_key, p.currency, p.value_date, p.item_group order by p.file_id, p.value_date, p.item_group"
        );
        let mut rows = Rows::of_width(1);
        for account in accounts {
            rows.push(values![account]);
        }
        let found = self.all_with_rows("account", rows, &sql, values![file, from, to]).await?;
        found.iter().map(item_group).collect()
    }

    /// Lines of statements with one of these accounts, currencies and amounts: those of the file, or those of all others.
    pub async fn booked_lines(
        &mut self,
        file: FileId,
        of_file: bool,
        amounts: &BTreeSet<(AccountKey, Currency, i64)>,
        from: NaiveDate,
        to: NaiveDate,
    ) -> anyhow::Result<Vec<Sighted>> {
        let whose = if of_file { "=" } else { "<>" };
        let sql = format!(
            "{{v}} select {COLUMNS} from v join payment p on p.own_key = v.account and p.amount_minor = v.amount and p.currency = v.currency \
             join file f on f.id = p.file_id where p.file_id {whose} {{1}} and p.value_date >= {{2}} and p.value_date <= {{3}} \
             and p.report in ('notice', 'interim', 'final') and p.state not in ('held', 'void') order by p.id"
        );
        let mut rows = Rows::of_width(3);
        for (account, currency, amount) in amounts {
            rows.push(values![account, *currency, *amount]);
        }
        let found = self.all_with_rows("account, currency, amount", rows, &sql, values![file, from, to]).await?;
        found.iter().map(sighted).collect()
    }

    /// The items of a group that are no part of a sum yet, in the order of their file.
    pub async fn items_of_group(&mut self, group: &ItemGroup) -> anyhow::Result<Vec<PaymentId>> {
        let sql = format!(
            "select p.id from payment p where p.file_id = $1 and p.own_key = $2 and p.currency = $3 and p.value_date = $4 \
             and p.item_group = $5 and {FREE_ITEMS} order by p.id"
        );
        let ItemGroup { file, own, currency, value_date, group, .. } = group;
        let rows = self.all(&sql, values![*file, own, *currency, *value_date, group]).await?;
        rows.iter().map(|row| Ok(PaymentId(Columns::of(row).number()?))).collect()
    }

    /// How many of these items count, or stand for one that does and is not the line itself.
    pub(crate) async fn counting_parts(&mut self, parts: &[PaymentId], line: PaymentId) -> anyhow::Result<usize> {
        let mut rows = Rows::of_width(1);
        for part in parts {
            rows.push(values![*part]);
        }
        let sql = "{v} select p.id from payment p join v on v.id = p.id where p.part_of is null and (p.state not in ('held', 'void') \
                   or exists (select 1 from payment o where o.id = p.duplicate_of and o.id <> {1} and o.state not in ('held', 'void')))";
        Ok(self.all_with_rows("id", rows, sql, values![line]).await?.len())
    }

    /// Notes that items are the parts of a line.
    pub(crate) async fn note_parts(&mut self, parts: &[PaymentId], line: PaymentId) -> anyhow::Result<u64> {
        let mut rows = Rows::of_width(1);
        for part in parts {
            rows.push(values![*part]);
        }
        let sql = "{v} update payment set part_of = {1} from v where payment.id = v.id and payment.part_of is null";
        self.with_rows("id", rows, sql, values![line]).await
    }

    /// Fills what the payment does not say with what another record of the same money says, while nobody has decided about it.
    /// True when it did: the payment is worth another look.
    pub(crate) async fn complete_payment(&mut self, counts: PaymentId, record: PaymentId) -> anyhow::Result<bool> {
        if let Some(payment) = self.payment(counts).await? {
            self.keep_past(&[Past::Payment(payment.into())]).await?;
        }
        let mark = self.change_mark().await?;
        let sql = "update payment set payer_name = coalesce(payment.payer_name, s.payer_name), payer_id = coalesce(payment.payer_id, s.payer_id), \
                   payer_bank = case when payment.payer_account_key is null then coalesce(s.payer_bank, payment.payer_bank) else payment.payer_bank end, \
                   payer_account_cipher = case when payment.payer_account_key is null then s.payer_account_cipher else payment.payer_account_cipher end, \
                   payer_account_last4 = case when payment.payer_account_key is null then s.payer_account_last4 else payment.payer_account_last4 end, \
                   payer_account_key = coalesce(payment.payer_account_key, s.payer_account_key), \
                   trace = coalesce(payment.trace, s.trace), text = coalesce(payment.text, s.text), version = payment.version + 1, changed = $3 \
                   from payment s where payment.id = $1 and s.id = $2 and payment.state in ('received', 'exception') \
                   and ((payment.payer_name is null and s.payer_name is not null) or (payment.payer_id is null and s.payer_id is not null) \
                   or (payment.payer_account_key is null and s.payer_account_key is not null) or (payment.trace is null and s.trace is not null) \
                   or (payment.text is null and s.text is not null))";
        Ok(self.run(sql, values![counts, record, mark]).await? > 0)
    }

    /// Moves the advice that came with a further record to the payment, which has none; true when it did.
    pub(crate) async fn move_remittance(
        &mut self,
        remittance: RemittanceId,
        from: PaymentId,
        to: PaymentId,
    ) -> anyhow::Result<bool> {
        let mark = self.change_mark().await?;
        let sql = "update payment set remittance_id = $1, version = version + 1, changed = $3 where id = $2 and remittance_id is null \
                   and state in ('received', 'exception')";
        if self.run(sql, values![remittance, to, mark]).await? == 0 {
            return Ok(false);
        }
        let sql = "update remittance set payment_id = $2, changed = $3 where id = $1 and payment_id = $4";
        self.run(sql, values![remittance, to, mark, from]).await?;
        self.run("update payment set remittance_id = null where id = $1", values![from]).await?;
        Ok(true)
    }

    /// Stores doubts; one that a person settled stays settled.
    pub(crate) async fn record_doubts(&mut self, doubts: &[(PaymentId, PaymentId, &str)]) -> anyhow::Result<()> {
        let mut rows = Rows::of_width(4);
        for (payment, other, why) in doubts {
            rows.push(values![*payment, *other, *why, "open"]);
        }
        self.insert("doubt", "payment_id, other_id, why, state", "on conflict (payment_id, other_id) do nothing", rows).await?;
        Ok(())
    }

    /// Settles the open doubts of a payment as `same` or `other`, and notes the pairs a person named besides.
    pub(crate) async fn settle_doubts(
        &mut self,
        payment: PaymentId,
        others: &[PaymentId],
        state: &str,
        actor: &str,
    ) -> anyhow::Result<()> {
        let at = self.stamp().to_owned();
        let sql = "update doubt set state = $2, decided_by = $3, decided_at = $4 where payment_id = $1 and state = 'open'";
        self.run(sql, values![payment, state, actor, &at]).await?;
        let mut rows = Rows::of_width(6);
        for other in others {
            rows.push(values![payment, *other, "a person named it", state, actor, &at]);
        }
        let tail = "on conflict (payment_id, other_id) do update set state = excluded.state, decided_by = excluded.decided_by, \
                    decided_at = excluded.decided_at";
        self.insert("doubt", "payment_id, other_id, why, state, decided_by, decided_at", tail, rows).await?;
        Ok(())
    }

    /// The doubts about a payment, in order.
    pub async fn doubts_about(&mut self, payment: PaymentId) -> anyhow::Result<Vec<StoredDoubt>> {
        let sql = "select payment_id, other_id, why, state from doubt where payment_id = $1 order by other_id";
        let rows = self.all(sql, values![payment]).await?;
        let doubts = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(StoredDoubt {
                payment: PaymentId(columns.number()?),
                other: PaymentId(columns.number()?),
                why: columns.text()?,
                state: columns.text()?,
            })
        });
        doubts.collect()
    }

    /// Payments with an open doubt about that other one, in order: the items that may be what a line sums up.
    pub async fn doubting(&mut self, other: PaymentId) -> anyhow::Result<Vec<PaymentId>> {
        let rows = self
            .all("select payment_id from doubt where other_id = $1 and state = 'open' order by payment_id", values![other])
            .await?;
        rows.iter().map(|row| Ok(PaymentId(Columns::of(row).number()?))).collect()
    }

    /// Payments that a person said are not the same money.
    pub async fn told_apart(&mut self) -> anyhow::Result<Vec<(PaymentId, PaymentId)>> {
        let rows = self.all("select payment_id, other_id from doubt where state = 'other'", Vec::new()).await?;
        let pairs = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((PaymentId(columns.number()?), PaymentId(columns.number()?)))
        });
        pairs.collect()
    }

    /// Which of these payments must not move yet: a person has to say first whether they are the same money as another.
    pub async fn doubtful(&mut self, payments: &[PaymentId]) -> anyhow::Result<BTreeSet<PaymentId>> {
        let mut rows = Rows::of_width(1);
        for id in payments.iter().collect::<BTreeSet<_>>() {
            rows.push(values![*id]);
        }
        let sql = "{v} select distinct d.payment_id from doubt d join v on v.id = d.payment_id where d.state = 'open'";
        let found = self.all_with_rows("id", rows, sql, Vec::new()).await?;
        found.iter().map(|row| Ok(PaymentId(Columns::of(row).number()?))).collect()
    }

    /// Which of these payments are sums. They wait for their items, or for a person once those are overdue, and nothing decides them.
    pub async fn waiting_sums(&mut self, payments: &[PaymentId]) -> anyhow::Result<BTreeSet<PaymentId>> {
        let mut rows = Rows::of_width(1);
        for id in payments.iter().collect::<BTreeSet<_>>() {
            rows.push(values![*id]);
        }
        let sql = "{v} select p.id from payment p join v on v.id = p.id where p.is_sum = 1";
        let found = self.all_with_rows("id", rows, sql, Vec::new()).await?;
        found.iter().map(|row| Ok(PaymentId(Columns::of(row).number()?))).collect()
    }

    /// Sums that came on that business day or before and still wait for their items.
    pub async fn overdue_sums(&mut self, until: NaiveDate) -> anyhow::Result<Vec<PaymentId>> {
        let sql = "select id from payment where is_sum = 1 and state = 'received' and business_day <= $1 order by id";
        let rows = self.all(sql, values![until]).await?;
        rows.iter().map(|row| Ok(PaymentId(Columns::of(row).number()?))).collect()
    }

    /// What else tells of a payment: further records of the same money, and the sums it is a part of, as ids with their role.
    pub async fn sources_of(&mut self, payment: PaymentId) -> anyhow::Result<Vec<(PaymentId, &'static str)>> {
        let mut sources = Vec::new();
        for (role, sql) in [
            ("the same money", "select id from payment where duplicate_of = $1 order by id"),
            (
                "booked as a part of",
                "select part_of from payment where (id = $1 or duplicate_of = $1) and part_of is not null group by part_of order by part_of",
            ),
            ("made up of", "select id from payment where part_of = $1 order by id"),
            ("counts in its place", "select duplicate_of from payment where id = $1 and duplicate_of is not null"),
        ] {
            for row in &self.all(sql, values![payment]).await? {
                sources.push((PaymentId(Columns::of(row).number()?), role));
            }
        }
        Ok(sources)
    }
}

fn item_group(row: &sqlx::any::AnyRow) -> anyhow::Result<ItemGroup> {
    let columns = &mut Columns::of(row);
    Ok(ItemGroup {
        file: FileId(columns.number()?),
        format: columns.text_opt()?.unwrap_or_default(),
        own: AccountKey(columns.text()?),
        currency: columns.currency()?,
        value_date: columns.date()?,
        group: columns.text()?,
        items: columns.number()?,
        sum_minor: columns.number()?,
        payer_name: columns.text_opt()?,
        payer_id: columns.text_opt()?,
    })
}

fn sighted(row: &sqlx::any::AnyRow) -> anyhow::Result<Sighted> {
    let columns = &mut Columns::of(row);
    let mut sighted = Sighted {
        payment: PaymentId(columns.number()?),
        file: FileId(columns.number()?),
        format: columns.text_opt()?.unwrap_or_default(),
        seller: columns.number_opt()?.map(SellerId),
        currency: columns.currency()?,
        amount_minor: columns.number()?,
        value_date: columns.date()?,
        method: columns.code()?,
        payer_name: columns.text_opt()?,
        payer_id: columns.text_opt()?,
        payer_account: columns.text_opt()?.map(AccountKey),
        remittance: columns.number_opt()?.map(RemittanceId),
        state: columns.code()?,
        duplicate_of: columns.number_opt()?.map(PaymentId),
        part_of: columns.number_opt()?.map(PaymentId),
        is_explained: columns.number()? > 0,
        sighting: Sighting::default(),
    };
    sighted.sighting = Sighting {
        report: columns.code()?,
        own: columns.text_opt()?.map(AccountKey),
        own_last4: columns.text_opt()?,
        is_sum: columns.number()? != 0,
        group: columns.text_opt()?,
        items: columns.small_opt()?,
        marks: match columns.text_opt()? {
            Some(text) => serde_json::from_str(&text)?,
            None => Marks::default(),
        },
    };
    Ok(sighted)
}
