//! Answers to senders: TA1, 997 and 999, made from the same findings that people see and put into the outbox with them.

use chrono::{DateTime, Utc};
use serde_json::json;
use tieout_parsers::x12::{
    Stamp, acknowledge,
    received::{InterchangeReceived, Received},
};

use crate::{
    domain::FileId,
    hex,
    store::{Kind, NewMessage, Reused, Tx},
};

/// Outbox topic of files for the outbound folder.
pub const TOPIC: &str = "outbound.file";
/// TA105: the interchange control number was used before.
const DUPLICATE: u8 = 25;
/// Interchange control numbers have nine digits and begin again.
const NUMBERS: i64 = 999_999_999;

/// Puts an answer to every interchange of a file into the outbox.
pub async fn answer(tx: &mut Tx, received: &Received, file: FileId, reused: &[Reused], at: DateTime<Utc>) -> anyhow::Result<()> {
    let mut messages = Vec::new();
    for (place, interchange) in received.interchanges.iter().enumerate() {
        let number = tx.reserve_one(Kind::Acknowledgment).await?;
        let control_number = u32::try_from((number - 1) % NUMBERS + 1)?;
        let stamp = Stamp { date: at.date_naive(), time: at.time(), control_number };
        let Some(answer) = acknowledge(&judged(interchange, reused), &stamp) else { continue };
        let kind = answer.format.as_str().trim_start_matches("x12.");
        let name = format!("{kind}-{}-{control_number:09}.edi", safe(interchange.sender.as_str()));
        messages.push(NewMessage {
            key: format!("acknowledgment:{file}:{place}"),
            topic: TOPIC.to_owned(),
            payload: json!({ "name": name, "hex": hex::encode(&answer.bytes) }),
        });
    }
    tx.push_outbox(&messages).await?;
    Ok(())
}

/// The interchange with what only the store knows: whether its number came before.
fn judged(interchange: &InterchangeReceived, reused: &[Reused]) -> InterchangeReceived {
    let mut judged = interchange.clone();
    if reused.iter().any(|reused| reused.interchange.control_number == interchange.control_number.as_str()) {
        judged.codes.insert(DUPLICATE);
    }
    judged
}

/// A partner's name as part of a file name.
fn safe(name: &str) -> String {
    let safe: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(15).collect();
    if safe.is_empty() { "unnamed".to_owned() } else { safe }
}
