//! Exceptions: work for a person. One row for one cause, found again by its key; a version decides races.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use super::{
    Kind, Tx,
    bulk::Rows,
    db::stamp,
    files::line,
    value::{Columns, Value, byte, count, json, values},
};
use crate::domain::{
    Currency, CustomerId, ExceptionId, FileId, Level, OpenItemId, PaymentId, Reason, RemittanceId, Route, SellerId,
};

/// An exception to be stored. The key names its cause: `file:3:held`, `payment:17:match`, `record:3:12`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewException {
    pub key: String,
    pub level: Level,
    pub reason: Reason,
    pub route: Route,
    pub file: Option<FileId>,
    pub payment: Option<PaymentId>,
    pub remittance: Option<RemittanceId>,
    pub open_item: Option<OpenItemId>,
    pub seller: Option<SellerId>,
    pub customer: Option<CustomerId>,
    pub amount: Option<(i64, Currency)>,
    /// Where in the file it is, for a record.
    pub byte: Option<u64>,
    pub line: Option<u64>,
    /// One sentence for a person.
    pub message: String,
    /// Proposals and evidence, or what was expected and found.
    pub details: Json,
}

impl NewException {
    /// An exception with what every one has; the rest is filled in by the caller.
    pub fn new(key: String, level: Level, reason: Reason, route: Route, message: String) -> Self {
        Self {
            key,
            level,
            reason,
            route,
            message,
            file: None,
            payment: None,
            remittance: None,
            open_item: None,
            seller: None,
            customer: None,
            amount: None,
            byte: None,
            line: None,
            details: Json::Null,
        }
    }
}

/// An exception as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    pub id: ExceptionId,
    pub key: String,
    pub level: Level,
    pub reason: Reason,
    pub queue: String,
    pub owner: Option<String>,
    /// Id of the routing rule that sent it there.
    pub route: String,
    pub open: bool,
    pub due_at: Option<String>,
    pub opened_at: String,
    pub file: Option<FileId>,
    pub payment: Option<PaymentId>,
    pub remittance: Option<RemittanceId>,
    pub open_item: Option<OpenItemId>,
    pub seller: Option<SellerId>,
    pub customer: Option<CustomerId>,
    pub amount_minor: Option<i64>,
    pub currency: Option<Currency>,
    pub byte: Option<u64>,
    pub line: Option<u64>,
    pub message: String,
    pub details: Json,
    pub resolution: Option<String>,
    pub resolution_key: Option<String>,
    pub resolved_by: Option<String>,
    pub resolved_at: Option<String>,
    /// Who touched it last.
    pub changed_by: String,
    pub changed_at: String,
    pub version: i64,
}

/// What to list. Empty fields do not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExceptionFilter {
    pub open: Option<bool>,
    pub queue: Option<String>,
    pub owner: Option<String>,
    pub reason: Option<Reason>,
    pub file: Option<FileId>,
    pub payment: Option<PaymentId>,
    /// Only those with a greater id.
    pub after: Option<ExceptionId>,
    pub limit: Option<usize>,
}

/// A note that a person left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub at: String,
    pub actor: String,
    pub text: String,
}

/// What a request was about and what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) exception: ExceptionId,
    /// SHA-256 of the action in hexadecimal digits.
    pub(crate) action_hash: String,
    pub(crate) by: String,
    pub(crate) at: String,
    pub(crate) answer: String,
    /// Nothing moved; somebody who may was asked.
    pub(crate) recommended: bool,
}

/// A queue at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueLoad {
    pub queue: String,
    pub reason: Reason,
    pub currency: Option<Currency>,
    pub exceptions: i64,
    pub amount_minor: i64,
    pub oldest: String,
}

const INSERTED: &str = "id, key, level, reason, queue, owner, route, state, due_at, opened_at, file_id, payment_id, remittance_id, \
                        open_item_id, seller_id, customer_id, amount_minor, currency, byte, line, message, details, changed_by, changed_at";
const COLUMNS: &str = "id, key, level, reason, queue, owner, route, state, due_at, opened_at, file_id, payment_id, remittance_id, \
                       open_item_id, seller_id, customer_id, amount_minor, currency, byte, line, message, details, resolution, \
                       resolution_key, resolved_by, resolved_at, changed_by, changed_at, version";
/// An exception that comes up again is open again, with what is known now; who looks after it stays, and so does the time by which an open one of
/// the same reason should be cleared.
const AGAIN: &str = "on conflict (key) do update set level = excluded.level, reason = excluded.reason, queue = excluded.queue, \
                     owner = coalesce(exception.owner, excluded.owner), route = excluded.route, state = 'open', \
                     due_at = case when exception.state = 'open' and exception.reason = excluded.reason then exception.due_at else excluded.due_at end, \
                     customer_id = excluded.customer_id, amount_minor = excluded.amount_minor, currency = excluded.currency, \
                     message = excluded.message, details = excluded.details, resolution = null, resolution_key = null, \
                     resolved_by = null, resolved_at = null, changed_by = excluded.changed_by, changed_at = excluded.changed_at, version = exception.version + 1";

impl Tx {
    /// Raises exceptions, or raises them again, and returns their ids in the same order. Keys must not repeat in one call.
    pub async fn raise_exceptions(&mut self, exceptions: &[NewException], actor: &str) -> anyhow::Result<Vec<ExceptionId>> {
        if exceptions.is_empty() {
            return Ok(Vec::new());
        }
        let ids = self.reserve(Kind::Exception, exceptions.len()).await?;
        let (at, now) = (self.stamp().to_owned(), self.at());
        let (mut rows, mut keys) = (Rows::of_width(24), Rows::of_width(1));
        for (new, id) in exceptions.iter().zip(ids) {
            let due = stamp(now + chrono::TimeDelta::hours(new.route.due_hours.into()));
            let (amount, currency) = new.amount.unzip();
            keys.push(values![&new.key]);
            rows.push(values![
                id,
                &new.key,
                new.level.as_str(),
                new.reason.code(),
                &new.route.queue,
                &new.route.owner,
                &new.route.rule,
                "open",
                due,
                &at,
                new.file,
                new.payment,
                new.remittance,
                new.open_item,
                new.seller,
                new.customer,
                amount,
                currency.map(|currency| currency.to_string()),
                new.byte.map(byte),
                line(new.line),
                &new.message,
                json(&new.details)?,
                actor,
                &at,
            ]);
        }
        self.insert("exception", INSERTED, AGAIN, rows).await?;
        let found = self
            .all_with_rows("key", keys, "{v} select e.key, e.id from exception e join v on e.key = v.key", Vec::new())
            .await?;
        let by_key = found.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((columns.text()?, ExceptionId(columns.number()?)))
        });
        let by_key = by_key.collect::<anyhow::Result<HashMap<_, _>>>()?;
        let ids = exceptions.iter().map(|new| by_key.get(&new.key).copied());
        ids.collect::<Option<_>>().ok_or_else(|| anyhow::anyhow!("an exception that was just stored cannot be found"))
    }

    pub async fn exception(&mut self, id: ExceptionId) -> anyhow::Result<Option<Exception>> {
        let row = self.first(&format!("select {COLUMNS} from exception where id = $1"), values![id]).await?;
        row.map(|row| Exception::read(&mut Columns::of(&row))).transpose()
    }

    /// The same, locked until the transaction ends.
    pub(crate) async fn lock_exception(&mut self, id: ExceptionId) -> anyhow::Result<Option<Exception>> {
        let sql = format!("select {COLUMNS} from exception where id = $1{}", self.for_update());
        self.first(&sql, values![id]).await?.map(|row| Exception::read(&mut Columns::of(&row))).transpose()
    }

    pub async fn exception_by_key(&mut self, key: &str) -> anyhow::Result<Option<Exception>> {
        let row = self.first(&format!("select {COLUMNS} from exception where key = $1"), values![key]).await?;
        row.map(|row| Exception::read(&mut Columns::of(&row))).transpose()
    }

    /// Exceptions that pass the filter, in order of id.
    pub async fn exceptions(&mut self, filter: &ExceptionFilter) -> anyhow::Result<Vec<Exception>> {
        let state = filter.open.map(|open| if open { "open" } else { "resolved" });
        let wanted: [(&str, Option<Value>); 7] = [
            ("state =", state.map(Value::from)),
            ("queue =", filter.queue.as_deref().map(Value::from)),
            ("owner =", filter.owner.as_deref().map(Value::from)),
            ("reason =", filter.reason.map(|reason| Value::from(reason.code()))),
            ("file_id =", filter.file.map(Value::from)),
            ("payment_id =", filter.payment.map(Value::from)),
            ("id >", filter.after.map(Value::from)),
        ];
        let (mut conditions, mut given) = (vec!["1 = 1".to_owned()], Vec::new());
        for (condition, value) in wanted.into_iter().filter_map(|(condition, value)| Some((condition, value?))) {
            given.push(value);
            conditions.push(format!("{condition} ${}", given.len()));
        }
        given.push(Value::from(count(filter.limit.unwrap_or(usize::MAX))));
        let sql =
            format!("select {COLUMNS} from exception where {} order by id limit ${}", conditions.join(" and "), given.len());
        self.all(&sql, given).await?.iter().map(|row| Exception::read(&mut Columns::of(row))).collect()
    }

    /// Gives an exception to somebody, or to nobody; false when its version is no longer that one.
    pub async fn assign_exception(
        &mut self,
        id: ExceptionId,
        version: i64,
        owner: Option<&str>,
        actor: &str,
    ) -> anyhow::Result<bool> {
        let at = self.stamp().to_owned();
        let sql = "update exception set owner = $3, changed_by = $4, changed_at = $5, version = version + 1 \
                   where id = $1 and version = $2 and state = 'open'";
        Ok(self.run(sql, values![id, version, owner, actor, at]).await? == 1)
    }

    /// Notes that somebody worked on an exception that stays open; false when its version is no longer that one.
    pub(crate) async fn touch_exception(&mut self, id: ExceptionId, version: i64, actor: &str) -> anyhow::Result<bool> {
        let at = self.stamp().to_owned();
        let sql = "update exception set changed_by = $3, changed_at = $4, version = version + 1 where id = $1 and version = $2 and state = 'open'";
        Ok(self.run(sql, values![id, version, actor, at]).await? == 1)
    }

    pub async fn note_exception(&mut self, id: ExceptionId, actor: &str, text: &str) -> anyhow::Result<()> {
        let note = self.reserve_one(Kind::ExceptionNote).await?;
        let at = self.stamp().to_owned();
        let sql = "insert into exception_note (id, exception_id, at, actor, text) values ($1, $2, $3, $4, $5)";
        self.run(sql, values![note, id, at, actor, text]).await?;
        Ok(())
    }

    pub async fn exception_notes(&mut self, id: ExceptionId) -> anyhow::Result<Vec<Note>> {
        let rows =
            self.all("select at, actor, text from exception_note where exception_id = $1 order by id", values![id]).await?;
        let notes = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(Note { at: columns.text()?, actor: columns.text()?, text: columns.text()? })
        });
        notes.collect()
    }

    /// Closes an exception; false when its version is no longer that one.
    pub(crate) async fn close_exception(
        &mut self,
        id: ExceptionId,
        version: i64,
        resolution: &str,
        key: &str,
        actor: &str,
    ) -> anyhow::Result<bool> {
        let at = self.stamp().to_owned();
        let sql = "update exception set state = 'resolved', resolution = $3, resolution_key = $4, resolved_by = $5, resolved_at = $6, \
                   changed_by = $5, changed_at = $6, \
                   version = version + 1 where id = $1 and version = $2 and state = 'open'";
        Ok(self.run(sql, values![id, version, resolution, key, actor, at]).await? == 1)
    }

    /// Closes open exceptions by key, because what they asked for happened elsewhere. Unknown or closed ones are left alone.
    pub async fn clear_exceptions(&mut self, keys: &[String], resolution: &str, actor: &str) -> anyhow::Result<u64> {
        let at = self.stamp().to_owned();
        let mut rows = Rows::of_width(1);
        for key in keys {
            rows.push(values![key]);
        }
        let sql = "{v} update exception set state = 'resolved', resolution = {1}, resolved_by = {2}, resolved_at = {3}, changed_by = {2}, changed_at = {3}, \
                   version = version + 1 from v where exception.key = v.key and state = 'open'";
        self.with_rows("key", rows, sql, values![resolution, actor, at]).await
    }

    /// How many open exceptions are about what to do with a payment; whether it was posted rightly is asked about something that is done.
    pub(crate) async fn count_open_exceptions_of(&mut self, payment: PaymentId) -> anyhow::Result<i64> {
        self.number(
            "select count(*) from exception where payment_id = $1 and state = 'open' and reason <> 'audit_sample'",
            values![payment],
        )
        .await
    }

    /// The first request of a key with its answer, when it was made before.
    pub(crate) async fn first_answer(&mut self, key: &str) -> anyhow::Result<Option<Answer>> {
        let sql = "select exception_id, action_hash, actor, at, answer, recommended from request where key = $1";
        let row = self.first(sql, values![key]).await?;
        let answer = row.map(|row| {
            let mut columns = Columns::of(&row);
            Ok(Answer {
                exception: ExceptionId(columns.number()?),
                action_hash: columns.text()?,
                by: columns.text()?,
                at: columns.text()?,
                answer: columns.text()?,
                recommended: columns.number()? != 0,
            })
        });
        answer.transpose()
    }

    /// Keeps the answer to a request; two of the same key at once are refused by the database and the second tries again.
    pub(crate) async fn keep_answer(&mut self, key: &str, new: &Answer) -> anyhow::Result<()> {
        let Answer { exception, action_hash, by, at, answer, recommended } = new;
        let sql = "insert into request (key, at, actor, exception_id, action_hash, answer, recommended) \
                   values ($1, $2, $3, $4, $5, $6, $7) on conflict (key) do nothing";
        if self.run(sql, values![key, at, by, *exception, action_hash, answer, i64::from(*recommended)]).await? == 0 {
            return Err(super::Conflict("a request".to_owned()).into());
        }
        Ok(())
    }

    /// The open queues at a glance.
    pub async fn queue_loads(&mut self) -> anyhow::Result<Vec<QueueLoad>> {
        let sql = "select queue, reason, currency, count(*), cast(coalesce(sum(amount_minor), 0) as bigint), min(opened_at) from exception \
                   where state = 'open' group by queue, reason, currency order by queue, reason, currency";
        let rows = self.all(sql, Vec::new()).await?;
        let loads = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(QueueLoad {
                queue: columns.text()?,
                reason: columns.code()?,
                currency: columns.text_opt()?.as_deref().and_then(Currency::parse),
                exceptions: columns.number()?,
                amount_minor: columns.number()?,
                oldest: columns.text()?,
            })
        });
        loads.collect()
    }
}

impl Exception {
    fn read(columns: &mut Columns<'_>) -> anyhow::Result<Self> {
        Ok(Self {
            id: ExceptionId(columns.number()?),
            key: columns.text()?,
            level: columns.code()?,
            reason: columns.code()?,
            queue: columns.text()?,
            owner: columns.text_opt()?,
            route: columns.text()?,
            open: columns.text()? == "open",
            due_at: columns.text_opt()?,
            opened_at: columns.text()?,
            file: columns.number_opt()?.map(FileId),
            payment: columns.number_opt()?.map(PaymentId),
            remittance: columns.number_opt()?.map(RemittanceId),
            open_item: columns.number_opt()?.map(OpenItemId),
            seller: columns.number_opt()?.map(SellerId),
            customer: columns.number_opt()?.map(CustomerId),
            amount_minor: columns.number_opt()?,
            currency: columns.text_opt()?.as_deref().and_then(Currency::parse),
            byte: columns.small_opt()?,
            line: columns.small_opt()?,
            message: columns.text()?,
            details: columns.json()?,
            resolution: columns.text_opt()?,
            resolution_key: columns.text_opt()?,
            resolved_by: columns.text_opt()?,
            resolved_at: columns.text_opt()?,
            changed_by: columns.text()?,
            changed_at: columns.text()?,
            version: columns.number()?,
        })
    }

    /// Whether it is overdue at that moment.
    pub fn is_overdue(&self, at: DateTime<Utc>) -> bool {
        self.open && self.due_at.as_deref().is_some_and(|due| due < stamp(at).as_str())
    }
}
