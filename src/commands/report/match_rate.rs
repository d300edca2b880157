//! `tieout report match-rate`: how much was posted without a person, and how much of that held.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{Form, csv, percent, share_ppm};
use crate::{
    commands::{
        Context, Exit, print,
        table::{Align, Table, amount},
    },
    domain::Currency,
    store::{MatchRate, MatchRateBy, ReasonShare, Window},
    work::Engine,
};

/// How payments are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    All,
    Customer,
    /// Ours, where the money came in
    Bank,
    Format,
    /// The rule that posted, or that came nearest
    Rule,
    /// Why a person was needed first
    Reason,
    Seller,
    Method,
    BusinessDay,
}

impl From<By> for MatchRateBy {
    fn from(by: By) -> Self {
        match by {
            By::All => Self::All,
            By::Customer => Self::Customer,
            By::Bank => Self::Bank,
            By::Format => Self::Format,
            By::Rule => Self::Rule,
            By::Reason => Self::Reason,
            By::Seller => Self::Seller,
            By::Method => Self::Method,
            By::BusinessDay => Self::BusinessDay,
        }
    }
}

/// Columns of the CSV form; the names are those of the JSON form.
#[rustfmt::skip]
const COLUMNS: &[&str] = &[
    "group", "currency", "payments", "payments_auto", "payment_auto_rate_ppm", "lines", "lines_auto", "line_auto_rate_ppm",
    "received_minor", "auto_minor", "value_auto_rate_ppm", "engine_lines", "lines_reversed", "precision_by_line_ppm", "window_lines",
    "engine_minor", "reversed_minor", "precision_by_value_ppm", "window_minor",
];

/// What each figure means, by the name of its field.
fn definitions(window: Window) -> [(&'static str, String); 5] {
    let days = window.days;
    [
        (
            "payment_auto_rate",
            "payments fully disposed without a person / payments; held and void ones are not counted".to_owned(),
        ),
        (
            "line_auto_rate",
            "lines applied without a person / lines; a payment that waits counts the lines of its advice, at least one"
                .to_owned(),
        ),
        ("value_auto_rate", "cash applied or kept on account without a person / cash received".to_owned()),
        (
            "precision",
            format!(
                "lines that the engine applied and nobody reversed within {days} days / lines that it applied; by value, their cash. What the bank took back was not wrong"
            ),
        ),
        (
            "open_window",
            format!(
                "of the lines that the engine applied, those that stand and whose {days} days are not over on {}: they may still turn out wrong",
                window.today
            ),
        ),
    ]
}

pub async fn run((from, until): (NaiveDate, NaiveDate), by: By, format: Form, context: &Context) -> anyhow::Result<Exit> {
    let engine = Engine::open_existing(&context.config, context.clock.clone()).await?;
    let window = Window { days: engine.rules.certificate.audit.reversal_days, today: engine.clock.today() };
    let mut tx = engine.db.read().await?;
    let rates = tx.match_rates(from, until, by.into(), window).await?;
    let reasons = tx.match_reasons(from, until).await?;
    tx.rollback().await?;
    engine.db.close().await;
    let definitions = definitions(window);
    let told: String = definitions.iter().map(|(name, what)| format!("{}: {what}.\n", name.replace('_', " "))).collect();
    let told = format!("{told}Shares are rounded down.\n");
    let text = match format {
        Form::Csv => return csv(COLUMNS, &rates.iter().map(with_shares).collect::<anyhow::Result<Vec<_>>>()?, &told),
        Form::Json => {
            let rates = rates.iter().map(with_shares).collect::<anyhow::Result<Vec<_>>>()?;
            let definitions: serde_json::Map<_, _> =
                definitions.into_iter().map(|(name, what)| (name.to_owned(), Value::String(what))).collect();
            let window = json!({ "days": window.days, "today": window.today });
            format!("{}\n", json!({ "definitions": definitions, "window": window, "match_rates": rates, "reasons": reasons }))
        }
        Form::Text => format!("{}\n{}\n{told}", rate_table(&rates).render(), reason_table(&reasons).render()),
    };
    print(&text)?;
    Ok(Exit::Success)
}

/// The counts of a group with the rates that follow from them.
fn with_shares(rate: &MatchRate) -> anyhow::Result<Value> {
    let mut row = serde_json::to_value(rate)?;
    for (name, part, whole) in [
        ("payment_auto_rate_ppm", rate.payments_auto, rate.payments),
        ("line_auto_rate_ppm", rate.lines_auto, rate.lines),
        ("value_auto_rate_ppm", rate.auto_minor, rate.received_minor),
        ("precision_by_line_ppm", rate.engine_lines - rate.lines_reversed, rate.engine_lines),
        ("precision_by_value_ppm", rate.engine_minor - rate.reversed_minor, rate.engine_minor),
    ] {
        row[name] = json!(share_ppm(part, whole));
    }
    Ok(row)
}

fn rate_table(rates: &[MatchRate]) -> Table {
    let right = |name| (name, Align::Right);
    let mut table = Table::new(&[
        ("group", Align::Left),
        ("", Align::Left),
        right("payments"),
        right("auto"),
        right("lines"),
        right("auto"),
        right("received"),
        right("auto"),
        right("precision by line"),
        right("by value"),
        right("open window"),
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
            percent(rate.engine_lines - rate.lines_reversed, rate.engine_lines),
            percent(rate.engine_minor - rate.reversed_minor, rate.engine_minor),
            format!("{} of {}", rate.window_lines, rate.engine_lines),
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
