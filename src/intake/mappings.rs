//! Mapping files of a folder, which go before those shipped with the program.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, anyhow};
use tieout_parsers::Mapping;

/// The mappings of a folder in the order of their names; a wrong one stops the program, because its files would be read as something else.
pub fn load(folder: &Path) -> anyhow::Result<Vec<Arc<Mapping>>> {
    let entries = fs::read_dir(folder).with_context(|| format!("opening the mappings in {}", folder.display()))?;
    let mut files: Vec<_> = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|end| end == "toml"));
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

/// One mapping file.
pub fn read(file: &Path) -> anyhow::Result<Arc<Mapping>> {
    let name = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("reading {name}"))?;
    Mapping::parse(&text).map(Arc::new).map_err(|error| anyhow!("{name} is no mapping: {error}"))
}
