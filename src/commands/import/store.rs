//! Puts imported rows into the store, and says what became of them.

use super::{Rows, values};
use crate::{
    commands::Exit,
    work::{Engine, Import, ImportedFile, Stored, UnknownName},
};

/// Stores rows. Open items and relations that name nobody we know are refused; with `partial` only those.
pub async fn store(rows: Rows, engine: &Engine, import: &Import<'_>, partial: bool) -> anyhow::Result<Exit> {
    let (what, stored, unknown) = match rows {
        Rows::Customers(rows) => ("customers", engine.import_customers(import, &values(rows)).await?, Vec::new()),
        Rows::BankAccounts(rows) => ("bank accounts", engine.import_bank_accounts(import, &values(rows)).await?, Vec::new()),
        Rows::Rates(rows) => ("rates", engine.import_rates(import, &values(rows)).await?, Vec::new()),
        Rows::Relations(rows) => {
            let (stored, unknown) = engine.import_relations(import, &rows, partial).await?;
            ("relations", stored, unknown)
        }
        Rows::OpenItems(rows) => {
            let (stored, unknown) = engine.import_open_items(import, &rows, partial).await?;
            ("open items", stored, unknown)
        }
    };
    unknown.iter().for_each(|unknown| eprintln!("{}", sentence(unknown, import.files)));
    if !unknown.is_empty() && !partial {
        eprintln!("Nothing was imported. Import the customers and sellers named first, or add --partial to take the other rows.");
        return Ok(Exit::InputErrors);
    }
    eprintln!("{}", summary(what, &stored));
    Ok(if unknown.is_empty() && stored.conflicts + stored.questions == 0 { Exit::Success } else { Exit::InputErrors })
}

fn sentence(unknown: &UnknownName, files: &[ImportedFile]) -> String {
    let mut before = 0;
    let holds = |file: &&ImportedFile| {
        before += file.rows;
        (unknown.row as u64) < before
    };
    let file = files.iter().find(holds).map_or("", |file| file.name.as_str());
    format!("{file}:{}, column {}: expected a code that was imported, found {}", unknown.line, unknown.column, unknown.found)
}

fn summary(what: &str, stored: &Stored) -> String {
    let mut text = format!("{what}: {} new, {} changed, {} as they were", stored.inserted, stored.updated, stored.unchanged);
    if stored.conflicts > 0 {
        text.push_str(&format!(
            "; {} would change items that cash was applied to, and were not taken: see tieout exceptions list",
            stored.conflicts
        ));
    }
    if stored.questions > 0 {
        text.push_str(&format!(
            "; {} have less open than was open here after cash was applied: see tieout exceptions list",
            stored.questions
        ));
    }
    if stored.held_again > 0 {
        text.push_str(&format!(
            "\nheld payments that are decided anew: {}, by tieout serve or the next tieout ingest",
            stored.held_again
        ));
    }
    text
}
