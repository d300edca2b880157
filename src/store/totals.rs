//! The queries behind the promises: each returns the rows that break it, and the figures that show that none does.

use super::{Tx, value::Columns};

/// A promise with the rows that break it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) promise: &'static str,
    /// The first rows that break it, each as a sentence; empty when it holds.
    pub(crate) rows: Vec<String>,
    /// Figures that show it.
    pub(crate) proof: String,
}

impl Tx {
    /// All promises that the tables alone can prove.
    pub(crate) async fn broken_promises(&mut self) -> anyhow::Result<Vec<Broken>> {
        let mut promises = Vec::with_capacity(QUERIES.len());
        for Query { promise, rows, proof } in QUERIES {
            let (rows, proof) = match self.texts(&format!("{rows} limit 5")).await {
                Ok(rows) => (rows, self.texts(proof).await),
                Err(error) => (vec![too_large(error)?], Ok(Vec::new())),
            };
            let (rows, proof) = match proof {
                Ok(proof) => (rows, proof),
                Err(error) => (vec![too_large(error)?], Vec::new()),
            };
            promises.push(Broken { promise, rows, proof: proof.join("; ") });
        }
        Ok(promises)
    }

    async fn texts(&mut self, sql: &str) -> anyhow::Result<Vec<String>> {
        self.all(sql, Vec::new()).await?.iter().map(|row| Columns::of(row).text()).collect()
    }
}

/// SQLite adds up in 64 bits and stops the query where PostgreSQL counts on: a sum that nobody can pay is a broken promise.
fn too_large(error: anyhow::Error) -> anyhow::Result<String> {
    if format!("{error:#}").contains("integer overflow") {
        return Ok("a sum has more than 18 digits; amounts that large were damaged or never checked".to_owned());
    }
    Err(error)
}

struct Query {
    promise: &'static str,
    rows: &'static str,
    proof: &'static str,
}

const QUERIES: &[Query] = &[
    Query {
        promise: "every payment: received = applied + on account + refunded + returned + unapplied",
        rows: "select 'payment P' || p.id || ' (' || p.state || '): ' || p.amount_minor || ' received, ' || coalesce(a.cash, 0) || \
               ' moved, ' || p.unapplied_minor || ' unapplied' from payment p \
               left join (select payment_id, sum(cash_minor) as cash from application group by payment_id) a on a.payment_id = p.id \
               where p.unapplied_minor <> p.amount_minor - coalesce(a.cash, 0) \
               or (p.state in ('held', 'void') and coalesce(a.cash, 0) <> 0) \
               or (p.state in ('posted', 'returned') and p.unapplied_minor <> 0) order by p.id",
        proof: "select 'payments: ' || count(*) from payment",
    },
    Query {
        promise: "every file: its payments add up to what its reader counted",
        rows: "select 'file F' || coalesce(t.file_id, p.file_id) || ': the reader counted ' || coalesce(t.records, 0) || ' payments of ' || \
               coalesce(t.amount_minor, 0) || ' ' || coalesce(t.currency, p.currency) || ', stored are ' || coalesce(p.records, 0) || ' of ' || \
               coalesce(p.amount_minor, 0) \
               from (select file_id, currency, records, amount_minor from file_total where kind = 'payment') t \
               full join (select file_id, currency, count(*) as records, sum(amount_minor) as amount_minor from payment \
               group by file_id, currency) p on p.file_id = t.file_id and p.currency = t.currency \
               where coalesce(t.records, 0) <> coalesce(p.records, 0) or coalesce(t.amount_minor, 0) <> coalesce(p.amount_minor, 0) \
               order by 1",
        proof: "select 'files: ' || count(*) from file",
    },
    Query {
        promise: "every file: what was booked is what its live payments add up to",
        rows: "select 'file F' || coalesce(j.file_id, p.file_id) || ': ' || coalesce(j.amount_minor, 0) || ' booked, ' || \
               coalesce(p.amount_minor, 0) || ' ' || coalesce(j.currency, p.currency) || ' live' \
               from (select e.file_id, l.currency, sum(l.amount_minor) as amount_minor from journal_entry e \
               join journal_line l on l.entry_id = e.id where e.kind = 'receive' and l.account = 'cash' group by e.file_id, l.currency) j \
               full join (select p.file_id, p.currency, sum(p.amount_minor) as amount_minor from payment p \
               left join journal_entry v on v.payment_id = p.id and v.kind = 'void' \
               where p.state not in ('held', 'void') or v.id is not null group by p.file_id, p.currency) p \
               on p.file_id = j.file_id and p.currency = j.currency \
               where coalesce(j.amount_minor, 0) <> coalesce(p.amount_minor, 0) order by 1",
        proof: "select 'files booked: ' || count(distinct file_id) from journal_entry where kind = 'receive'",
    },
    Query {
        promise: "every payment that does not count: its file is rejected, or another payment or its parts count in its place",
        rows: "select 'payment P' || p.id || ' (' || p.state || ') is void without a live payment in its place: ' || \
               coalesce('P' || p.duplicate_of, 'none is named') from payment p join file f on f.id = p.file_id \
               left join payment o on o.id = p.duplicate_of and o.id <> p.id \
               and (o.state not in ('held', 'void') or exists (select 1 from payment i where i.part_of = o.id)) \
               and o.currency = p.currency and o.amount_minor = p.amount_minor and coalesce(o.seller_id, p.seller_id, 0) = coalesce(p.seller_id, o.seller_id, 0) \
               where (p.state = 'void' and o.id is null and not exists (select 1 from payment i where i.part_of = p.id) \
               and (f.state <> 'rejected' or p.duplicate_of is not null)) \
               or (p.state <> 'void' and p.duplicate_of is not null) order by p.id",
        proof: "select 'duplicates: ' || count(duplicate_of) from payment",
    },
    Query {
        promise: "every sum whose items are known: it does not count itself, its parts count, and they add up to it",
        rows: "select 'payment P' || p.id || ' (' || p.state || ') of ' || p.amount_minor || ' ' || p.currency || ' is explained by ' || i.items || \
               ' parts of ' || i.amount_minor || ', of which ' || i.idle || ' do not count' from payment p join (select part_of, \
               count(*) as items, sum(amount_minor) as amount_minor, sum(case when state = 'held' or (state = 'void' and not exists (select 1 from payment o where o.id = q.duplicate_of and o.id <> q.part_of \
               and o.state not in ('held', 'void'))) then 1 else 0 end) as idle, min(currency) as first, max(currency) as last \
               from payment q where part_of is not null group by part_of) i \
               on i.part_of = p.id where p.state <> 'void' or i.amount_minor <> p.amount_minor or i.idle > 0 or i.first <> p.currency \
               or i.last <> p.currency order by p.id",
        proof: "select 'sums: ' || count(distinct part_of) || ', parts: ' || count(part_of) from payment",
    },
    Query {
        promise: "in total: received = applied + on account + refunded + returned + unapplied",
        rows: "select p.currency || ': ' || p.received || ' received, ' || (p.unapplied + coalesce(a.cash, 0)) || ' accounted for' from \
               (select currency, sum(amount_minor) as received, sum(unapplied_minor) as unapplied from payment \
               where state not in ('held', 'void') group by currency) p \
               left join (select q.currency, sum(a.cash_minor) as cash from application a join payment q on q.id = a.payment_id \
               group by q.currency) a on a.currency = p.currency where p.received <> p.unapplied + coalesce(a.cash, 0) order by 1",
        proof: "select p.currency || ' (minor units): ' || p.received || ' received = ' || coalesce(a.applied, 0) || ' applied + ' || \
                coalesce(a.on_account, 0) || ' on account + ' || coalesce(a.refunded, 0) || ' refunded + ' || coalesce(a.returned, 0) || \
                ' returned + ' || p.unapplied || ' unapplied' from \
                (select currency, sum(amount_minor) as received, sum(unapplied_minor) as unapplied from payment \
                where state not in ('held', 'void') group by currency) p \
                left join (select q.currency, sum(case when a.kind = 'item' then a.cash_minor else 0 end) as applied, \
                sum(case when a.kind = 'on_account' then a.cash_minor else 0 end) as on_account, \
                sum(case when a.kind = 'refund' then a.cash_minor else 0 end) as refunded, \
                sum(case when a.kind = 'return' then a.cash_minor else 0 end) as returned \
                from application a join payment q on q.id = a.payment_id group by q.currency) a on a.currency = p.currency order by 1",
    },
    Query {
        promise: "every open item: open = amount - settled elsewhere - applications",
        rows: "select 'open item ' || i.number || ' (I' || i.id || '): ' || i.open_minor || ' open, ' || \
               (i.amount_minor - i.settled_elsewhere_minor - coalesce(a.closes, 0)) || ' by its applications' from open_item i \
               left join (select open_item_id, sum(closes_minor) as closes from application group by open_item_id) a \
               on a.open_item_id = i.id where i.open_minor <> i.amount_minor - i.settled_elsewhere_minor - coalesce(a.closes, 0) order by i.id",
        proof: "select 'open items: ' || count(*) || ', applications: ' || (select count(*) from application) from open_item",
    },
    Query {
        promise: "every reversal is the mirror image of what it undoes",
        rows: "select 'application A' || r.id || ' does not mirror A' || a.id from application r join application a on a.id = r.reverses \
               where r.payment_id <> a.payment_id or r.kind <> a.kind or coalesce(r.open_item_id, 0) <> coalesce(a.open_item_id, 0) \
               or r.cash_minor <> -a.cash_minor or r.applied_minor <> -a.applied_minor or r.closes_minor <> -a.closes_minor or a.reverses is not null order by r.id",
        proof: "select 'reversals: ' || count(*) from application where reverses is not null",
    },
    Query {
        promise: "every deduction stands for a part of its application",
        rows: "select 'application A' || a.id || ': ' || a.deduction_minor || ' deducted, ' || coalesce(d.amount, 0) || ' followed up' \
               from application a left join (select application_id, sum(amount_minor) as amount from deduction group by application_id) d \
               on d.application_id = a.id where a.reverses is null and a.deduction_minor <> coalesce(d.amount, 0) order by a.id",
        proof: "select 'deductions: ' || count(*) from deduction",
    },
    Query {
        promise: "the journal balances, entry by entry and currency by currency",
        rows: "select 'entry ' || e.key || ': out of balance by ' || sum(l.amount_minor) || ' ' || l.currency from journal_line l \
               join journal_entry e on e.id = l.entry_id group by e.id, e.key, l.currency having sum(l.amount_minor) <> 0 order by e.id",
        proof: "select 'entries: ' || count(*) || ', lines: ' || (select count(*) from journal_line) from journal_entry",
    },
    Query {
        promise: "the journal tells the same as payments and applications, account by account",
        rows: "select coalesce(j.account, b.account) || ' ' || coalesce(j.currency, b.currency) || ': ' || coalesce(j.amount, 0) || \
               ' in the journal, ' || coalesce(b.amount, 0) || ' in the rows' from \
               (select account, currency, sum(amount_minor) as amount from journal_line where account <> 'fx_clearing' \
               group by account, currency) j full join (select account, currency, sum(amount) as amount from (\
               select 'cash' as account, currency, amount_minor as amount from payment where state not in ('held', 'void') \
               union all select 'unapplied', currency, -unapplied_minor from payment where state not in ('held', 'void') \
               union all select case a.kind when 'on_account' then 'on_account' when 'refund' then 'refund_payable' else 'returned' end, \
               p.currency, -a.cash_minor from application a join payment p on p.id = a.payment_id where a.kind <> 'item' \
               union all select 'receivable', i.currency, -a.closes_minor from application a join open_item i on i.id = a.open_item_id \
               union all select 'discount_allowed', i.currency, a.discount_minor from application a join open_item i on i.id = a.open_item_id \
               union all select 'deduction', i.currency, a.deduction_minor from application a join open_item i on i.id = a.open_item_id \
               union all select 'write_off', i.currency, a.write_off_minor from application a join open_item i on i.id = a.open_item_id\
               ) facts group by account, currency) b on b.account = j.account and b.currency = j.currency \
               where coalesce(j.amount, 0) <> coalesce(b.amount, 0) order by 1",
        proof: "select 'accounts: ' || count(distinct account) from journal_line",
    },
    Query {
        promise: "every record that was read is accounted for",
        rows: "select 'file F' || f.id || ': read ' || f.payments || ' payments, ' || f.returns || ' returns, ' || f.remittances || \
               ' remittances, ' || f.invoices || ' invoices, ' || f.set_aside || ' set aside; accounted for are ' || coalesce(p.n, 0) || ', ' || \
               coalesce(b.n, 0) || ', ' || coalesce(r.n, 0) || ', ' || (f.invoices_taken + f.invoices_refused) || ', ' || coalesce(e.n, 0) \
               from file f left join (select file_id, count(*) as n from payment group by file_id) p on p.file_id = f.id \
               left join (select file_id, count(*) as n from bank_return group by file_id) b on b.file_id = f.id \
               left join (select file_id, count(*) as n, sum(line_count) as line_sum from remittance group by file_id) r on r.file_id = f.id \
               left join (select file_id, count(*) as n from exception where key like 'record:%' \
               group by file_id) e on e.file_id = f.id where f.payments <> coalesce(p.n, 0) or f.returns <> coalesce(b.n, 0) \
               or f.remittances <> coalesce(r.n, 0) or f.remittance_lines <> coalesce(r.line_sum, 0) or (f.invoices <> f.invoices_taken + f.invoices_refused and f.state = 'recorded' \
               and not exists (select 1 from job j where j.key = 'invoices:F' || f.id and j.state <> 'done')) or f.set_aside <> coalesce(e.n, 0) \
               order by f.id",
        proof: "select 'payments ' || coalesce(sum(payments), 0) || ', returns ' || coalesce(sum(returns), 0) || ', remittances ' || \
                coalesce(sum(remittances), 0) || ', invoices ' || coalesce(sum(invoices), 0) || ', set aside ' || coalesce(sum(set_aside), 0) || \
                ', debits counted ' || (select coalesce(sum(records), 0) from file_total where kind = 'debit') from file",
    },
    Query {
        promise: "nothing waits unseen: held files and payments without an answer have an open exception, and no job is parked",
        rows: "select what from (select 'payment P' || p.id || ' waits for a person and has no open exception' as what from payment p \
               where p.state = 'exception' and not exists (select 1 from exception e where e.payment_id = p.id and e.state = 'open') \
               union all select 'payment P' || d.payment_id || ' is in doubt and has no open exception' from doubt d \
               where d.state = 'open' and not exists (select 1 from exception e where e.payment_id = d.payment_id and e.state = 'open') \
               union all select 'file F' || f.id || ' is held and has no open exception' from file f where f.state = 'held' \
               and not exists (select 1 from exception e where e.file_id = f.id and e.level = 'file' and e.state = 'open') \
               union all select 'job J' || j.id || ' (' || j.kind || ') failed ' || j.tries || ' times and is parked: ' || \
               coalesce(j.error, '') from job j where j.state = 'parked') unseen order by what",
        proof: "select 'open exceptions: ' || count(*) from exception where state = 'open'",
    },
];
