//! `tieout explain`: a decision and why.

use tieout_parsers::without_ibans;

use super::{Context, Exit, Format, UsageError, print, table::amount};
use crate::{
    domain::{Payment, PaymentId, Shadow},
    store::Tx,
    work::{Deed, Engine, afterwards, explain},
};

/// Explains what was decided about a payment and why, and why not the next best
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  tieout explain P17\n  tieout explain P17 --format json
  tieout explain P17 --all")]
pub struct Args {
    /// Id of the payment, such as P17; tieout export payments lists them
    #[arg(value_name = "PAYMENT")]
    pub payment: PaymentId,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Also what rules that only run in shadow would have done
    #[arg(long)]
    pub all: bool,
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let engine = Engine::open_existing(&context.config, context.clock.clone()).await?;
    let mut tx = engine.db.read().await?;
    let payment = tx.payment(args.payment).await?;
    let payment =
        payment.ok_or_else(|| UsageError(format!("there is no payment {}; tieout export payments lists them", args.payment)))?;
    let decision = tx.latest_decision(payment.id).await?;
    let deeds = afterwards(&mut tx, payment.id).await?;
    let text = match (args.format, &decision) {
        (Format::Json, Some(stored)) => {
            let mut told = serde_json::to_value(&stored.decision)?;
            told["afterwards"] = serde_json::to_value(&deeds)?;
            format!("{told}\n")
        }
        (Format::Json, None) if deeds.is_empty() => "null\n".to_owned(),
        (Format::Json, None) => format!("{}\n", serde_json::json!({ "afterwards": deeds })),
        (Format::Text, Some(stored)) => {
            let when = format!("Decided on business day {}.\n", stored.business_day);
            let told = explain(&mut tx, &stored.decision, payment.currency).await?;
            let shadow = stored.decision.evidence.shadow.as_ref().filter(|_| args.all).map(in_shadow).unwrap_or_default();
            format!("{}{when}{told}{shadow}{}", heading(&mut tx, &payment).await?, in_words(&deeds))
        }
        (Format::Text, None) => {
            let state = payment.state.as_str();
            format!("{}Not decided: it is {state}.\n{}", heading(&mut tx, &payment).await?, in_words(&deeds))
        }
    };
    tx.rollback().await?;
    print(&text)?;
    engine.db.close().await;
    Ok(Exit::Success)
}

/// What was done besides, a line each.
fn in_words(deeds: &[Deed]) -> String {
    let mut text = String::new();
    for (place, Deed { at, actor, action, subject, text: told }) in deeds.iter().enumerate() {
        if place == 0 {
            text.push_str("\nAfterwards\n");
        }
        let (at, action) = (at.chars().take(16).collect::<String>().replace('T', " "), action.replace('_', " "));
        text.push_str(&format!("  {at} {actor}: {action} {subject}: {told}\n"));
    }
    text
}

/// What would have happened if the rules in stage shadow acted.
fn in_shadow(shadow: &Shadow) -> String {
    let would = if shadow.posts { "would have posted it" } else { "would have held it" };
    format!("In shadow: rule {} {would}\n", shadow.rule)
}

async fn heading(tx: &mut Tx, payment: &Payment) -> anyhow::Result<String> {
    let file = tx.file(payment.source.file).await?.map(|file| file.name).unwrap_or_default();
    let payer = payment.payer.name.as_deref().unwrap_or("an unnamed payer");
    let trace = payment.trace.as_deref().map(|trace| format!(", trace {}", without_ibans(trace))).unwrap_or_default();
    let place = &payment.source.location;
    let line = place.line.map(|line| format!(", line {line}")).unwrap_or_default();
    let sources = sources(tx, payment).await?;
    Ok(format!(
        "{}: {} {} from {payer} by {}{trace}, good on {}\nfrom {file}{line}, byte {}; now {}, {} unapplied\n{sources}\n",
        payment.id,
        amount(payment.amount_minor, payment.currency),
        payment.currency,
        payment.method.as_str(),
        payment.value_date,
        place.byte,
        payment.state.as_str(),
        amount(payment.unapplied_minor, payment.currency),
    ))
}

/// Where else the money was seen, a line each.
async fn sources(tx: &mut Tx, payment: &Payment) -> anyhow::Result<String> {
    /// Items of a sum that are named.
    const SHOWN: usize = 20;
    let sources = tx.sources_of(payment.id).await?;
    let ids: Vec<_> = sources.iter().take(SHOWN).map(|(id, _)| *id).collect();
    let rows = tx.payments(&ids).await?;
    let mut text = String::new();
    for (id, role) in sources.iter().take(SHOWN) {
        let Some(row) = rows.iter().find(|row| row.id == *id) else { continue };
        let file = tx.file(row.source.file).await?.map(|file| file.name).unwrap_or_default();
        let line = row.source.location.line.map(|line| format!(", line {line}")).unwrap_or_default();
        let (money, currency) = (amount(row.amount_minor, row.currency), row.currency);
        text.push_str(&format!("{role}: {id} of {money} {currency} from {file}{line}, good on {}\n", row.value_date));
    }
    for doubt in tx.doubts_about(payment.id).await? {
        let verdict = match doubt.state.as_str() {
            "open" => "may be the same money as",
            "same" => "a person said it is the same money as",
            _ => "a person said it is not the same money as",
        };
        text.push_str(&format!("{verdict} {}: {}\n", doubt.other, doubt.why));
    }
    if sources.len() > SHOWN {
        text.push_str(&format!("and {} more\n", sources.len() - SHOWN));
    }
    Ok(text)
}
