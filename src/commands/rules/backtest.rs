//! `tieout rules backtest`: what other rules would have made of history.

use chrono::NaiveDate;

use crate::{
    commands::{
        Context, Exit, Format, UsageError, print,
        progress::Progress,
        table::{Align, Table, amount},
    },
    domain::Currency,
    ledger::may_work,
    work::{
        Candidate, Engine,
        backtest::{Backtest, ChangeKind, Figures, LineChange, Range},
    },
};

/// Payments of one kind that the text names; JSON names all.
const SHOWN: usize = 20;

pub async fn run(
    (from, until): (Option<NaiveDate>, Option<NaiveDate>),
    format: Format,
    context: &Context,
) -> anyhow::Result<Exit> {
    may_work(&context.config.role, "test rules on history")?;
    if let Some((from, until)) = from.zip(until).filter(|(from, until)| from > until) {
        return Err(UsageError(format!("--from {from} is after --to {until}; no business day lies between them")).into());
    }
    let candidate = Candidate::load(&context.config)?;
    let engine = Engine::open_for_rules(&context.config, context.clock.clone(), &candidate).await?;
    let mut bar: Option<Progress> = None;
    let mut progress = |done, whole| bar.get_or_insert_with(|| Progress::counting("replaying", whole)).at(done);
    let found = engine.backtest(&candidate, Range { from, until }, &context.config.user, &mut progress).await?;
    drop(bar);
    engine.db.close().await;
    match format {
        Format::Json => print(&format!("{}\n", serde_json::to_string(&found)?))?,
        Format::Text => print(&text(&found))?,
    }
    Ok(if found.passed { Exit::Success } else { Exit::InputErrors })
}

fn text(found: &Backtest) -> String {
    let range = match (found.from, found.until) {
        (None, None) => "all history".to_owned(),
        (from, until) => {
            let day = |day: Option<NaiveDate>, none: &str| day.map_or_else(|| none.to_owned(), |day| day.to_string());
            format!("{} to {}", day(from, "the beginning"), day(until, "the end"))
        }
    };
    let mut text =
        format!("set {}\n{range}: {} decisions about {} payments made again\n", found.rule_set, found.decisions, found.payments);
    if found.unpinned > 0 {
        text.push_str(&format!("{} decisions are left out: an older program made them and kept no inputs\n", found.unpinned));
    }
    text.push_str(&format!("\n{}", figures(found).render()));
    if found.is_unchanged() {
        text.push_str("\nNothing differs from what was decided.\n");
    }
    for kind in [ChangeKind::NowWrong, ChangeKind::Lost, ChangeKind::Changed, ChangeKind::New] {
        text.push_str(&changes(found, kind));
    }
    text.push_str(if found.passed { "\npassed\n" } else { "\nnot passed\n" });
    found.failed.iter().for_each(|why| text.push_str(&format!("  {why}\n")));
    text
}

/// Lines and cash by rule; the last rows are all rules together.
fn figures(found: &Backtest) -> Table {
    let right = |name| (name, Align::Right);
    let mut table = Table::new(&[
        ("rule", Align::Left),
        ("", Align::Left),
        right("posts"),
        right("cash"),
        right("new lines"),
        right("cash"),
        right("lost lines"),
        right("cash"),
        right("of it wrong"),
        right("changed lines"),
        right("cash"),
        right("unjudged lines"),
        right("cash"),
        right("now wrong lines"),
        right("cash"),
    ]);
    let mut row = |change: &LineChange| {
        let currency = Currency::parse(&change.currency).unwrap_or(Currency::USD);
        let cash = |figures: Figures| if figures.lines == 0 { String::new() } else { amount(figures.minor, currency) };
        let lines = |figures: Figures| figures.lines.to_string();
        table.row(vec![
            change.rule.clone(),
            change.currency.clone(),
            change.posts.payments.to_string(),
            cash(change.posts),
            lines(change.new),
            cash(change.new),
            lines(change.lost),
            cash(change.lost),
            cash(change.lost_wrong),
            lines(change.changed),
            cash(change.changed),
            lines(change.unjudged),
            cash(change.unjudged),
            lines(change.now_wrong),
            cash(change.now_wrong),
        ]);
    };
    found.rules.iter().for_each(&mut row);
    found.totals().values().for_each(&mut row);
    table
}

fn changes(found: &Backtest, kind: ChangeKind) -> String {
    let of_kind: Vec<_> = found.changes.iter().filter(|change| change.kind == kind).collect();
    if of_kind.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", kind.as_str().replace('_', " "));
    for change in of_kind.iter().take(SHOWN) {
        let or_nothing = |said: &str| if said.is_empty() { "nothing".to_owned() } else { said.to_owned() };
        let currency = Currency::parse(&change.currency).unwrap_or(Currency::USD);
        text.push_str(&format!(
            "  {} {} {} [{}]: then {}; now {}; people: {}\n",
            change.payment,
            amount(change.minor, currency),
            change.currency,
            change.rule,
            or_nothing(&change.then),
            or_nothing(&change.now),
            or_nothing(&change.confirmed)
        ));
    }
    if of_kind.len() > SHOWN {
        text.push_str(&format!("  and {} more; --format json names all\n", of_kind.len() - SHOWN));
    }
    text
}
