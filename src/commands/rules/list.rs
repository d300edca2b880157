//! `tieout rules list`: what the rules that run did so far.

use serde_json::json;

use crate::{
    commands::{
        Context, Exit, Format, print,
        table::{Align, Table},
    },
    work::{Engine, ListedRule},
};

pub async fn run(all: bool, format: Format, context: &Context) -> anyhow::Result<Exit> {
    let engine = Engine::open_existing(&context.config, context.clock.clone()).await?;
    let (active, mut rules) = engine.rule_list().await?;
    engine.db.close().await;
    rules.retain(|rule| all || rule.posts_alone || rule.record != Default::default() || rule.demotion.is_some());
    let text = match format {
        Format::Json => {
            let approved = &active.approved_by;
            let head = json!({ "set": active.rule_set, "since": active.business_day, "by": active.actor, "approved_by": approved, "backtest": active.backtest });
            format!("{}\n", json!({ "active": head, "rules": rules }))
        }
        Format::Text => {
            let approved = active.approved_by.as_ref().map(|name| format!(", approved by {name}")).unwrap_or_default();
            let head = format!("set {} since {}, by {}{approved}", active.rule_set, active.business_day, active.actor);
            format!("{head}\n\n{}", table(&rules).render())
        }
    };
    print(&text)?;
    Ok(Exit::Success)
}

fn table(rules: &[ListedRule]) -> Table {
    let mut table = Table::new(&[
        ("rule", Align::Left),
        ("stage", Align::Left),
        ("effective", Align::Left),
        ("posts", Align::Right),
        ("reversed", Align::Right),
        ("in shadow", Align::Right),
        ("", Align::Left),
    ]);
    for rule in rules {
        let demoted = rule.demotion.as_ref().map(|demotion| {
            let (reversals, posts) = (demotion.reversals, demotion.posts);
            format!("demoted on {}: {reversals} of {posts} postings were reversed; change it and activate", demotion.business_day)
        });
        let later = (!rule.in_force).then(|| "not in force yet".to_owned());
        let number = |number: i64| if number == 0 { String::new() } else { number.to_string() };
        table.row(vec![
            rule.rule.clone(),
            rule.stage.to_owned(),
            rule.effective.to_string(),
            number(rule.record.posts),
            number(rule.record.reversals),
            number(rule.record.shadow),
            demoted.or(later).unwrap_or_default(),
        ]);
    }
    table
}
