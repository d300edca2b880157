//! Drafts a mapping for a file that none fits yet: what its columns are by their names and by what stands in them, how its amounts and dates
//! are written as all of its rows show, and how sure that is. A person reads the draft before money follows it.

mod columns;
mod forms;
mod table;
mod write;

use thiserror::Error;

use super::Mapping;
use crate::{Limits, Options, Parsed, parse_with};

/// A drafted mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The mapping file, with comments that say where each line comes from and how sure it is.
    pub toml: String,
    /// Payments, or lines of advices, that the file gives with it.
    pub records: usize,
    /// Rows and advices that it sets aside.
    pub set_aside: usize,
}

/// Why nothing was drafted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DraftError {
    /// It is no table.
    #[error("{0}")]
    NoTable(String),
    /// A table, but not one of payments or advices.
    #[error("{0}")]
    NoMoney(String),
}

/// Drafts a mapping from a whole file, CSV or XLSX.
///
/// ```
/// let file = b"Paid on;Bill;Paid\n31.03.2026;A-1;12,50\n31.03.2026;A-2;7,00\n";
/// let draft = tieout_parsers::draft_mapping(file, &tieout_parsers::Limits::default())?;
/// assert!(draft.toml.contains("decimal = \"comma\""));
/// assert_eq!((draft.records, draft.set_aside), (2, 0));
/// # Ok::<(), tieout_parsers::DraftError>(())
/// ```
pub fn draft_mapping(bytes: &[u8], limits: &Limits) -> Result<Draft, DraftError> {
    let table = table::read(bytes, limits)?;
    let plan = columns::plan(&table)?;
    let forms = forms::of(&table, &plan);
    let body = write::body(&table, &plan, &forms);
    let mapping = Mapping::parse(&body).map_err(|error| DraftError::NoMoney(error.to_string()))?;
    let options = Options { limits: limits.clone(), mappings: vec![mapping.into()], ..Options::default() };
    let parsed = parse_with(bytes, &options);
    let (records, set_aside) = (records(&parsed), set_aside(&parsed));
    let toml = format!("{}{body}", write::head(&table, records, set_aside));
    Ok(Draft { toml, records, set_aside })
}

fn records(parsed: &Parsed<'_>) -> usize {
    let document = &parsed.document;
    let lines: usize = document.remittances.iter().map(|advice| advice.lines.len()).sum();
    document.payments.len().saturating_add(document.returns.len()).saturating_add(lines)
}

fn set_aside(parsed: &Parsed<'_>) -> usize {
    parsed.findings.iter().filter(|finding| finding.effect == crate::Effect::RecordSetAside).count()
}
