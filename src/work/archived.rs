//! Proves that what arrived is still there: each file that the database knows lies in the archive.

use super::engine::Engine;
use crate::{domain::FileId, ledger::Promise, store::Tx};

/// Files read at once.
const BATCH: usize = 1_000;
/// Files that the sentence for a person names.
const NAMED_MAX: usize = 5;

impl Engine {
    /// Looks for each file in the archive; `deep` also reads it and compares its hash.
    pub async fn check_archive(&self, tx: &mut Tx, deep: bool) -> anyhow::Result<Promise> {
        let (mut after, mut files, mut wrong) = (FileId(0), 0_u64, Vec::new());
        loop {
            let batch = tx.archived_files(after, BATCH).await?;
            let Some((last, _)) = batch.last() else { break };
            after = *last;
            files += batch.len() as u64;
            wrong.extend(batch.into_iter().filter_map(|(file, sha256)| self.what_is_wrong(file, &sha256, deep)));
        }
        let more = wrong.len().saturating_sub(NAMED_MAX);
        let holds = wrong.is_empty();
        wrong.truncate(NAMED_MAX);
        let detail = match (holds, more) {
            (true, _) if deep => format!("{files} files, each with the bytes it arrived with"),
            (true, _) => format!("{files} files are there; tieout check --deep compares their bytes, too"),
            (false, 0) => wrong.join("; "),
            (false, _) => format!("{}; and {more} more", wrong.join("; ")),
        };
        Ok(Promise { promise: "every file that arrived is in the archive", holds, detail })
    }

    fn what_is_wrong(&self, file: FileId, sha256: &str, deep: bool) -> Option<String> {
        let path = self.archive.path(sha256)?;
        let place = path.display();
        if !path.is_file() {
            return Some(format!("{file} is not in the archive; restore {place}"));
        }
        if !deep {
            return None;
        }
        match self.archive.verify(sha256) {
            Ok(true) => None,
            Ok(false) => Some(format!("{file} is not what arrived; restore {place}")),
            Err(error) => Some(format!("{file} cannot be read ({error:#}); look at {place}")),
        }
    }
}
