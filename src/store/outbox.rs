//! The outbox: messages to the world, stored with the change they tell of and sent afterwards.

use serde_json::Value as Json;

use super::{
    Kind, Tx,
    bulk::Rows,
    value::{Columns, count, json, values},
};

/// A message to be sent. The key names the event, so that a repeat sends nothing twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMessage {
    pub key: String,
    /// What it is about: `payment.applied`, `exception.files.file_held`, `acknowledgment.997`.
    pub topic: String,
    pub payload: Json,
}

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: i64,
    pub key: String,
    pub topic: String,
    pub payload: Json,
    pub created_at: String,
}

impl Tx {
    /// Stores messages; known keys are left as they are. Tells how many are new.
    pub async fn push_outbox(&mut self, messages: &[NewMessage]) -> anyhow::Result<u64> {
        let ids = self.reserve(Kind::Outbox, messages.len()).await?;
        let at = self.stamp().to_owned();
        let mut rows = Rows::of_width(5);
        for (message, id) in messages.iter().zip(ids) {
            rows.push(values![id, &message.key, &message.topic, json(&message.payload)?, &at]);
        }
        self.insert("outbox", "id, key, topic, payload, created_at", "on conflict (key) do nothing", rows).await
    }

    /// Messages that wait, oldest first.
    pub async fn waiting_messages(&mut self, limit: usize) -> anyhow::Result<Vec<Message>> {
        let sql = "select id, key, topic, payload, created_at from outbox where published_at is null order by id limit $1";
        let rows = self.all(sql, values![count(limit)]).await?;
        let messages = rows.iter().map(|row| {
            let mut columns = Columns::of(row);
            Ok(Message {
                id: columns.number()?,
                key: columns.text()?,
                topic: columns.text()?,
                payload: columns.json()?,
                created_at: columns.text()?,
            })
        });
        messages.collect()
    }

    /// Notes that messages were sent and confirmed.
    pub async fn mark_published(&mut self, ids: &[i64]) -> anyhow::Result<u64> {
        let at = self.stamp().to_owned();
        let mut rows = Rows::of_width(1);
        for id in ids {
            rows.push(values![*id]);
        }
        let sql = "{v} update outbox set published_at = {1} from v where outbox.id = v.id and published_at is null";
        self.with_rows("id", rows, sql, values![at]).await
    }
}
