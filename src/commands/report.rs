//! `tieout report`: figures for finance. Every rate stands beside its definition.

mod causes;
mod match_rate;

use chrono::NaiveDate;
use clap::Subcommand;

use super::{Context, Exit, UsageError, print};

const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1900, 1, 1).expect("the day exists");
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("the day exists");

/// Prints figures for finance
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  tieout report match-rate --from 2026-01-01 --until 2026-01-31
  tieout report match-rate --by customer --format csv > rates.csv
  tieout report causes --top 10 --backtest")]
pub struct Args {
    #[command(subcommand)]
    pub report: Report,
}

#[derive(Debug, Subcommand)]
pub enum Report {
    /// How much was posted without a person, in payments, lines and money, and how much of that held
    MatchRate {
        #[command(flatten)]
        days: Days,
        /// How the payments are told apart
        #[arg(long, value_enum, default_value_t = match_rate::By::All)]
        by: match_rate::By,
        #[arg(long, value_enum, default_value_t = Form::Text)]
        format: Form,
    },
    /// Why payments needed a person: the nearest rule and what it lacked, what people made of the first proposals, and the setting to look at
    Causes {
        #[command(flatten)]
        days: Days,
        /// How many causes, the most frequent first
        #[arg(long, default_value_t = 10)]
        top: usize,
        /// Also replay history for each cause with its condition opened
        #[arg(long)]
        backtest: bool,
        #[arg(long, value_enum, default_value_t = Form::Text)]
        format: Form,
    },
}

/// Business days that a report is about.
#[derive(clap::Args, Clone, Copy, Debug)]
pub struct Days {
    /// First business day
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// Last business day
    #[arg(long, value_name = "DATE")]
    until: Option<NaiveDate>,
}

impl Days {
    fn range(self) -> Result<(NaiveDate, NaiveDate), UsageError> {
        let (from, until) = (self.from.unwrap_or(FIRST_DAY), self.until.unwrap_or(LAST_DAY));
        if from > until {
            return Err(UsageError(format!("--from {from} is after --until {until}; no business day lies between them")));
        }
        Ok((from, until))
    }
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    Text,
    Json,
    Csv,
}

pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Exit> {
    match &args.report {
        Report::MatchRate { days, by, format } => match_rate::run(days.range()?, *by, *format, context).await,
        Report::Causes { days, top, backtest, format } => causes::run(days.range()?, (*top, *backtest), *format, context).await,
    }
}

/// Rows as CSV under these columns; each is an object with a field of that name. Definitions go to stderr, so that the sheet stays a sheet.
fn csv(columns: &[&str], rows: &[serde_json::Value], definitions: &str) -> anyhow::Result<Exit> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns)?;
    for row in rows {
        writer.write_record(columns.iter().map(|name| super::export::cell(&row[*name])))?;
    }
    print(&String::from_utf8(writer.into_inner()?)?)?;
    eprint!("{definitions}");
    Ok(Exit::Success)
}

/// A share in parts per million, rounded down; nothing of nothing is no share.
fn share_ppm(part: i64, whole: i64) -> Option<i64> {
    let ppm = (whole != 0).then(|| i128::from(part) * 1_000_000 / i128::from(whole))?;
    i64::try_from(ppm).ok()
}

/// A share with one decimal, rounded down so that nothing short of everything reads as 100.0 %.
fn percent(part: i64, whole: i64) -> String {
    match share_ppm(part, whole) {
        None => "-".to_owned(),
        Some(ppm) => format!("{}.{} %", ppm / 10_000, (ppm / 1_000 % 10).abs()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_never_round_up() {
        for (part, whole, expected) in
            [(0, 0, "-"), (1, 3, "33.3 %"), (9_999, 10_000, "99.9 %"), (999_999_999, 1_000_000_000, "99.9 %"), (5, 5, "100.0 %")]
        {
            assert_eq!(percent(part, whole), expected);
        }
        assert_eq!((share_ppm(1, 3), share_ppm(1, 0)), (Some(333_333), None));
    }
}
