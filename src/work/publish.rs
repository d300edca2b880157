//! Writes answers to senders into the outbound folder, once each.

use anyhow::Context;

use super::{acknowledge::TOPIC, engine::Engine};
use crate::{durable, failpoint, hex};

const BATCH: usize = 100;

impl Engine {
    /// Writes what waits in the outbox; tells how many messages it was.
    ///
    /// A file is written whole before its message is marked, so a kill in between writes the same file again.
    pub(super) async fn publish(&self) -> anyhow::Result<usize> {
        let mut published = 0;
        loop {
            let mut tx = self.db.read().await?;
            let messages = tx.waiting_messages(BATCH).await?;
            tx.rollback().await?;
            if messages.is_empty() {
                return Ok(published);
            }
            for message in messages.iter().filter(|message| message.topic == TOPIC) {
                let name = message.payload["name"].as_str().context("an answer has a file name")?;
                let bytes = message.payload["hex"].as_str().and_then(hex::decode).context("an answer has its bytes in hex")?;
                self.write_outbound(name, &bytes)?;
            }
            let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
            let mut tx = self.db.begin().await?;
            tx.mark_published(&ids).await?;
            tx.commit().await?;
            published += messages.len();
        }
    }

    fn write_outbound(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.outbound.join(name);
        failpoint::pass("outbound_before_rename");
        durable::write_whole(&path, bytes).with_context(|| format!("writing the answer {}", path.display()))
    }
}
