//! Remittances: what payers say their payments are for.

use std::collections::BTreeSet;

use super::{
    Conflict, Tx,
    bulk::Rows,
    files::line,
    payments::{payer, source},
    value::{Columns, byte, count, json, values},
};
use crate::domain::{FileId, PaymentId, Remittance, RemittanceId, SellerId};

const INSERTED: &str = "id, file_id, seq, seller_id, currency, total_minor, advice_date, payer_name, payer_id, payer_account_key, \
                        payer_account_last4, customer_id, trace, text, lines, line_count, balanced, payment_id, state, byte, line, segment, tag, changed";
const COLUMNS: &str = "r.id, r.file_id, r.byte, r.line, r.segment, r.tag, r.seq, r.seller_id, r.currency, r.total_minor, r.advice_date, \
                       r.payer_name, r.payer_id, r.payer_account_key, r.payer_account_last4, r.customer_id, r.trace, r.lines, r.text, \
                       r.balanced, r.payment_id, r.state";

impl Tx {
    /// Stores the remittances of a file. Their ids are reserved before. Store the payments first where they are linked.
    pub async fn record_remittances(&mut self, remittances: &[Remittance]) -> anyhow::Result<()> {
        if remittances.is_empty() {
            return Ok(());
        }
        let mark = self.change_mark().await?;
        let mut rows = Rows::of_width(24);
        for remittance in remittances {
            let (place, payer) = (&remittance.source.location, &remittance.payer);
            rows.push(values![
                remittance.id,
                remittance.source.file,
                remittance.seq,
                remittance.seller,
                remittance.currency,
                remittance.total_minor,
                remittance.date,
                &payer.name,
                &payer.id,
                &payer.account,
                &payer.account_last4,
                payer.customer,
                &remittance.trace,
                &remittance.text,
                json(&remittance.lines)?,
                count(remittance.lines.len()),
                remittance.balanced,
                remittance.payment,
                remittance.state.as_str(),
                byte(place.byte),
                line(place.line),
                place.segment,
                place.tag.map(|tag| tag.to_string()),
                mark,
            ]);
        }
        self.insert("remittance", INSERTED, "", rows).await?;
        Ok(())
    }

    /// The remittances of these ids, in order of id.
    pub async fn remittances(&mut self, ids: &[RemittanceId]) -> anyhow::Result<Vec<Remittance>> {
        let mut rows = Rows::of_width(1);
        for id in ids.iter().collect::<BTreeSet<_>>() {
            rows.push(values![*id]);
        }
        let sql = format!("{{v}} select {COLUMNS} from remittance r join v on r.id = v.id order by r.id");
        self.all_with_rows("id", rows, &sql, Vec::new()).await?.iter().map(read).collect()
    }

    /// The remittances that belong to these payments.
    pub async fn remittances_of_payments(&mut self, payments: &[PaymentId]) -> anyhow::Result<Vec<Remittance>> {
        let mut rows = Rows::of_width(1);
        for id in payments.iter().collect::<BTreeSet<_>>() {
            rows.push(values![*id]);
        }
        let sql = format!("{{v}} select {COLUMNS} from remittance r join v on r.payment_id = v.id order by r.id");
        self.all_with_rows("id", rows, &sql, Vec::new()).await?.iter().map(read).collect()
    }

    pub async fn remittance(&mut self, id: RemittanceId) -> anyhow::Result<Option<Remittance>> {
        let row = self.first(&format!("select {COLUMNS} from remittance r where r.id = $1"), values![id]).await?;
        row.as_ref().map(read).transpose()
    }

    pub async fn remittances_of_file(&mut self, file: FileId) -> anyhow::Result<Vec<Remittance>> {
        let sql = format!("select {COLUMNS} from remittance r where r.file_id = $1 order by r.seq");
        self.all(&sql, values![file]).await?.iter().map(read).collect()
    }

    /// Advices that wait for their cash.
    pub async fn waiting_remittances(&mut self) -> anyhow::Result<Vec<Remittance>> {
        let sql = format!("select {COLUMNS} from remittance r where r.state = 'waiting' order by r.id");
        self.all(&sql, Vec::new()).await?.iter().map(read).collect()
    }

    /// Which of these still wait, locked in order of id until the transaction ends.
    pub async fn lock_waiting_remittances(&mut self, ids: &[RemittanceId]) -> anyhow::Result<BTreeSet<RemittanceId>> {
        let mut rows = Rows::of_width(1);
        for id in ids.iter().collect::<BTreeSet<_>>() {
            rows.push(values![*id]);
        }
        let lock = self.for_update_of("r");
        let sql =
            format!("{{v}} select r.id from remittance r join v on r.id = v.id where r.state = 'waiting' order by r.id{lock}");
        let found = self.all_with_rows("id", rows, &sql, Vec::new()).await?;
        found.iter().map(|row| Ok(RemittanceId(Columns::of(row).number()?))).collect()
    }

    /// Remittances stored or changed since the mark, with the mark to ask with next time. Marks start at 0.
    pub async fn remittances_changed_since(&mut self, mark: i64) -> anyhow::Result<(Vec<Remittance>, i64)> {
        let horizon = self.horizon().await?;
        let rows =
            self.all(&format!("select {COLUMNS} from remittance r where r.changed >= $1 order by r.id"), values![mark]).await?;
        Ok((rows.iter().map(read).collect::<anyhow::Result<_>>()?, horizon))
    }

    /// Ties waiting advices to the payments they announce. A pair of which either side was taken meanwhile is a [`Conflict`].
    pub async fn link_remittances(&mut self, pairs: &[(RemittanceId, PaymentId)]) -> anyhow::Result<()> {
        let mark = self.change_mark().await?;
        let (mut advices, mut payments) = (Rows::of_width(2), Rows::of_width(2));
        let mut sorted = pairs.to_vec();
        sorted.sort_by_key(|(_, payment)| *payment);
        for (remittance, payment) in &sorted {
            advices.push(values![*remittance, *payment]);
            payments.push(values![*payment, *remittance]);
        }
        let sql = "{v} update payment set remittance_id = v.remittance, version = version + 1, changed = {1} from v \
                   where payment.id = v.id and payment.remittance_id is null and payment.state in ('received', 'exception')";
        let linked = self.with_rows("id, remittance", payments, sql, values![mark]).await?;
        let sql = "{v} update remittance set payment_id = v.payment, state = 'linked', changed = {1} from v \
                   where remittance.id = v.id and remittance.state = 'waiting'";
        let taken = self.with_rows("id, payment", advices, sql, values![mark]).await?;
        if linked != pairs.len() as u64 || taken != pairs.len() as u64 {
            return Err(Conflict("a remittance or its payment".to_owned()).into());
        }
        Ok(())
    }

    /// Takes an advice off its payment; it waits again, and the two are told apart.
    pub(crate) async fn unlink_remittance(
        &mut self,
        remittance: RemittanceId,
        payment: PaymentId,
        actor: &str,
    ) -> anyhow::Result<()> {
        let (mark, at) = (self.change_mark().await?, self.stamp().to_owned());
        let sql = "update payment set remittance_id = null, version = version + 1, changed = $3 where id = $1 and remittance_id = $2 \
                   and state in ('received', 'exception')";
        let freed = self.run(sql, values![payment, remittance, mark]).await?;
        let sql = "update remittance set payment_id = null, state = 'waiting', changed = $3 where id = $1 and payment_id = $2";
        let waits = self.run(sql, values![remittance, payment, mark]).await?;
        if freed != 1 || waits != 1 {
            return Err(Conflict("a remittance or its payment".to_owned()).into());
        }
        let sql = "insert into advice_apart (remittance_id, payment_id, decided_by, decided_at) values ($1, $2, $3, $4) \
                   on conflict (remittance_id, payment_id) do nothing";
        self.run(sql, values![remittance, payment, actor, at]).await?;
        Ok(())
    }

    /// Advices that a person took off payments: nothing ties them again by itself.
    pub async fn advices_apart(&mut self) -> anyhow::Result<Vec<(RemittanceId, PaymentId)>> {
        let rows = self.all("select remittance_id, payment_id from advice_apart", Vec::new()).await?;
        let pairs = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok((RemittanceId(columns.number()?), PaymentId(columns.number()?)))
        });
        pairs.collect()
    }

    /// Moves the held remittances of a file on: void, or linked where they came with a payment and waiting where not.
    pub(crate) async fn settle_held_remittances(&mut self, file: FileId, void: bool) -> anyhow::Result<u64> {
        let mark = self.change_mark().await?;
        let state = if void { "'void'" } else { "case when payment_id is null then 'waiting' else 'linked' end" };
        let sql = format!("update remittance set state = {state}, changed = $2 where file_id = $1 and state = 'held'");
        self.run(&sql, values![file, mark]).await
    }
}

fn read(row: &sqlx::any::AnyRow) -> anyhow::Result<Remittance> {
    let columns = &mut Columns::of(row);
    Ok(Remittance {
        id: RemittanceId(columns.number()?),
        source: source(columns)?,
        seq: columns.small()?,
        seller: columns.number_opt()?.map(SellerId),
        currency: columns.currency()?,
        total_minor: columns.number_opt()?,
        date: columns.date_opt()?,
        payer: payer(columns)?,
        trace: columns.text_opt()?,
        lines: columns.json()?,
        text: columns.text_opt()?,
        balanced: columns.number_opt()?.map(|flag| flag != 0),
        payment: columns.number_opt()?.map(PaymentId),
        state: columns.code()?,
    })
}
