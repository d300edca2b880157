//! `tieout certify`: how rarely automatic postings are wrong, and what may post because of it.

use serde_json::json;

use super::{
    Context, Exit, Format, UsageError, print,
    table::{Align, Table},
};
use crate::{
    certificate::CertifiedStratum,
    domain::Permit,
    work::{Engine, Issued},
};

/// Printed with the figures, because a bound without its conditions says nothing.
const DEFINITIONS: &str = "bound: with the confidence named above the true share of wrong postings is not above it, for each stratum by itself.
value bound: the same as a share of the value posted; without a cap on the amount there is none.
labels are answers to the audit of what posts, or, where nothing posts yet, to the queue. An audit that waits too long counts as wrong.
";

/// Draws up the certificate of the error rate and lets post what it shows to be right
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  tieout certify --check
  tieout certify
  tieout certify --last --format json")]
pub struct Args {
    /// Only look: nothing is stored, and what may post stays as it is
    #[arg(long)]
    pub check: bool,
    /// Show the certificate in force instead of a new one
    #[arg(long, conflicts_with = "check")]
    pub last: bool,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    let engine = Engine::open_existing(&context.config, context.clock.clone()).await?;
    let issued = if args.last {
        let last = engine.last_certificate().await?;
        last.ok_or_else(|| UsageError("there is no certificate yet; tieout certify draws one up".to_owned()))?
    } else {
        let mandate = engine.mandate_of(&context.config.user, &context.config.role);
        engine.certify(&mandate, !args.check).await?
    };
    engine.seal_audit().await?;
    engine.db.close().await;
    let text = match args.format {
        Format::Json => format!("{}\n", as_json(&issued)),
        Format::Text => as_text(&issued),
    };
    print(&text)?;
    Ok(Exit::Success)
}

fn as_json(issued: &Issued) -> serde_json::Value {
    json!({ "number": issued.number, "business_day": issued.business_day, "certificate": issued.certificate })
}

fn as_text(issued: &Issued) -> String {
    let certificate = &issued.certificate;
    let heading = match issued.number {
        Some(number) => format!("Certificate {number} of business day {}", issued.business_day),
        None => format!("Not stored: what a certificate of business day {} would say", issued.business_day),
    };
    let plan = &certificate.plan;
    let budget = format!(
        "budget {} of the postings of a stratum, confidence {}; thresholds {}; at least {} labels",
        percent(plan.budget_ppm),
        percent(1_000_000 - plan.delta_ppm),
        plan.grid_milli.iter().map(|milli| points(*milli)).collect::<Vec<_>>().join(", "),
        plan.labels_min
    );
    let mut table = Table::new(&[
        ("stratum", Align::Left),
        ("", Align::Left),
        ("labels", Align::Right),
        ("errors", Align::Right),
        ("bound", Align::Right),
        ("value bound", Align::Right),
        ("threshold", Align::Right),
        ("posts", Align::Left),
        ("because", Align::Left),
        ("audits waiting", Align::Right),
        ("undone", Align::Right),
    ]);
    certificate.strata.iter().filter(|line| is_told(line)).for_each(|line| table.row(row(line)));
    let silent = certificate.strata.iter().filter(|line| !is_told(line)).count();
    let silent =
        if silent == 0 { String::new() } else { format!("{silent} strata without postings or labels are as the rules say\n") };
    let hash = certificate.rule_set.get(..12).unwrap_or(&certificate.rule_set);
    format!("{heading}\n{budget}\n\n{}{silent}\nRules {hash}\n\n{DEFINITIONS}", table.render())
}

/// A stratum of which nothing is known fills no line.
fn is_told(line: &CertifiedStratum) -> bool {
    line.posted > 0 || line.labels > 0 || line.waiting > 0 || !line.tried.is_empty() || !line.safe
}

fn row(line: &CertifiedStratum) -> Vec<String> {
    vec![
        line.stratum.rule.clone(),
        line.stratum.class.as_str().to_owned(),
        line.labels.to_string(),
        line.errors.to_string(),
        if line.labels == 0 { "-".to_owned() } else { percent(line.bound_ppm) },
        line.value_bound_ppm.map_or_else(|| "-".to_owned(), percent),
        line.threshold_milli.map_or_else(|| "-".to_owned(), points),
        match line.posts {
            Permit::Always => "all".to_owned(),
            Permit::From { confidence_milli } => format!("from {}", points(confidence_milli)),
            Permit::Never => "nothing".to_owned(),
        },
        line.basis.sentence().to_owned(),
        if line.overdue > 0 { format!("{}, {} too long", line.waiting, line.overdue) } else { line.waiting.to_string() },
        format!("{} of {}", line.undone, line.posted),
    ]
}

/// Parts per million as a percentage with all its digits.
fn percent(ppm: u32) -> String {
    let fraction = format!("{:04}", ppm % 10_000);
    let fraction = fraction.trim_end_matches('0');
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    format!("{}.{fraction} %", ppm / 10_000)
}

fn points(milli: i32) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    format!("{sign}{}.{:03}", milli.unsigned_abs() / 1000, milli.unsigned_abs() % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_keep_all_their_digits() {
        assert_eq!([0, 1, 1_000, 50_001, 1_000_000].map(percent), ["0.0 %", "0.0001 %", "0.1 %", "5.0001 %", "100.0 %"]);
        assert_eq!([16_000, -500, 0].map(points), ["16.000", "-0.500", "0.000"]);
    }
}
