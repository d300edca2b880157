//! Rows for exports: what came in, what became of it, and what waits. Read in pages, in the order of ids.
//!
//! Amounts are minor units. Field names are those of the exports; `commands` writes them as JSON lines or CSV.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::{
    Tx,
    value::{Columns, count, values},
};
use crate::domain::{OpenItemId, Proposal, ProposalLine};

/// A payment or return that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaymentLine {
    /// Where the next page begins.
    #[serde(skip)]
    pub cursor: i64,
    /// `P17` for a payment, `B4` for a bank return.
    pub payment: String,
    pub file: String,
    /// Line of the file on which its record begins.
    pub line: Option<i64>,
    /// Counted from 1 among the payments and returns of the file.
    pub position: i64,
    /// Negative for a return.
    pub amount_minor: i64,
    pub currency: String,
    pub trace: Option<String>,
    /// `posted` (no person was needed), `suggested` or `exception` are live; `held` and `duplicate` are not.
    pub status: &'static str,
    /// What no invoice got, whether unapplied, on account, refunded or returned.
    pub unapplied_minor: i64,
    /// The part of it that the customer has on account.
    pub on_account_minor: i64,
    /// The part of it that was asked to be sent back.
    pub refunded_minor: i64,
    /// What the bank took back of the payment, from invoices too.
    pub returned_minor: i64,
    /// What nobody has decided about yet: what the ledger calls unapplied.
    pub waiting_minor: i64,
    /// Where the ledger has it, whoever brought it there.
    pub state: String,
    pub value_date: Option<String>,
    pub seller_id: Option<String>,
    pub customer: Option<String>,
    pub payer_name: Option<String>,
    /// The payment that a return takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reversal_of: Option<String>,
}

/// Cash on an invoice: posted, or a line of a proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApplicationLine {
    #[serde(skip)]
    pub cursor: i64,
    pub payment: String,
    /// 1 for what was posted or the first proposal, 2 and 3 for the alternatives.
    pub rank: usize,
    pub seller_id: String,
    pub invoice_number: String,
    /// In the currency of the invoice; negative for a credit memo.
    pub applied_minor: i64,
    /// In the currency of the payment.
    pub cash_minor: i64,
    pub discount_minor: i64,
    /// Deducted and written off, together: what was closed without cash and without a discount.
    pub deduction_minor: i64,
    pub reason: String,
    /// Money moved; otherwise it is a proposal.
    pub posted: bool,
    /// It was undone because the bank took the payment back: the invoice is open again.
    pub returned: bool,
}

/// An exception.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExceptionLine {
    #[serde(skip)]
    pub cursor: i64,
    pub exception: String,
    pub file: Option<String>,
    pub level: String,
    pub reason: String,
    pub line: Option<i64>,
    pub payment: Option<String>,
    pub queue: String,
    pub owner: Option<String>,
    pub state: String,
    pub amount_minor: Option<i64>,
    pub currency: Option<String>,
    pub opened_at: String,
    pub due_at: Option<String>,
    pub message: String,
    pub resolution: Option<String>,
    pub resolved_by: Option<String>,
}

/// A file by one of its names: the same bytes under another name are a `duplicate`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileLine {
    #[serde(skip)]
    pub cursor: i64,
    pub file: String,
    pub sha256: String,
    pub format: Option<String>,
    pub status: String,
    pub business_day: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", flatten)]
    pub counts: Option<super::FileCounts>,
}

/// One side of a journal entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostingLine {
    #[serde(skip)]
    pub cursor: i64,
    pub entry: String,
    pub kind: String,
    pub business_day: String,
    pub at: String,
    pub account: String,
    pub seller_id: Option<String>,
    pub currency: String,
    /// Debits are positive, credits negative.
    pub amount_minor: i64,
    pub payment: Option<String>,
    pub file: Option<String>,
    pub actor: String,
}

/// A link of the audit chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditLine {
    #[serde(skip)]
    pub cursor: i64,
    pub seq: Option<i64>,
    pub at: String,
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub detail: String,
    pub hash: Option<String>,
}

/// Applications that count for a payment: those that stand, and those that stood until the bank took the payment back.
const COUNTED: &str = "a.reverses is null and not exists (select 1 from application r join journal_entry re on re.id = r.entry_id \
                       where r.reverses = a.id and re.kind <> 'return_undoes')";

impl Tx {
    /// Payments after the cursor (0 at first), at most `limit`.
    pub async fn export_payments(&mut self, after: i64, limit: usize) -> anyhow::Result<Vec<PaymentLine>> {
        let sql = format!(
            "select p.id, f.name, p.line, p.position, p.amount_minor, p.currency, p.trace, p.state, f.state, p.touches, \
             coalesce((select cast(sum(a.cash_minor) as bigint) from application a where a.payment_id = p.id and a.kind = 'item' and {COUNTED}), 0), \
             coalesce((select cast(sum(a.cash_minor) as bigint) from application a where a.payment_id = p.id and a.kind = 'on_account'), 0), \
             coalesce((select cast(sum(a.cash_minor) as bigint) from application a where a.payment_id = p.id and a.kind = 'refund'), 0), \
             coalesce((select cast(sum(a.cash_minor) as bigint) from application a where a.payment_id = p.id and a.kind = 'return'), 0), \
             case when p.state in ('held', 'void') then 0 else p.unapplied_minor end, \
             (select count(*) from decision d where d.payment_id = p.id and d.proposals <> '[]' \
             and d.id = (select max(n.id) from decision n where n.payment_id = p.id)), \
             (select count(*) from application a where a.payment_id = p.id and a.kind = 'item' and {COUNTED}), \
             p.value_date, s.code, c.code, p.payer_name \
             from payment p join file f on f.id = p.file_id left join seller s on s.id = p.seller_id \
             left join customer c on c.id = p.customer_id where p.id > $1 order by p.id limit $2"
        );
        let rows = self.all(&sql, values![after, count(limit)]).await?;
        rows.iter().map(|row| PaymentLine::read(&mut Columns::of(row))).collect()
    }

    /// Bank returns after the cursor (0 at first), at most `limit`.
    pub async fn export_returns(&mut self, after: i64, limit: usize) -> anyhow::Result<Vec<PaymentLine>> {
        let sql = "select b.id, f.name, b.line, b.position, -b.amount_minor, b.currency, coalesce(b.trace, b.original_trace), b.state, p.id, s.code, c.code, \
                   b.payer_name from bank_return b join file f on f.id = b.file_id left join payment p on p.id = b.payment_id \
                   left join seller s on s.id = p.seller_id left join customer c on c.id = p.customer_id where b.id > $1 order by b.id limit $2";
        let rows = self.all(sql, values![after, count(limit)]).await?;
        rows.iter().map(|row| PaymentLine::read_return(&mut Columns::of(row))).collect()
    }

    /// What is posted for the payments of one page of [`Tx::export_payments`], with the proposals of those that wait and the
    /// alternatives of all. `first` and `last` are the cursors of the page.
    pub async fn export_applications(&mut self, page: &[PaymentLine]) -> anyhow::Result<Vec<ApplicationLine>> {
        let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(Vec::new()) };
        let mut lines = self.posted_lines(first.cursor, last.cursor).await?;
        let mut proposals = self.latest_proposals(first.cursor, last.cursor).await?;
        let posted: BTreeSet<_> = lines.iter().map(|line| line.cursor).collect();
        let live = page.iter().filter(|payment| matches!(payment.status, "posted" | "suggested" | "exception"));
        let live: HashMap<_, _> = live.map(|payment| (payment.cursor, payment.status)).collect();
        proposals.retain(|(payment, _)| live.contains_key(payment));
        let named = self.names_of(&proposals).await?;
        for (payment, proposals) in &proposals {
            // What was posted stands in place of the first proposal.
            let skipped = usize::from(posted.contains(payment) || live.get(payment) == Some(&"posted"));
            for (rank, proposal) in (1..).zip(proposals).skip(skipped).take(3 - skipped) {
                let made = proposal.lines.iter().filter_map(|line| ApplicationLine::proposed(*payment, rank, line, &named));
                lines.extend(made);
            }
        }
        lines.sort_by_key(|line| (line.cursor, line.rank));
        Ok(lines)
    }

    async fn posted_lines(&mut self, first: i64, last: i64) -> anyhow::Result<Vec<ApplicationLine>> {
        let sql = format!(
            "select a.payment_id, s.code, i.number, a.applied_minor, a.cash_minor, a.discount_minor, a.deduction_minor + a.write_off_minor, \
             a.reason, (select count(*) from application r where r.reverses = a.id) from application a join open_item i on i.id = a.open_item_id join seller s on s.id = i.seller_id \
             where a.payment_id >= $1 and a.payment_id <= $2 and a.kind = 'item' and {COUNTED} order by a.payment_id, a.id"
        );
        let rows = self.all(&sql, values![first, last]).await?;
        let lines = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            let cursor = columns.number()?;
            Ok(ApplicationLine {
                cursor,
                payment: format!("P{cursor}"),
                rank: 1,
                seller_id: columns.text()?,
                invoice_number: columns.text()?,
                applied_minor: columns.number()?,
                cash_minor: columns.number()?,
                discount_minor: columns.number()?,
                deduction_minor: columns.number()?,
                reason: columns.text()?,
                posted: true,
                returned: columns.number()? > 0,
            })
        });
        lines.collect()
    }

    /// The proposals of the newest decision about each payment.
    async fn latest_proposals(&mut self, first: i64, last: i64) -> anyhow::Result<Vec<(i64, Vec<Proposal>)>> {
        let sql = "select d.payment_id, d.proposals from decision d where d.payment_id >= $1 and d.payment_id <= $2 \
                   and d.id = (select max(n.id) from decision n where n.payment_id = d.payment_id) order by d.payment_id";
        let rows = self.all(sql, values![first, last]).await?;
        let proposals = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((columns.number()?, columns.json()?))
        });
        proposals.collect()
    }

    /// Seller code and number of every item that the proposals name.
    async fn names_of(&mut self, proposals: &[(i64, Vec<Proposal>)]) -> anyhow::Result<HashMap<OpenItemId, (String, String)>> {
        let lines = proposals.iter().flat_map(|(_, proposals)| proposals).flat_map(|proposal| &proposal.lines);
        let mut ids = super::bulk::Rows::of_width(1);
        for id in lines.map(|line| line.item).collect::<BTreeSet<_>>() {
            ids.push(values![id]);
        }
        let sql = "{v} select i.id, s.code, i.number from open_item i join v on v.id = i.id join seller s on s.id = i.seller_id";
        let found = self.all_with_rows("id", ids, sql, Vec::new()).await?;
        let names = found.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((OpenItemId(columns.number()?), (columns.text()?, columns.text()?)))
        });
        names.collect()
    }

    /// Exceptions after the cursor (0 at first), at most `limit`.
    pub async fn export_exceptions(&mut self, after: i64, limit: usize) -> anyhow::Result<Vec<ExceptionLine>> {
        let sql = "select e.id, coalesce(f.name, pf.name, rf.name), e.level, e.reason, coalesce(e.line, p.line, r.line), e.payment_id, e.queue, e.owner, e.state, \
                   e.amount_minor, e.currency, e.opened_at, e.due_at, e.message, e.resolution, e.resolved_by from exception e \
                   left join file f on f.id = e.file_id left join payment p on p.id = e.payment_id left join file pf on pf.id = p.file_id \
                   left join remittance r on r.id = e.remittance_id left join file rf on rf.id = r.file_id \
                   where e.id > $1 order by e.id limit $2";
        let rows = self.all(sql, values![after, count(limit)]).await?;
        let lines = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            let cursor = columns.number()?;
            Ok(ExceptionLine {
                cursor,
                exception: format!("E{cursor}"),
                file: columns.text_opt()?,
                level: columns.text()?,
                reason: columns.text()?,
                line: columns.number_opt()?,
                payment: columns.number_opt()?.map(|id| format!("P{id}")),
                queue: columns.text()?,
                owner: columns.text_opt()?,
                state: columns.text()?,
                amount_minor: columns.number_opt()?,
                currency: columns.text_opt()?,
                opened_at: columns.text()?,
                due_at: columns.text_opt()?,
                message: columns.text()?,
                resolution: columns.text_opt()?,
                resolved_by: columns.text_opt()?,
            })
        });
        lines.collect()
    }

    /// Files and further names of the same bytes, after the cursor (0 at first), at most `limit`.
    pub async fn export_files(&mut self, after: i64, limit: usize) -> anyhow::Result<Vec<FileLine>> {
        let sql = "select a.id, a.name, f.sha256, f.format, f.state, f.verdict, a.business_day, f.name, \
                   case when a.id = (select min(n.id) from arrival n where n.file_id = f.id) then 1 else 0 end, \
                   f.payments, f.returns, f.remittances, f.remittance_lines, f.invoices, f.invoices_taken, f.invoices_refused, f.set_aside, f.findings \
                   from arrival a join file f on f.id = a.file_id where a.id > $1 order by a.id limit $2";
        let rows = self.all(sql, values![after, count(limit)]).await?;
        rows.iter().map(|row| FileLine::read(&mut Columns::of(row))).collect()
    }

    /// Journal lines of entries after the cursor (0 at first), of at most `limit` entries.
    pub async fn export_postings(&mut self, after: i64, limit: usize) -> anyhow::Result<Vec<PostingLine>> {
        let sql = "select e.id, e.key, e.kind, e.business_day, e.at, l.account, s.code, l.currency, l.amount_minor, e.payment_id, f.name, e.actor \
                   from (select * from journal_entry where id > $1 order by id limit $2) e join journal_line l on l.entry_id = e.id \
                   left join seller s on s.id = l.seller_id left join file f on f.id = e.file_id order by e.id, l.line";
        let rows = self.all(sql, values![after, count(limit)]).await?;
        let lines = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(PostingLine {
                cursor: columns.number()?,
                entry: columns.text()?,
                kind: columns.text()?,
                business_day: columns.text()?,
                at: columns.text()?,
                account: columns.text()?,
                seller_id: columns.text_opt()?,
                currency: columns.text()?,
                amount_minor: columns.number()?,
                payment: columns.number_opt()?.map(|id| format!("P{id}")),
                file: columns.text_opt()?,
                actor: columns.text()?,
            })
        });
        lines.collect()
    }

    /// Audit rows after the cursor (0 at first), at most `limit`.
    pub async fn export_audit(&mut self, after: i64, limit: usize) -> anyhow::Result<Vec<AuditLine>> {
        let sql = "select id, seq, at, actor, action, subject, detail, hash from audit where id > $1 order by id limit $2";
        let rows = self.all(sql, values![after, count(limit)]).await?;
        let lines = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(AuditLine {
                cursor: columns.number()?,
                seq: columns.number_opt()?,
                at: columns.text()?,
                actor: columns.text()?,
                action: columns.text()?,
                subject: columns.text()?,
                detail: columns.text()?,
                hash: columns.text_opt()?,
            })
        });
        lines.collect()
    }
}

impl PaymentLine {
    fn read(columns: &mut Columns<'_>) -> anyhow::Result<Self> {
        let cursor = columns.number()?;
        let (file, line, position) = (columns.text()?, columns.number_opt()?, columns.number()?);
        let (amount_minor, currency, trace) = (columns.number()?, columns.text()?, told(columns.text_opt()?));
        let (state, file_state, touches) = (columns.text()?, columns.text()?, columns.number()?);
        let (to_items, on_account_minor) = (columns.number()?, columns.number()?);
        let (refunded_minor, returned_minor, waiting_minor) = (columns.number()?, columns.number()?, columns.number()?);
        let (proposed, applied) = (columns.number()? > 0, columns.number()? > 0);
        let status = match state.as_str() {
            "held" => "held",
            "void" if file_state == "rejected" => "held",
            "void" => "duplicate",
            "posted" | "returned" if touches == 0 => "posted",
            // Posted as far as it goes; what is left over is a follow-up for a person.
            "exception" if touches == 0 && applied => "posted",
            _ if proposed => "suggested",
            _ => "exception",
        };
        Ok(Self {
            cursor,
            payment: format!("P{cursor}"),
            file,
            line,
            position,
            amount_minor,
            currency,
            trace,
            status,
            unapplied_minor: amount_minor - to_items,
            on_account_minor,
            refunded_minor,
            returned_minor,
            waiting_minor,
            state,
            value_date: columns.text_opt()?,
            seller_id: columns.text_opt()?,
            customer: columns.text_opt()?,
            payer_name: columns.text_opt()?,
            reversal_of: None,
        })
    }

    fn read_return(columns: &mut Columns<'_>) -> anyhow::Result<Self> {
        let cursor = columns.number()?;
        let (file, line, position) = (columns.text()?, columns.number_opt()?, columns.number()?);
        let (amount_minor, currency, trace, state) =
            (columns.number()?, columns.text()?, told(columns.text_opt()?), columns.text()?);
        let reversal_of = columns.number_opt()?.map(|id| format!("P{id}"));
        let status = match state.as_str() {
            "void" if reversal_of.is_some() => "duplicate",
            "held" | "void" => "held",
            "posted" => "posted",
            _ => "exception",
        };
        Ok(Self {
            cursor,
            payment: format!("B{cursor}"),
            file,
            line,
            position,
            amount_minor,
            currency,
            trace,
            status,
            unapplied_minor: 0,
            on_account_minor: 0,
            refunded_minor: 0,
            returned_minor: 0,
            waiting_minor: 0,
            state,
            value_date: None,
            seller_id: columns.text_opt()?,
            customer: columns.text_opt()?,
            payer_name: columns.text_opt()?,
            reversal_of,
        })
    }
}

/// A number that a payer or bank gave, without an account number in it.
fn told(trace: Option<String>) -> Option<String> {
    trace.map(|trace| tieout_parsers::without_ibans(&trace).into_owned())
}

impl ApplicationLine {
    fn proposed(payment: i64, rank: usize, line: &ProposalLine, names: &HashMap<OpenItemId, (String, String)>) -> Option<Self> {
        use crate::domain::LineAdjustmentKind::Discount;
        let (seller_id, invoice_number) = names.get(&line.item)?.clone();
        let (discounts, others): (Vec<_>, Vec<_>) = line.adjustments.iter().partition(|part| part.kind == Discount);
        let reasons: Vec<_> = line.adjustments.iter().map(|part| part.reason.as_str()).collect();
        Some(Self {
            cursor: payment,
            payment: format!("P{payment}"),
            rank,
            seller_id,
            invoice_number,
            applied_minor: line.applied_minor,
            cash_minor: line.cash_minor,
            discount_minor: discounts.iter().map(|part| part.amount_minor).sum(),
            deduction_minor: others.iter().map(|part| part.amount_minor).sum(),
            reason: reasons.join("+"),
            posted: false,
            returned: false,
        })
    }
}

impl FileLine {
    fn read(columns: &mut Columns<'_>) -> anyhow::Result<Self> {
        let (cursor, file, sha256, format) = (columns.number()?, columns.text()?, columns.text()?, columns.text_opt()?);
        let (state, verdict, business_day) = (columns.text()?, columns.text_opt()?, columns.text()?);
        let (name, first) = (columns.text()?, columns.flag()?);
        let status = match state.as_str() {
            _ if !first => "duplicate".to_owned(),
            // A reader's verdict stands until a person decides otherwise.
            "recorded" | "unsupported" => {
                verdict.filter(|verdict| verdict != "held").unwrap_or_else(|| "accepted_with_findings".to_owned())
            }
            other => other.to_owned(),
        };
        let counts = if first { Some(super::FileCounts::read(columns)?) } else { None };
        Ok(Self { cursor, file, sha256, format, status, business_day, duplicate_of: (!first).then_some(name), counts })
    }
}
