//! The promises, proved from the rows: nothing here trusts a running amount that it can add up itself.

use crate::{audit, store::Tx};

/// One promise and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Promise {
    /// What is promised, in a sentence.
    pub promise: &'static str,
    pub holds: bool,
    /// The figures that show it, or the first rows that break it.
    pub detail: String,
}

/// Proves every promise in one consistent view of the database. `kept_head` is the copy of the audit head kept outside.
pub async fn check(tx: &mut Tx, kept_head: Option<&audit::Head>) -> anyhow::Result<Vec<Promise>> {
    let mut promises = Vec::new();
    for broken in tx.broken_promises().await? {
        let holds = broken.rows.is_empty();
        let detail = if holds { broken.proof } else { broken.rows.join("; ") };
        promises.push(Promise { promise: broken.promise, holds, detail });
    }
    let chain = audit::verify(tx, kept_head).await?;
    let mut detail =
        chain.broken.clone().unwrap_or_else(|| format!("{} rows sealed, {} waiting for their seal", chain.rows, chain.unsealed));
    if chain.broken.is_none() && chain.rows > 0 && kept_head.is_none() {
        detail.push_str(
            "; audit.head is missing in the home folder, so rows cut off at the end would not show: compare with a copy of it",
        );
    }
    promises.push(Promise { promise: "the audit chain is intact", holds: chain.broken.is_none(), detail });
    Ok(promises)
}
