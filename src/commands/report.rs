//! `tieout report`: figures for finance.

use chrono::NaiveDate;
use clap::Subcommand;
use serde_json::json;

use super::{
    Context, Exit, Format, UsageError, print,
    table::{Align, Table, amount},
};
use crate::{
    domain::Currency,
    store::{MatchRate, MatchRateBy, ReasonShare},
    work::Engine,
};

/// Printed with the figures, because a rate without its definition says nothing.
const DEFINITIONS: &str = "auto: payments, lines and money fully disposed without a person, as a share of all.
precision: what the engine applied and nobody reversed, as a share of what it applied. Shares are rounded down.
";
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1900, 1, 1).expect("the day exists");
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("the day exists");

/// Prints figures for finance
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:\n  tieout report match-rate --from 2026-01-01 --until 2026-01-31")]
pub struct Args {
    #[command(subcommand)]
    pub report: Report,
}

#[derive(Debug, Subcommand)]
pub enum Report {
    /// How much was posted without a person, in payments, lines and money
    MatchRate {
        /// First business day
        #[arg(long, value_name = "DATE")]
        from: Option<NaiveDate>,
        /// Last business day
        #[arg(long, value_name = "DATE")]
        until: Option<NaiveDate>,
        /// How the payments are told apart
        #[arg(long, value_enum, default_value_t = By::All)]
        by: By,
        #[arg(long, value_enum, default_value_t = Format::Text)]
        format: Format,
    },
}

/// How payments are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    All,
    Format,
    Seller,
    Method,
    BusinessDay,
}

impl From<By> for MatchRateBy {
    fn from(by: By) -> Self {
        match by {
            By::All => Self::All,
            By::Format => Self::Format,
            By::Seller => Self::Seller,
            By::Method => Self::Method,
            By::BusinessDay => Self::BusinessDay,
        }
    }
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let Report::MatchRate { from, until, by, format } = &args.report;
    let from = from.unwrap_or(FIRST_DAY);
    let until = until.unwrap_or(LAST_DAY);
    if from > until {
        return Err(UsageError(format!("--from {from} is after --until {until}; no business day lies between them")).into());
    }
    let engine = Engine::open_existing(&context.config, context.clock.clone()).await?;
    let mut tx = engine.db.read().await?;
    let rates = tx.match_rates(from, until, (*by).into()).await?;
    let reasons = tx.match_reasons(from, until).await?;
    tx.rollback().await?;
    engine.db.close().await;
    let text = match format {
        Format::Json => format!("{}\n", json!({ "match_rates": rates, "reasons": reasons })),
        Format::Text => format!("{}\n{}\n{DEFINITIONS}", rate_table(&rates).render(), reason_table(&reasons).render()),
    };
    print(&text)?;
    Ok(Exit::Success)
}

fn rate_table(rates: &[MatchRate]) -> Table {
    let mut table = Table::new(&[
        ("group", Align::Left),
        ("", Align::Left),
        ("payments", Align::Right),
        ("auto", Align::Right),
        ("lines", Align::Right),
        ("auto", Align::Right),
        ("received", Align::Right),
        ("auto", Align::Right),
        ("precision by line", Align::Right),
        ("by value", Align::Right),
    ]);
    for rate in rates {
        let currency = Currency::parse(&rate.currency).unwrap_or(Currency::USD);
        table.row(vec![
            rate.group.clone(),
            rate.currency.clone(),
            rate.payments.to_string(),
            percent(rate.payments_auto, rate.payments),
            rate.lines.to_string(),
            percent(rate.lines_auto, rate.lines),
            amount(rate.received_minor, currency),
            percent(rate.auto_minor, rate.received_minor),
            percent(rate.lines_auto - rate.lines_reversed, rate.lines_auto),
            percent(rate.auto_minor - rate.reversed_minor, rate.auto_minor),
        ]);
    }
    table
}

fn reason_table(reasons: &[ReasonShare]) -> Table {
    let columns = [
        ("reason", Align::Left),
        ("exceptions", Align::Right),
        ("open", Align::Right),
        ("amount", Align::Right),
        ("", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for reason in reasons {
        let currency = reason.currency.as_deref().and_then(Currency::parse);
        table.row(vec![
            reason.reason.clone(),
            reason.exceptions.to_string(),
            reason.open.to_string(),
            amount(reason.amount_minor, currency.unwrap_or(Currency::USD)),
            reason.currency.clone().unwrap_or_default(),
        ]);
    }
    table
}

/// A share with one decimal, rounded down so that nothing short of everything reads as 100.0 %.
fn percent(part: i64, whole: i64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let per_mille = i128::from(part) * 1000 / i128::from(whole);
    format!("{}.{} %", per_mille / 10, (per_mille % 10).abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_round_up() {
        for (part, whole, expected) in [(0, 0, "-"), (1, 3, "33.3 %"), (9_999, 10_000, "99.9 %"), (5, 5, "100.0 %")] {
            assert_eq!(percent(part, whole), expected);
        }
    }
}
