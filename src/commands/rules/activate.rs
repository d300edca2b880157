//! `tieout rules activate`: two people let a set run that history has been asked about.

use crate::{
    commands::{Context, Exit, print},
    work::{Candidate, Engine, Person},
};

pub async fn run(by: Option<&str>, approved_by: &str, context: &Context) -> anyhow::Result<Exit> {
    let config = &context.config;
    let candidate = Candidate::load(config)?;
    let engine = Engine::open_for_rules(config, context.clock.clone(), &candidate).await?;
    let by = by.unwrap_or(&config.user);
    let (role, approving) = (config.role_of(by), config.role_of(approved_by));
    let (by, approver) = (Person { name: by, role }, Person { name: approved_by, role: approving });
    let activated = engine.activate(&candidate, &by, &approver).await?;
    engine.seal_audit().await?;
    engine.db.close().await;
    print(&format!(
        "set {} runs from now on; asked for by {}, approved by {}, on backtest {} over {} decisions\n",
        candidate.rules.hash, by.name, approver.name, activated.id, activated.decisions
    ))?;
    Ok(Exit::Success)
}
