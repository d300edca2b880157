//! Rows of the audit chain. What a hash covers is decided in `audit`.

use super::{
    Backend, Kind, Tx,
    bulk::Rows,
    value::{Columns, count, values},
};

/// Who did what to what, before it is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    pub actor: String,
    pub action: String,
    pub subject: String,
    pub detail: String,
}

/// A row of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    pub id: i64,
    pub at: String,
    pub event: AuditEvent,
    /// Place in the chain, its format, and the hashes; empty until sealed.
    pub seal: Option<Seal>,
}

/// Place and hashes of a sealed row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seal {
    pub seq: i64,
    pub version: i64,
    pub prev: String,
    pub hash: String,
}

const COLUMNS: &str = "id, at, actor, action, subject, detail, seq, version, prev, hash";

impl Tx {
    pub(crate) async fn insert_audit(&mut self, events: &[AuditEvent]) -> anyhow::Result<()> {
        let ids = self.reserve(Kind::Audit, events.len()).await?;
        let at = self.stamp().to_owned();
        let mut rows = Rows::of_width(6);
        for (event, id) in events.iter().zip(ids) {
            rows.push(values![id, &at, &event.actor, &event.action, &event.subject, &event.detail]);
        }
        self.insert("audit", "id, at, actor, action, subject, detail", "", rows).await?;
        Ok(())
    }

    /// One process at a time extends the chain; the others wait here until it commits.
    /// What was done to these subjects, in order.
    pub async fn audit_about(&mut self, subjects: &[String]) -> anyhow::Result<Vec<AuditRow>> {
        let mut rows = Rows::of_width(1);
        for subject in subjects {
            rows.push(values![subject]);
        }
        let columns = COLUMNS.split(", ").map(|column| format!("a.{column}")).collect::<Vec<_>>().join(", ");
        let sql = format!("{{v}} select {columns} from audit a join v on a.subject = v.subject order by a.id");
        self.all_with_rows("subject", rows, &sql, Vec::new()).await?.iter().map(|row| read(&mut Columns::of(row))).collect()
    }

    pub(crate) async fn lock_audit_chain(&mut self) -> anyhow::Result<()> {
        if self.backend() == Backend::Postgres {
            self.run("select pg_advisory_xact_lock(7341202)", Vec::new()).await?;
        }
        Ok(())
    }

    /// Rows that wait for their seal, oldest first.
    pub(crate) async fn unsealed_audit(&mut self, limit: usize) -> anyhow::Result<Vec<AuditRow>> {
        let sql = format!("select {COLUMNS} from audit where seq is null order by id limit $1");
        self.all(&sql, values![count(limit)]).await?.iter().map(|row| read(&mut Columns::of(row))).collect()
    }

    /// The last sealed row.
    pub(crate) async fn audit_head(&mut self) -> anyhow::Result<Option<AuditRow>> {
        let sql = format!("select {COLUMNS} from audit where seq is not null order by seq desc limit 1");
        self.first(&sql, Vec::new()).await?.map(|row| read(&mut Columns::of(&row))).transpose()
    }

    /// Sealed rows after `seq`, in order of the chain.
    pub async fn sealed_audit(&mut self, seq: i64, limit: usize) -> anyhow::Result<Vec<AuditRow>> {
        let sql = format!("select {COLUMNS} from audit where seq > $1 order by seq limit $2");
        self.all(&sql, values![seq, count(limit)]).await?.iter().map(|row| read(&mut Columns::of(row))).collect()
    }

    pub(crate) async fn seal_audit(&mut self, seals: &[(i64, Seal)]) -> anyhow::Result<u64> {
        let mut rows = Rows::of_width(5);
        for (id, Seal { seq, version, prev, hash }) in seals {
            rows.push(values![*id, *seq, *version, prev, hash]);
        }
        let sql = "{v} update audit set seq = v.seq, version = v.version, prev = v.prev, hash = v.hash from v \
                   where audit.id = v.id and audit.seq is null";
        self.with_rows("id, seq, version, prev, hash", rows, sql, Vec::new()).await
    }
}

fn read(columns: &mut Columns<'_>) -> anyhow::Result<AuditRow> {
    let (id, at) = (columns.number()?, columns.text()?);
    let event = AuditEvent { actor: columns.text()?, action: columns.text()?, subject: columns.text()?, detail: columns.text()? };
    let (seq, version, prev, hash) = (columns.number_opt()?, columns.number_opt()?, columns.text_opt()?, columns.text_opt()?);
    let seal = match (seq, version, prev, hash) {
        (Some(seq), Some(version), Some(prev), Some(hash)) => Some(Seal { seq, version, prev, hash }),
        _ => None,
    };
    Ok(AuditRow { id, at, event, seal })
}
