//! `tieout report causes`: why payments needed a person, and the setting to look at.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::{Form, csv};
use crate::{
    commands::{
        Context, Exit, print,
        progress::Progress,
        table::{Align, Table, amount},
    },
    domain::Currency,
    ledger::may_work,
    rules::sentence_of,
    work::{Cause, Engine, FirstProposals, Opened},
};

/// Printed with the figures.
const DEFINITIONS: &str = "cause: reason of the exception, the rule that came nearest and the one condition it lacked, as the newest held decision says; an exception about a file has only its reason.
first proposals: each payment once. accepted: a person applied exactly the first proposal, and it stands; otherwise: a person settled it in another way or undid it; undecided: nobody has, or the money is gone.
backtest: history replayed under the running set with this one condition opened, in payments. unjudged: nobody has decided about them; now wrong: people decided otherwise.
";

/// Columns of the CSV form.
#[rustfmt::skip]
const COLUMNS: &[&str] = &[
    "reason", "rule", "kind", "condition", "exceptions", "open", "currency", "minor", "open_minor", "oldest_open", "accepted", "otherwise",
    "undecided", "without_proposal", "file", "key", "backtest_new", "backtest_new_minor", "backtest_unjudged", "backtest_now_wrong",
    "backtest_now_wrong_minor",
];

pub async fn run(
    days: (NaiveDate, NaiveDate),
    (top, backtest): (usize, bool),
    format: Form,
    context: &Context,
) -> anyhow::Result<Exit> {
    if backtest {
        may_work(&context.config.role, "test rules on history")?;
    }
    let engine = Engine::open_existing(&context.config, context.clock.clone()).await?;
    let mut bar: Option<Progress> = None;
    let mut progress = |done, whole| bar.get_or_insert_with(|| Progress::counting("replaying", whole)).at(done);
    let causes = engine.causes(days, top, backtest, &mut progress).await?;
    drop(bar);
    engine.db.close().await;
    match format {
        Form::Csv => return csv(COLUMNS, &causes.iter().flat_map(sheet_rows).collect::<Vec<_>>(), DEFINITIONS),
        Form::Json => {
            let definitions: Vec<_> = DEFINITIONS.lines().collect();
            print(&format!(
                "{}\n",
                json!({ "definitions": definitions, "causes": causes.iter().map(with_words).collect::<Vec<_>>() })
            ))?;
        }
        Form::Text => print(&text(&causes))?,
    }
    Ok(Exit::Success)
}

/// A cause with the sentence that people read and the command that tests a change.
fn with_words(cause: &Cause) -> Value {
    let mut row = json!(cause);
    row["sentence"] = json!(sentence(cause));
    row["test_with"] = json!(cause.remedy.as_ref().map(|_| COMMAND));
    row
}

/// How a change of a rule is tested.
const COMMAND: &str = "tieout --rules FOLDER rules backtest";

/// One row per currency; amounts of different currencies stand in no sum.
fn sheet_rows(cause: &Cause) -> Vec<Value> {
    let money: Vec<_> =
        cause.money.iter().map(|money| (money.currency.as_str(), json!(money.minor), json!(money.open_minor))).collect();
    let money = if money.is_empty() { vec![("", Value::Null, Value::Null)] } else { money };
    let FirstProposals { accepted, otherwise, undecided, none } = cause.first_proposals;
    let rows = money.into_iter().map(|(currency, minor, open_minor)| {
        let opened = cause.backtest.as_ref().and_then(|opened| opened.currencies.iter().find(|part| part.currency == currency));
        let lacked = cause.lacked.as_ref();
        json!({
            "reason": cause.reason, "rule": lacked.map(|lacked| &lacked.rule), "kind": lacked.map(|lacked| lacked.kind),
            "condition": lacked.map(|lacked| &lacked.condition), "exceptions": cause.exceptions, "open": cause.open,
            "currency": currency, "minor": minor, "open_minor": open_minor, "oldest_open": cause.oldest_open,
            "accepted": accepted, "otherwise": otherwise, "undecided": undecided, "without_proposal": none,
            "file": cause.remedy.as_ref().map(|remedy| &remedy.file), "key": cause.remedy.as_ref().map(|remedy| &remedy.key),
            "backtest_new": opened.map(|part| part.new.payments), "backtest_new_minor": opened.map(|part| part.new.minor),
            "backtest_unjudged": opened.map(|part| part.unjudged.payments),
            "backtest_now_wrong": opened.map(|part| part.now_wrong.payments), "backtest_now_wrong_minor": opened.map(|part| part.now_wrong.minor),
        })
    });
    rows.collect()
}

fn text(causes: &[Cause]) -> String {
    if causes.is_empty() {
        return format!("no exception about a payment or a file of these days\n\n{DEFINITIONS}");
    }
    let mut table = Table::new(&[
        ("", Align::Right),
        ("reason", Align::Left),
        ("exceptions", Align::Right),
        ("open", Align::Right),
        ("amount", Align::Right),
        ("oldest open", Align::Left),
        ("accepted", Align::Right),
        ("otherwise", Align::Right),
        ("undecided", Align::Right),
    ]);
    for (place, cause) in causes.iter().enumerate() {
        let first = cause.first_proposals;
        table.row(vec![
            (place + 1).to_string(),
            cause.reason.to_string(),
            cause.exceptions.to_string(),
            cause.open.to_string(),
            money(cause),
            cause.oldest_open.clone().unwrap_or_default(),
            first.accepted.to_string(),
            first.otherwise.to_string(),
            first.undecided.to_string(),
        ]);
    }
    let told: String = causes.iter().enumerate().map(|(place, cause)| told(place + 1, cause)).collect();
    format!("{}\n{told}\n{DEFINITIONS}", table.render())
}

fn money(cause: &Cause) -> String {
    let of = |money: &crate::work::CauseMoney| {
        let currency = Currency::parse(&money.currency).unwrap_or(Currency::USD);
        format!("{} {}", amount(money.minor, currency), money.currency)
    };
    cause.money.iter().map(of).collect::<Vec<_>>().join(", ")
}

/// What decides a cause, what people made of it, and what a backtest says.
fn told(place: usize, cause: &Cause) -> String {
    let mut text = format!("{place}. {}: {}\n", cause.reason, sentence(cause));
    let FirstProposals { accepted, otherwise, .. } = cause.first_proposals;
    if accepted + otherwise > 0 {
        text.push_str(&format!(
            "   {accepted} of {} first proposals that people decided were accepted, {otherwise} otherwise\n",
            accepted + otherwise
        ));
    }
    if let Some(remedy) = &cause.remedy {
        text.push_str(&format!("   {}: {}\n", remedy.file, remedy.key));
        if !remedy.besides.is_empty() {
            text.push_str(&format!("   or {}\n", remedy.besides.join("; ")));
        }
        text.push_str(&format!("   test a change: {COMMAND}\n"));
    }
    text.push_str(&cause.backtest.as_ref().map(opened).unwrap_or_default());
    text
}

fn opened(opened: &Opened) -> String {
    let mut text = String::new();
    for part in &opened.currencies {
        let currency = Currency::parse(&part.currency).unwrap_or(Currency::USD);
        text.push_str(&format!(
            "   opened, over {} decisions: +{} payments, {} lines, {} {}; {} now wrong ({}), {} unjudged, {} lost, {} changed\n",
            opened.decisions,
            part.new.payments,
            part.new.lines,
            amount(part.new.minor, currency),
            part.currency,
            part.now_wrong.payments,
            amount(part.now_wrong.minor, currency),
            part.unjudged.payments,
            part.lost.payments,
            part.changed.payments,
        ));
    }
    text
}

/// Why these payments did not post, in a sentence.
fn sentence(cause: &Cause) -> String {
    match &cause.lacked {
        None => format!("no rule kept it back. {}", cause.reason.advice()),
        Some(lacked) if lacked.rule == "engine" => format!("{}. {}", sentence_of(lacked), cause.reason.advice()),
        Some(lacked) => sentence_of(lacked),
    }
}
