//! The audit chain: who did what, in an order and a wording that cannot be changed unnoticed.
//!
//! A row is written in the transaction of the deed. Sealing gives the rows their place in the chain, in batches: each
//! hash covers the hash before it, so a changed, removed or inserted row breaks every later one. The head of the chain
//! is also kept outside the database; whoever keeps a copy can tell when the end was cut off.

use anyhow::Context;
use sha2::{Digest, Sha256};

use crate::{
    hex,
    store::{AuditEvent, AuditRow, Db, Seal, Tx},
};

/// Format of what a hash covers. A new format gets a new number and old rows keep theirs.
const VERSION: i64 = 1;
/// What the first row builds on.
const ORIGIN: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const BATCH: usize = 2_000;

/// The last link of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub seq: i64,
    pub hash: String,
}

impl std::fmt::Display for Head {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.seq, self.hash)
    }
}

impl std::str::FromStr for Head {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (seq, hash) = text.trim().split_once(' ').context("a chain head is a number, a space and a hash")?;
        Ok(Self { seq: seq.parse().context("the number of a chain head")?, hash: hash.to_owned() })
    }
}

/// What a walk along the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub rows: i64,
    /// Rows written but not sealed yet.
    pub unsealed: usize,
    pub head: Option<Head>,
    /// What is broken, in a sentence; empty when the chain is intact.
    pub broken: Option<String>,
}

/// Writes events in the transaction of the deed.
pub async fn record(tx: &mut Tx, events: &[AuditEvent]) -> anyhow::Result<()> {
    tx.insert_audit(events).await
}

/// Seals everything that is written and committed. Returns the head, for the copy outside the database.
pub async fn seal(db: &Db) -> anyhow::Result<Option<Head>> {
    loop {
        let mut tx = db.begin().await?;
        let (head, full) = seal_batch(&mut tx).await?;
        tx.commit().await?;
        if !full {
            return Ok(head);
        }
    }
}

async fn seal_batch(tx: &mut Tx) -> anyhow::Result<(Option<Head>, bool)> {
    tx.lock_audit_chain().await?;
    let mut head = tx.audit_head().await?.and_then(|row| row.seal).map(|seal| Head { seq: seal.seq, hash: seal.hash });
    let rows = tx.unsealed_audit(BATCH).await?;
    let mut seals = Vec::with_capacity(rows.len());
    for row in &rows {
        let (seq, prev) = head.map_or_else(|| (1, ORIGIN.to_owned()), |head| (head.seq + 1, head.hash));
        let hash = hash(&prev, VERSION, seq, row);
        seals.push((row.id, Seal { seq, version: VERSION, prev, hash: hash.clone() }));
        head = Some(Head { seq, hash });
    }
    tx.seal_audit(&seals).await?;
    Ok((head, rows.len() == BATCH))
}

/// Walks the whole chain. `kept` is the head somebody kept outside the database.
pub async fn verify(tx: &mut Tx, kept: Option<&Head>) -> anyhow::Result<Verified> {
    let (mut seq, mut prev, mut broken) = (0, ORIGIN.to_owned(), None);
    let mut kept_seen = kept.is_none();
    'chain: loop {
        let rows = tx.sealed_audit(seq, BATCH).await?;
        for row in &rows {
            if let Err(what) = link(row, seq, &prev) {
                broken = Some(what);
                break 'chain;
            }
            if let Some(seal) = &row.seal {
                seq = seal.seq;
                prev.clone_from(&seal.hash);
            }
            kept_seen |= kept.is_some_and(|head| head.seq == seq && head.hash == prev);
        }
        if rows.len() < BATCH {
            break;
        }
    }
    if let (None, false, Some(head)) = (&broken, kept_seen, kept) {
        broken =
            Some(format!("the head kept outside the database ({head}) is not in the chain; its end was cut off or rewritten"));
    }
    let unsealed = tx.unsealed_audit(BATCH).await?.len();
    let head = (seq > 0).then_some(Head { seq, hash: prev });
    Ok(Verified { rows: seq, unsealed, head, broken })
}

/// Whether a row is the next link after `seq` with hash `prev`.
fn link(row: &AuditRow, seq: i64, prev: &str) -> Result<(), String> {
    let Some(seal) = &row.seal else { return Err(format!("audit row {} has no seal", row.id)) };
    if seal.seq != seq + 1 {
        return Err(format!("audit row {} is missing: after {seq} comes {}", seq + 1, seal.seq));
    }
    if seal.prev != prev {
        return Err(format!("audit row {} does not build on the row before it", seal.seq));
    }
    if seal.version != VERSION || hash(prev, seal.version, seal.seq, row) != seal.hash {
        return Err(format!(
            "audit row {} ({} by {}) was changed after it was sealed",
            seal.seq, row.event.action, row.event.actor
        ));
    }
    Ok(())
}

/// Each field with its length before it, so that no two rows give the same bytes.
fn hash(prev: &str, version: i64, seq: i64, row: &AuditRow) -> String {
    let (version, seq) = (version.to_string(), seq.to_string());
    let AuditEvent { actor, action, subject, detail } = &row.event;
    let mut digest = Sha256::new();
    for field in [prev, &version, &seq, &row.at, actor, action, subject, detail] {
        digest.update(field.len().to_string().as_bytes());
        digest.update(b":");
        digest.update(field.as_bytes());
    }
    hex::encode(&digest.finalize())
}
