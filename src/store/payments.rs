//! Payments and bank returns.
//!
//! Amounts and states change only through `ledger`; what is public here reads, or records what a file says.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{
    Conflict, Tx,
    bulk::Rows,
    files::line,
    value::{Columns, byte, json, values},
};
use crate::domain::{
    AccountKey, Currency, CustomerId, FileId, Location, Payer, Payment, PaymentId, PaymentState, RemittanceId, SellerId,
    Sighting, Source,
};

/// A payment as a file says it, with what the domain does not carry along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPayment {
    pub payment: Payment,
    /// Counted from 1 among the payments and returns of the file.
    pub position: u32,
    pub payer_bank: Option<String>,
    /// The payer's account number, encrypted.
    pub payer_account_cipher: Option<String>,
    /// How the file saw the money.
    pub sighting: Sighting,
}

/// A payment taken back, as a file says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewReturn {
    pub id: i64,
    pub source: Source,
    pub seq: u32,
    pub position: u32,
    pub currency: Currency,
    /// How much goes back, as a positive amount.
    pub amount_minor: i64,
    pub code: String,
    pub original_trace: Option<String>,
    /// Number of the return itself, where the bank gives it one.
    pub trace: Option<String>,
    pub payer_name: Option<String>,
    /// Whose account it leaves.
    pub seller: Option<SellerId>,
    pub held: bool,
}

/// A bank return as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BankReturn {
    pub id: i64,
    pub file: FileId,
    pub currency: Currency,
    pub amount_minor: i64,
    pub code: String,
    pub original_trace: Option<String>,
    /// Number of the return itself, where the bank gives it one.
    pub trace: Option<String>,
    /// Who had paid.
    pub payer_name: Option<String>,
    /// Whose account it leaves.
    pub seller: Option<SellerId>,
    pub payment: Option<PaymentId>,
    pub state: String,
}

impl NewReturn {
    /// The return as it is once it is stored and nothing was done about it.
    pub fn stored(&self) -> BankReturn {
        BankReturn {
            id: self.id,
            file: self.source.file,
            currency: self.currency,
            amount_minor: self.amount_minor,
            code: self.code.clone(),
            original_trace: self.original_trace.clone(),
            trace: self.trace.clone(),
            payer_name: self.payer_name.clone(),
            seller: self.seller,
            payment: None,
            state: if self.held { "held" } else { "received" }.to_owned(),
        }
    }
}

/// A change of a payment that `ledger` decided; it applies to the version it was decided on and to no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PaymentChange {
    pub(crate) id: PaymentId,
    pub(crate) version: i64,
    pub(crate) unapplied_minor: i64,
    pub(crate) state: PaymentState,
    pub(crate) customer: Option<CustomerId>,
    /// 1 when a person did it.
    pub(crate) touches: i64,
}

const INSERTED: &str = "id, file_id, seq, position, seller_id, method, currency, amount_minor, unapplied_minor, value_date, business_day, \
                        payer_name, payer_id, payer_bank, payer_account_key, payer_account_cipher, payer_account_last4, customer_id, \
                        trace, text, remittance_id, state, byte, line, segment, tag, received_at, changed, own_key, own_last4, report, is_sum, item_group, item_count, marks";
const COLUMNS: &str = "p.id, p.file_id, p.byte, p.line, p.segment, p.tag, p.seq, p.seller_id, p.method, p.currency, p.amount_minor, \
                       p.unapplied_minor, p.value_date, p.business_day, p.payer_name, p.payer_id, p.payer_account_key, p.payer_account_last4, \
                       p.customer_id, p.trace, p.text, p.remittance_id, p.state, p.version";
const RETURN_COLUMNS: &str =
    "id, file_id, currency, amount_minor, code, original_trace, trace, payer_name, seller_id, payment_id, state";

/// What the bank took back and nobody has tied to a payment.
const UNTIED: &str = "state = 'received' and payment_id is null and amount_minor > 0 and original_trace is not null";

/// Payments `p` with the exception `e` that asks what they are for. A sum is never matched, and money that was ever applied was somebody's decision.
const HELD_UNTOUCHED: &str = "from payment p join exception e on e.payment_id = p.id and e.key = 'payment:' || p.id || ':match' \
                              where p.state = 'exception' and p.touches = 0 and p.is_sum = 0 and e.state = 'open' and e.changed_by = 'engine' \
                              and not exists (select 1 from application a where a.payment_id = p.id) \
                              and not exists (select 1 from request r where r.exception_id = e.id) \
                              and not exists (select 1 from exception_note n where n.exception_id = e.id) \
                              and not exists (select 1 from exception o where o.payment_id = p.id and o.state = 'open' and o.id <> e.id)";

impl Tx {
    /// Stores the payments of a file. Their ids are reserved before.
    pub async fn record_payments(&mut self, payments: &[NewPayment]) -> anyhow::Result<()> {
        if payments.is_empty() {
            return Ok(());
        }
        let (at, mark) = (self.stamp().to_owned(), self.change_mark().await?);
        let mut rows = Rows::of_width(35);
        for new in payments {
            let NewPayment { payment, position, payer_bank, payer_account_cipher, sighting } = new;
            let (place, payer) = (&payment.source.location, &payment.payer);
            rows.push(values![
                payment.id,
                payment.source.file,
                payment.seq,
                *position,
                payment.seller,
                payment.method.as_str(),
                payment.currency,
                payment.amount_minor,
                payment.unapplied_minor,
                payment.value_date,
                payment.business_day,
                &payer.name,
                &payer.id,
                payer_bank,
                &payer.account,
                payer_account_cipher,
                &payer.account_last4,
                payer.customer,
                &payment.trace,
                &payment.text,
                payment.remittance,
                payment.state.as_str(),
                byte(place.byte),
                line(place.line),
                place.segment,
                place.tag.map(|tag| tag.to_string()),
                &at,
                mark,
                &sighting.own,
                &sighting.own_last4,
                sighting.report.as_str(),
                sighting.is_sum,
                &sighting.group,
                sighting.items,
                sighting.own.is_some().then(|| json(&sighting.marks)).transpose()?,
            ]);
        }
        self.insert("payment", INSERTED, "", rows).await?;
        Ok(())
    }

    /// The payments of these ids, in order of id.
    pub async fn payments(&mut self, ids: &[PaymentId]) -> anyhow::Result<Vec<Payment>> {
        self.payments_by_id(ids, "").await
    }

    /// The same, locked in order of id until the transaction ends.
    pub(crate) async fn lock_payments(&mut self, ids: &[PaymentId]) -> anyhow::Result<Vec<Payment>> {
        let lock = self.for_update_of("p");
        self.payments_by_id(ids, &lock).await
    }

    /// Payments that wait for a person and that people have left alone, in order of id from the one after `after` on. Whoever notes, takes, asks for a
    /// decision or moves money of one has it in hand; another open question about it has to be answered first.
    pub async fn held_untouched(&mut self, after: PaymentId, most: usize) -> anyhow::Result<Vec<PaymentId>> {
        let sql = format!("select p.id {HELD_UNTOUCHED} and p.id > $1 order by p.id limit {most}");
        let rows = self.all(&sql, values![after]).await?;
        rows.iter().map(|row| Ok(PaymentId(Columns::of(row).number()?))).collect()
    }

    /// How many they are.
    pub async fn count_held_untouched(&mut self) -> anyhow::Result<u64> {
        Ok(u64::try_from(self.number(&format!("select count(*) {HELD_UNTOUCHED}"), Vec::new()).await?)?)
    }

    async fn payments_by_id(&mut self, ids: &[PaymentId], lock: &str) -> anyhow::Result<Vec<Payment>> {
        let mut rows = Rows::of_width(1);
        for id in ids.iter().collect::<BTreeSet<_>>() {
            rows.push(values![*id]);
        }
        let sql = format!("{{v}} select {COLUMNS} from payment p join v on p.id = v.id order by p.id{lock}");
        let found = self.all_with_rows("id", rows, &sql, Vec::new()).await?;
        found.iter().map(read).collect()
    }

    pub async fn payment(&mut self, id: PaymentId) -> anyhow::Result<Option<Payment>> {
        let row = self.first(&format!("select {COLUMNS} from payment p where p.id = $1"), values![id]).await?;
        row.as_ref().map(read).transpose()
    }

    /// Payments of a file with a `seq` from `first` to before `end`, in the order of the file.
    pub async fn payments_of_file(&mut self, file: FileId, first: u32, end: u32) -> anyhow::Result<Vec<Payment>> {
        let sql = format!("select {COLUMNS} from payment p where p.file_id = $1 and p.seq >= $2 and p.seq < $3 order by p.seq");
        self.all(&sql, values![file, first, end]).await?.iter().map(read).collect()
    }

    /// Payments stored or changed since the mark, with the mark to ask with next time. Marks start at 0.
    pub async fn payments_changed_since(&mut self, mark: i64) -> anyhow::Result<(Vec<Payment>, i64)> {
        let horizon = self.horizon().await?;
        let rows =
            self.all(&format!("select {COLUMNS} from payment p where p.changed >= $1 order by p.id"), values![mark]).await?;
        Ok((rows.iter().map(read).collect::<anyhow::Result<_>>()?, horizon))
    }

    /// Live payments that any record of theirs gives that trace, newest first.
    pub async fn payments_by_trace(&mut self, trace: &str) -> anyhow::Result<Vec<Payment>> {
        let sql = format!(
            "select {COLUMNS} from payment p where p.state not in ('held', 'void') and p.id in (select coalesce(s.duplicate_of, s.id) \
             from payment s where s.trace = $1 or s.trace = $2) order by p.id desc"
        );
        self.all(&sql, values![trace, trace.trim_start_matches('0')]).await?.iter().map(read).collect()
    }

    /// Live payments that any record of theirs names by that folded number, newest first. It reads many rows: ask by trace first.
    pub async fn payments_by_mark(&mut self, mark: &str, since: NaiveDate) -> anyhow::Result<Vec<Payment>> {
        let sql = format!(
            "select {COLUMNS} from payment p where p.state not in ('held', 'void') and p.id in (select coalesce(s.duplicate_of, s.id) \
             from payment s where s.value_date >= $2 and s.marks like $1) order by p.id desc"
        );
        self.all(&sql, values![format!("%\"{mark}\"%"), since]).await?.iter().map(read).collect()
    }

    /// Stores the returns of a file. Their ids are reserved before.
    pub async fn record_returns(&mut self, returns: &[NewReturn]) -> anyhow::Result<()> {
        let mut rows = Rows::of_width(15);
        for new in returns {
            let place = &new.source.location;
            let state = if new.held { "held" } else { "received" };
            rows.push(values![
                new.id,
                new.source.file,
                new.seq,
                new.position,
                new.currency,
                new.amount_minor,
                &new.code,
                &new.original_trace,
                &new.trace,
                &new.payer_name,
                new.seller,
                state,
                byte(place.byte),
                line(place.line),
                place.segment,
            ]);
        }
        let columns = "id, file_id, seq, position, currency, amount_minor, code, original_trace, trace, payer_name, seller_id, state, byte, line, segment";
        self.insert("bank_return", columns, "", rows).await?;
        Ok(())
    }

    pub async fn bank_returns_of_file(&mut self, file: FileId) -> anyhow::Result<Vec<BankReturn>> {
        let sql = format!("select {RETURN_COLUMNS} from bank_return where file_id = $1 order by seq");
        let rows = self.all(&sql, values![file]).await?;
        rows.iter().map(|row| BankReturn::read(&mut Columns::of(row))).collect()
    }

    pub async fn bank_return(&mut self, id: i64) -> anyhow::Result<Option<BankReturn>> {
        let sql = format!("select {RETURN_COLUMNS} from bank_return where id = $1{}", self.for_update());
        self.first(&sql, values![id]).await?.map(|row| BankReturn::read(&mut Columns::of(&row))).transpose()
    }

    /// Returns of money that found no payment yet.
    pub async fn untied_returns(&mut self) -> anyhow::Result<Vec<BankReturn>> {
        let sql = format!("select {RETURN_COLUMNS} from bank_return where {UNTIED} order by id");
        self.all(&sql, Vec::new()).await?.iter().map(|row| BankReturn::read(&mut Columns::of(row))).collect()
    }

    pub async fn count_untied_returns(&mut self) -> anyhow::Result<i64> {
        self.number(&format!("select count(*) from bank_return where {UNTIED}"), Vec::new()).await
    }

    /// Whether a record of a file bears that trace or that folded number.
    pub async fn is_named_in_file(&mut self, file: FileId, trace: &str, mark: &str) -> anyhow::Result<bool> {
        let sql =
            "select count(*) from payment where file_id = $1 and (trace = $2 or trace = $3 or ($4 <> '' and marks like $5))";
        let found = values![file, trace, trace.trim_start_matches('0'), mark, format!("%\"{mark}\"%")];
        Ok(self.number(sql, found).await? > 0)
    }

    /// Whether another file told of this return of that payment within a week: one of another format, or one that gives it the same number.
    /// Each file's returns are counted, so that two returns of equal parts stay two. Lock the payment before: two files may tell of it at once.
    pub async fn is_return_told(&mut self, returned: &BankReturn, payment: PaymentId) -> anyhow::Result<bool> {
        /// Days between two reports of one return.
        const DAYS: u64 = 7;
        let Some(ours) = self.file(returned.file).await? else { return Ok(false) };
        let sql = "select f.id, f.format, f.business_day, b.trace, count(*) from bank_return b join file f on f.id = b.file_id \
                   where b.payment_id = $1 and b.amount_minor = $2 and b.currency = $3 and b.state in ('posted', 'void') \
                   group by f.id, f.format, f.business_day, b.trace";
        let mut mine = Told::default();
        let mut others: BTreeMap<FileId, (bool, Told)> = BTreeMap::new();
        for row in &self.all(sql, values![payment, returned.amount_minor, returned.currency]).await? {
            let mut columns = Columns::of(row);
            let (file, format, day) = (FileId(columns.number()?), columns.text_opt()?, columns.date()?);
            let is_same_number = columns.text_opt()?.is_some_and(|trace| returned.trace.as_ref() == Some(&trace));
            let apart = day.signed_duration_since(ours.business_day).num_days().unsigned_abs();
            let told = match file == ours.id {
                true => &mut mine,
                false if apart <= DAYS => &mut others.entry(file).or_insert((format != ours.format, Told::default())).1,
                false => continue,
            };
            told.add(columns.number()?, is_same_number);
        }
        let told = |(of_another_format, told): &(bool, Told)| {
            (*of_another_format && told.all > mine.all) || told.numbered > mine.numbered
        };
        Ok(others.values().any(told))
    }

    /// Notes what became of a return.
    pub(crate) async fn settle_bank_return(&mut self, id: i64, payment: Option<PaymentId>, state: &str) -> anyhow::Result<()> {
        self.run("update bank_return set payment_id = $2, state = $3 where id = $1", values![id, payment, state]).await?;
        Ok(())
    }

    /// Leaves payments to a person, each at the version it was decided on; the customer is kept where one is known.
    /// Returns those that moved; the others changed meanwhile. Raise their exceptions in the same transaction.
    pub async fn send_to_person(&mut self, payments: &[(PaymentId, i64, Option<CustomerId>)]) -> anyhow::Result<Vec<PaymentId>> {
        let mut sorted = payments.to_vec();
        sorted.sort();
        let mut rows = Rows::of_width(3);
        for (id, version, customer) in sorted {
            rows.push(values![id, version, customer]);
        }
        let mark = self.change_mark().await?;
        let sql = "{v} update payment set state = 'exception', version = payment.version + 1, changed = {1}, \
                   customer_id = coalesce(v.customer, customer_id) from v where payment.id = v.id and payment.version = v.version \
                   and payment.state in ('received', 'exception') returning payment.id";
        let moved = self.all_with_rows("id, version, customer", rows, sql, values![mark]).await?;
        moved.iter().map(|row| Ok(PaymentId(Columns::of(row).number()?))).collect()
    }

    /// Writes changes that `ledger` decided on locked rows; a row that moved meanwhile is a [`Conflict`].
    pub(crate) async fn change_payments(&mut self, changes: &[PaymentChange]) -> anyhow::Result<()> {
        if changes.is_empty() {
            return Ok(());
        }
        let (at, mark) = (self.stamp().to_owned(), self.change_mark().await?);
        let mut rows = Rows::of_width(6);
        for change in changes {
            let PaymentChange { id, version, unapplied_minor, state, customer, touches } = change;
            rows.push(values![*id, *version, *unapplied_minor, state.as_str(), *customer, *touches]);
        }
        let sql = "{v} update payment set unapplied_minor = v.unapplied, state = v.new_state, \
                   customer_id = coalesce(v.customer, customer_id), touches = touches + v.touched, version = payment.version + 1, changed = {2}, \
                   posted_at = case when v.new_state = 'posted' then {1} else posted_at end \
                   from v where payment.id = v.id and payment.version = v.version";
        let columns = "id, version, unapplied, new_state, customer, touched";
        let touched = self.with_rows(columns, rows, sql, values![at, mark]).await?;
        if touched != changes.len() as u64 {
            return Err(Conflict("a payment".to_owned()).into());
        }
        Ok(())
    }

    /// Notes which payments count in the place of other records of the same money.
    pub(crate) async fn note_duplicates(&mut self, pairs: &[(PaymentId, PaymentId)]) -> anyhow::Result<()> {
        let mut rows = Rows::of_width(2);
        for (id, of) in pairs {
            rows.push(values![*id, *of]);
        }
        let sql = "{v} update payment set duplicate_of = v.counts from v where payment.id = v.id";
        self.with_rows("id, counts", rows, sql, Vec::new()).await?;
        Ok(())
    }

    /// A payment that was marked as a duplicate of this one, if there is any.
    pub(crate) async fn duplicate_of_payment(&mut self, id: PaymentId) -> anyhow::Result<Option<PaymentId>> {
        let row = self.first("select id from payment where duplicate_of = $1 order by id limit 1", values![id]).await?;
        row.map(|row| Ok(PaymentId(Columns::of(&row).number()?))).transpose()
    }

    /// Moves all payments of a file from one state to another, for a held file that is released or rejected.
    pub(crate) async fn move_payments_of_file(
        &mut self,
        file: FileId,
        from: PaymentState,
        to: PaymentState,
    ) -> anyhow::Result<u64> {
        let mark = self.change_mark().await?;
        let sql = "update payment set state = $3, version = version + 1, changed = $4 where file_id = $1 and state = $2";
        self.run(sql, values![file, from.as_str(), to.as_str(), mark]).await
    }

    /// Live payments of a file settle receivables of whoever owns the account they went to: it may have been imported since they were read.
    pub(crate) async fn name_sellers_of_file(&mut self, file: FileId) -> anyhow::Result<u64> {
        let owners = "from bank_account b where b.account_key = payment.own_key or b.number_key = payment.own_key";
        let sql = format!(
            "update payment set seller_id = (select min(b.seller_id) {owners}) where file_id = $1 and own_key is not null \
             and state not in ('held', 'void') and (select count(distinct b.seller_id) {owners}) = 1"
        );
        self.run(&sql, values![file]).await
    }

    /// Moves all returns of a file from one state to another.
    pub(crate) async fn move_bank_returns_of_file(&mut self, file: FileId, from: &str, to: &str) -> anyhow::Result<u64> {
        self.run("update bank_return set state = $3 where file_id = $1 and state = $2", values![file, from, to]).await
    }

    /// What was received of a file and is live, per seller and currency.
    pub(crate) async fn receipts_of_file(&mut self, file: FileId) -> anyhow::Result<Vec<(Option<SellerId>, Currency, i64)>> {
        let sql = "select seller_id, currency, cast(sum(amount_minor) as bigint) from payment \
                   where file_id = $1 and state not in ('held', 'void') group by seller_id, currency order by currency, seller_id";
        let rows = self.all(sql, values![file]).await?;
        let sums = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((columns.number_opt()?.map(SellerId), columns.currency()?, columns.number()?))
        });
        sums.collect()
    }

    pub async fn count_payments_of_file(&mut self, file: FileId) -> anyhow::Result<i64> {
        self.number("select count(*) from payment where file_id = $1", values![file]).await
    }
}

/// Returns of one payment that a file told of: all, and those with the number of the one in question.
#[derive(Clone, Copy, Default)]
struct Told {
    all: i64,
    numbered: i64,
}

impl Told {
    const fn add(&mut self, count: i64, is_same_number: bool) {
        self.all = self.all.saturating_add(count);
        if is_same_number {
            self.numbered = self.numbered.saturating_add(count);
        }
    }
}

impl BankReturn {
    fn read(columns: &mut Columns<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            id: columns.number()?,
            file: FileId(columns.number()?),
            currency: columns.currency()?,
            amount_minor: columns.number()?,
            code: columns.text()?,
            original_trace: columns.text_opt()?,
            trace: columns.text_opt()?,
            payer_name: columns.text_opt()?,
            seller: columns.number_opt()?.map(SellerId),
            payment: columns.number_opt()?.map(PaymentId),
            state: columns.text()?,
        })
    }
}

fn read(row: &sqlx::any::AnyRow) -> anyhow::Result<Payment> {
    let columns = &mut Columns::of(row);
    Ok(Payment {
        id: PaymentId(columns.number()?),
        source: source(columns)?,
        seq: columns.small()?,
        seller: columns.number_opt()?.map(SellerId),
        method: columns.code()?,
        currency: columns.currency()?,
        amount_minor: columns.number()?,
        unapplied_minor: columns.number()?,
        value_date: columns.date()?,
        business_day: columns.date()?,
        payer: payer(columns)?,
        trace: columns.text_opt()?,
        text: columns.text_opt()?,
        remittance: columns.number_opt()?.map(RemittanceId),
        state: columns.code()?,
        version: columns.number()?,
    })
}

/// `file_id, byte, line, segment, tag`.
pub(super) fn source(columns: &mut Columns<'_>) -> anyhow::Result<Source> {
    let file = FileId(columns.number()?);
    let location = Location {
        byte: columns.small()?,
        line: columns.small_opt()?,
        segment: columns.small_opt()?,
        tag: columns.text_opt()?.map(|tag| tieout_parsers::Tag::new(tag.as_bytes())),
        ..Location::default()
    };
    Ok(Source { file, location })
}

/// `payer_name, payer_id, payer_account_key, payer_account_last4, customer_id`.
pub(super) fn payer(columns: &mut Columns<'_>) -> anyhow::Result<Payer> {
    Ok(Payer {
        name: columns.text_opt()?,
        id: columns.text_opt()?,
        account: columns.text_opt()?.map(AccountKey),
        account_last4: columns.text_opt()?,
        customer: columns.number_opt()?.map(CustomerId),
    })
}
