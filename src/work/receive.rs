//! T1: a file that arrives is unwrapped, archived and given its parse job.

use std::path::Path;

use anyhow::Context;
use chrono::NaiveDate;
use serde_json::json;
use tieout_parsers::Format;

use super::{consumer::JobKind, engine::Engine};
use crate::{
    domain::FileId,
    failpoint,
    intake::{
        archive::Archived,
        unwrap::{Rejection, Unwrapped, unwrap},
        walk,
        watch::Arrived,
    },
    store::NewArrival,
};

/// By which door a file came, and what was said about it there.
#[derive(Clone, Debug)]
pub struct Door {
    /// `ingest`, `inbox`, …
    pub name: &'static str,
    /// Names this one event of arriving, so that a repeat after a crash counts once.
    pub key: String,
    pub business_day: NaiveDate,
    /// The format a person said it has.
    pub format: Option<Format>,
}

/// A file that was received.
#[derive(Clone, Debug)]
pub struct Received {
    pub file: FileId,
    /// The name it came under; inside an archive `march.zip!820.edi`.
    pub name: String,
    /// The same content came before.
    pub known: bool,
}

impl Engine {
    /// Takes one file from a folder. When this returns, it is archived and its jobs are stored; the original stays where it is.
    pub async fn receive(&self, path: &Path, name: &str, door: &Door) -> anyhow::Result<Vec<Received>> {
        self.receive_unless_changed(path, name, door, || true).await
    }

    async fn receive_unless_changed(
        &self,
        path: &Path,
        name: &str,
        door: &Door,
        is_unchanged: impl Fn() -> bool + Send,
    ) -> anyhow::Result<Vec<Received>> {
        let mut file = walk::open(path).with_context(|| format!("opening {}", path.display()))?;
        let original = self.archive.take(&mut file)?;
        anyhow::ensure!(is_unchanged(), "{name} is being written again");
        // From here on only what was archived counts: the sender may begin to write again at any moment.
        let mut file = self.archive.read(&original.sha256)?;
        let received = match unwrap(name, &mut file, &self.limits, &self.temporary)? {
            Ok(Unwrapped::Plain) => vec![self.receive_content(name, &original, door, None).await?],
            // An archive with nothing in it is a file of which nothing can be read, and must not vanish.
            Ok(Unwrapped::Packed(contents)) if contents.is_empty() => {
                vec![self.receive_content(name, &original, door, None).await?]
            }
            Ok(Unwrapped::Packed(contents)) => {
                let mut received = Vec::new();
                for mut content in contents {
                    let archived = self.archive.take(&mut content.bytes)?;
                    received.push(self.receive_content(&content.name, &archived, door, None).await?);
                }
                received
            }
            Err(rejection) => vec![self.receive_content(name, &original, door, Some(rejection)).await?],
        };
        self.wake.notify_waiters();
        Ok(received)
    }

    /// Takes a file that is complete in the inbox. A sender who began to write again has spoiled it; it is taken when it settles.
    pub async fn receive_from_inbox(&self, arrived: &Arrived) -> anyhow::Result<()> {
        let business_day = self.clock.today();
        let door = Door { name: "inbox", key: format!("inbox:{business_day}"), business_day, format: None };
        self.receive_unless_changed(&arrived.path, &arrived.name, &door, || arrived.is_unchanged()).await?;
        Ok(())
    }

    async fn receive_content(
        &self,
        name: &str,
        archived: &Archived,
        door: &Door,
        rejection: Option<Rejection>,
    ) -> anyhow::Result<Received> {
        let key = format!("{}:{name}:{}", door.key, archived.sha256);
        let arrival = NewArrival {
            sha256: &archived.sha256,
            name,
            size_bytes: archived.size_bytes,
            door: door.name,
            key: &key,
            business_day: door.business_day,
            format_forced: door.format.map(Format::as_str),
        };
        let mut tx = self.db.begin().await.with_context(|| format!("receiving {name}"))?;
        let received = tx.receive_file(&arrival).await.with_context(|| format!("receiving {name}"))?;
        if received.content_is_new {
            let payload = json!({ "file": received.file, "rejection": rejection.as_ref().map(ToString::to_string) });
            tx.enqueue(&[JobKind::Parse.job(format!("parse:{}", received.file), payload)]).await?;
        }
        failpoint::pass("receive_before_commit");
        tx.commit().await?;
        failpoint::pass("receive_committed");
        tracing::info!(file.id = received.file.0, known = !received.content_is_new, "file received");
        Ok(Received { file: received.file, name: name.to_owned(), known: !received.content_is_new })
    }
}
