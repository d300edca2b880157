//! `tieout explain`: a decision and why.

use super::{Context, Exit, Format, UsageError, print, table::amount};
use crate::{
    domain::{Payment, PaymentId},
    store::Tx,
    work::{Engine, explain},
};

/// Explains what was decided about a payment and why, and why not the next best
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:\n  tieout explain P17\n  tieout explain P17 --format json")]
pub struct Args {
    #[arg(value_name = "PAYMENT")]
    pub payment: PaymentId,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let engine = Engine::open_existing(&context.config, context.clock.clone()).await?;
    let mut tx = engine.db.read().await?;
    let payment = tx.payment(args.payment).await?;
    let payment =
        payment.ok_or_else(|| UsageError(format!("there is no payment {}; tieout export payments lists them", args.payment)))?;
    let decision = tx.latest_decision(payment.id).await?;
    let text = match (args.format, &decision) {
        (Format::Json, Some(stored)) => format!("{}\n", serde_json::to_string(&stored.decision)?),
        (Format::Json, None) => "null\n".to_owned(),
        (Format::Text, Some(stored)) => {
            let when = format!("Decided on business day {}.\n", stored.business_day);
            format!("{}{when}{}", heading(&mut tx, &payment).await?, explain(&mut tx, &stored.decision, payment.currency).await?)
        }
        (Format::Text, None) => format!("{}Not decided: it is {}.\n", heading(&mut tx, &payment).await?, payment.state.as_str()),
    };
    tx.rollback().await?;
    print(&text)?;
    engine.db.close().await;
    Ok(Exit::Success)
}

async fn heading(tx: &mut Tx, payment: &Payment) -> anyhow::Result<String> {
    let file = tx.file(payment.source.file).await?.map(|file| file.name).unwrap_or_default();
    let payer = payment.payer.name.as_deref().unwrap_or("an unnamed payer");
    let trace = payment.trace.as_deref().map(|trace| format!(", trace {trace}")).unwrap_or_default();
    let place = &payment.source.location;
    let line = place.line.map(|line| format!(", line {line}")).unwrap_or_default();
    Ok(format!(
        "{}: {} {} from {payer} by {}{trace}, good on {}\nfrom {file}{line}, byte {}; now {}, {} unapplied\n\n",
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
