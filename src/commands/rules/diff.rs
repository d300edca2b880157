//! `tieout rules diff`: what differs between two sets, rule by rule.

use std::path::Path;

use anyhow::Context as _;

use super::{load, must_be_folder};
use crate::{
    commands::{Context, Exit, Format, print},
    rules::{Difference, RuleSet, diff},
    work::{Candidate, Engine, read_set},
};

/// The set that runs, by this name.
const ACTIVE: &str = "active";

pub async fn run(old: &str, new: Option<&str>, format: Format, context: &Context) -> anyhow::Result<Exit> {
    let old = read(old, context).await?;
    let new = match new {
        Some(new) => read(new, context).await?,
        None => Candidate::load(&context.config)?.rules,
    };
    let difference = diff(&old, &new);
    match format {
        Format::Json => print(&format!("{}\n", serde_json::to_string(&difference)?))?,
        Format::Text => print(&text(&difference))?,
    }
    Ok(Exit::Success)
}

async fn read(place: &str, context: &Context) -> anyhow::Result<RuleSet> {
    if place != ACTIVE {
        must_be_folder(Path::new(place))?;
        return load(Some(Path::new(place))).with_context(|| format!("reading the rules of {place}"));
    }
    let candidate = Candidate::load(&context.config)?;
    let engine = Engine::open_for_rules(&context.config, context.clock.clone(), &candidate).await?;
    let mut tx = engine.db.read().await?;
    let active = tx.active_rules().await?.context("a ledger that was opened has an active set")?;
    let rules = read_set(&mut tx, &active.rule_set).await?;
    tx.rollback().await?;
    engine.db.close().await;
    Ok(rules)
}

fn text(difference: &Difference) -> String {
    let mut text = format!("old {}\nnew {}\n", difference.old, difference.new);
    if difference.is_empty() {
        text.push_str("\nThe sets say the same.\n");
        return text;
    }
    for change in &difference.rules {
        let short = |hash: &Option<String>| hash.as_deref().map(|hash| hash.get(..12).unwrap_or(hash).to_owned());
        let hashes = match (short(&change.old), short(&change.new)) {
            (Some(old), Some(new)) => format!("{old} -> {new}"),
            (old, new) => old.or(new).unwrap_or_default(),
        };
        text.push_str(&format!("\n{} {} ({}, {hashes})\n", change.rule, change.change, change.file));
        change.fields.iter().for_each(|field| text.push_str(&format!("  {field}\n")));
    }
    if !difference.values.is_empty() {
        text.push_str("\noutside of rules\n");
        difference.values.iter().for_each(|value| text.push_str(&format!("  {value}\n")));
    }
    text
}
