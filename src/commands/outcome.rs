//! What became of files, as `ingest` and `demo` print it: one line per file, the conservation line, and what waits for people.

use std::collections::BTreeMap;

use super::table::{Align, Table, amount, amount_or_blank};
use crate::{
    domain::{Currency, Reason},
    store::{FileOutcome, FileState, MoneyOutcome},
};

/// The report on some files. `again` are names under which known content arrived.
pub fn report(outcomes: &[FileOutcome], again: &[String]) -> String {
    let mut text = files(outcomes);
    for name in again {
        text.push_str(&format!("{name}: the same content came before; nothing else happens\n"));
    }
    text.push('\n');
    for (currency, total) in totals(outcomes) {
        text.push_str(&conservation(currency, &total));
    }
    text.push_str(&exceptions(outcomes));
    text
}

/// Whether a file or a record of it could not be taken, or waits for a person.
pub fn has_input_errors(outcomes: &[FileOutcome]) -> bool {
    let refused = |outcome: &FileOutcome| {
        // A file that is still only received could not be recorded.
        outcome.file.state != FileState::Recorded || outcome.file.counts.set_aside > 0 || outcome.file.counts.invoices_refused > 0
    };
    outcomes.iter().any(refused)
}

fn files(outcomes: &[FileOutcome]) -> String {
    let mut table = Table::new(&[
        ("file", Align::Left),
        ("verdict", Align::Left),
        ("received", Align::Right),
        ("applied", Align::Right),
        ("closed without cash", Align::Right),
        ("unapplied", Align::Right),
        ("held", Align::Right),
        ("why a person is needed", Align::Left),
    ]);
    for outcome in outcomes {
        let why: Vec<_> = outcome.exceptions.iter().map(|(reason, count)| counted(*reason, *count)).collect();
        let mut why = why.join(", ");
        let mut name = outcome.file.name.clone();
        if outcome.money.is_empty() {
            let taken = outcome.file.counts.invoices_taken;
            let what = if taken > 0 { format!("{taken} open items") } else { String::new() };
            let what = if why.is_empty() { what } else { std::mem::take(&mut why) };
            table.row(vec![
                name,
                verdict(outcome),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                String::new(),
                what,
            ]);
            continue;
        }
        for (currency, money) in &outcome.money {
            let without_cash = money.discount + money.deduction + money.write_off;
            table.row(vec![
                std::mem::take(&mut name),
                verdict(outcome),
                amount_or_blank(money.received, *currency),
                amount_or_blank(money.applied + money.on_account, *currency),
                amount_or_blank(without_cash, *currency),
                amount_or_blank(money.unapplied, *currency),
                amount_or_blank(money.held, *currency),
                std::mem::take(&mut why),
            ]);
        }
    }
    table.render()
}

fn verdict(outcome: &FileOutcome) -> String {
    let verdict = outcome.file.verdict.as_deref().unwrap_or("waiting");
    match verdict {
        "accepted_with_findings" => "with findings".to_owned(),
        other => other.to_owned(),
    }
}

fn counted(reason: Reason, count: i64) -> String {
    let title = reason.title().to_lowercase();
    if count == 1 { title } else { format!("{count} × {title}") }
}

fn totals(outcomes: &[FileOutcome]) -> BTreeMap<Currency, MoneyOutcome> {
    let mut totals: BTreeMap<Currency, MoneyOutcome> = BTreeMap::new();
    for (currency, money) in outcomes.iter().flat_map(|outcome| &outcome.money) {
        totals.entry(*currency).or_default().add(money);
    }
    totals
}

fn conservation(currency: Currency, total: &MoneyOutcome) -> String {
    let money = |minor| amount(minor, currency);
    let verdict = if total.is_conserved() { "every cent is accounted for" } else { "CENTS ARE MISSING: run tieout check" };
    let mut text = format!(
        "{currency}: received {} = applied {} + on account {} + unapplied {} + returned {}: {verdict}\n",
        money(total.received),
        money(total.applied),
        money(total.on_account),
        money(total.unapplied),
        money(total.returned),
    );
    if total.discount + total.deduction + total.write_off != 0 {
        text.push_str(&format!(
            "     closed without cash: discount {}, deductions {}, written off {}\n",
            money(total.discount),
            money(total.deduction),
            money(total.write_off),
        ));
    }
    if total.held != 0 {
        text.push_str(&format!("     held and not counted: {}\n", money(total.held)));
    }
    text
}

fn exceptions(outcomes: &[FileOutcome]) -> String {
    let count: i64 = outcomes.iter().flat_map(|outcome| outcome.exceptions.values()).sum();
    match count {
        0 => "nothing waits for a person\n".to_owned(),
        1 => "1 exception waits for a person\n".to_owned(),
        count => format!("{count} exceptions wait for a person\n"),
    }
}
