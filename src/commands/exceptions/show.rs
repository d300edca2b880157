//! Exceptions for people and scripts to read.

use anyhow::Context as _;
use serde_json::json;

use crate::{
    commands::{
        Exit, Format, UsageError, print,
        table::{Align, Table, amount},
    },
    domain::{Currency, ExceptionId, FileId, Level, Money, OpenItemId, ProposalLine, Reason},
    store::{Exception, ExceptionFilter, FileState, Note, StoredControl, StoredFinding, Tx},
    work::{Engine, explain},
};

/// Controls and findings that are shown of a file; `tieout parse` shows all.
const CONTROLS_MAX: usize = 10;

pub async fn list(engine: &Engine, filter: &ExceptionFilter, format: Format) -> anyhow::Result<Exit> {
    let mut tx = engine.db.read().await?;
    let exceptions = tx.exceptions(filter).await?;
    tx.rollback().await?;
    let queues = &engine.rules.routing.queues;
    if let Some(queue) =
        filter.queue.as_deref().filter(|queue| exceptions.is_empty() && queues.iter().all(|known| known.id != *queue))
    {
        let known: Vec<_> = queues.iter().map(|queue| queue.id.as_str()).collect();
        return Err(UsageError(format!("there is no queue {queue}; the rules have {}", known.join(", "))).into());
    }
    let text = match format {
        Format::Json => exceptions.iter().map(|exception| format!("{}\n", as_json(exception, &[]))).collect(),
        Format::Text if exceptions.is_empty() => "nothing waits for a person\n".to_owned(),
        Format::Text => table(&exceptions),
    };
    print(&text)?;
    Ok(Exit::Success)
}

pub async fn one(engine: &Engine, id: ExceptionId, format: Format) -> anyhow::Result<Exit> {
    let mut tx = engine.db.read().await?;
    let exception = find(&mut tx, id).await?;
    let notes = tx.exception_notes(id).await?;
    let text = match format {
        Format::Json => format!("{}\n", as_json(&exception, &notes)),
        Format::Text => {
            let mut text = heading(&exception);
            text.push_str(&details(&mut tx, &exception).await?);
            for Note { at, actor, text: note } in &notes {
                text.push_str(&format!("note by {actor} at {at}: {note}\n"));
            }
            text
        }
    };
    tx.rollback().await?;
    print(&text)?;
    Ok(Exit::Success)
}

pub async fn find(tx: &mut Tx, id: ExceptionId) -> anyhow::Result<Exception> {
    let found = tx.exception(id).await?;
    found.ok_or_else(|| UsageError(format!("there is no exception {id}; tieout exceptions list shows what waits")).into())
}

fn table(exceptions: &[Exception]) -> String {
    let mut table = Table::new(&[
        ("id", Align::Left),
        ("queue", Align::Left),
        ("reason", Align::Left),
        ("about", Align::Left),
        ("amount", Align::Right),
        ("", Align::Left),
        ("due", Align::Left),
        ("owner", Align::Left),
        ("what", Align::Left),
    ]);
    for exception in exceptions {
        let money = exception.amount_minor.zip(exception.currency);
        table.row(vec![
            exception.id.to_string(),
            exception.queue.clone(),
            exception.reason.code().to_owned(),
            about(exception),
            money.map(|(minor, currency)| amount(minor, currency)).unwrap_or_default(),
            exception.currency.filter(|_| money.is_some()).map(|currency| currency.to_string()).unwrap_or_default(),
            exception.due_at.as_deref().map(|due| due.chars().take(16).collect::<String>().replace('T', " ")).unwrap_or_default(),
            exception.owner.clone().unwrap_or_default(),
            exception.message.clone(),
        ]);
    }
    table.render()
}

fn about(exception: &Exception) -> String {
    let ids = [
        exception.payment.map(|id| id.to_string()),
        exception.remittance.filter(|_| exception.payment.is_none()).map(|id| id.to_string()),
        exception.open_item.filter(|_| exception.payment.is_none()).map(|id| id.to_string()),
        exception.file.map(|id| id.to_string()),
    ];
    ids.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn heading(exception: &Exception) -> String {
    let Exception { id, reason, queue, message, .. } = exception;
    let state = match (&exception.resolution, &exception.resolved_by, &exception.resolved_at) {
        (Some(resolution), Some(by), Some(at)) => format!("resolved by {by} at {at}: {resolution}"),
        _ => format!("open, due {}", exception.due_at.as_deref().unwrap_or("without a date")),
    };
    let owner = exception.owner.as_deref().map(|owner| format!(", with {owner}")).unwrap_or_default();
    let place = exception.byte.map(|byte| format!(", byte {byte}")).unwrap_or_default();
    let line = exception.line.map(|line| format!(", line {line}")).unwrap_or_default();
    format!(
        "{id}: {} ({reason}), queue {queue}{owner}\n{state}\nabout {}{line}{place}\n{message}\nnext: {}\n\n",
        reason.title(),
        about(exception),
        reason.advice(),
    )
}

/// The decision behind an exception of a payment, or what a record lacked.
async fn details(tx: &mut Tx, exception: &Exception) -> anyhow::Result<String> {
    let decision = match exception.payment {
        Some(payment) => tx.latest_decision(payment).await?.map(|stored| stored.decision),
        None => None,
    };
    if let (Level::File, Some(file)) = (exception.level, exception.file) {
        return file_details(tx, exception, file).await;
    }
    if exception.reason == Reason::AboveAuthority && exception.details.get("action").is_some() {
        return recommendation(tx, exception).await;
    }
    match decision {
        Some(decision) => {
            // The exception may be about an amount of an item; the proposals are about the cash.
            let payment = match exception.payment {
                Some(payment) => tx.payment(payment).await?,
                None => None,
            };
            let currency = payment.map(|payment| payment.currency).or(exception.currency).unwrap_or(Currency::USD);
            explain(tx, &decision, currency).await
        }
        None if exception.details.is_null() => Ok(String::new()),
        None if exception.reason == Reason::SameMoney => same_money(tx, exception).await,
        None => Ok(format!("{}\n", serde_json::to_string_pretty(&exception.details)?)),
    }
}

/// What somebody recommends, in the currencies of the items and of the cash, and how to grant or decline it.
async fn recommendation(tx: &mut Tx, exception: &Exception) -> anyhow::Result<String> {
    let action = &exception.details["action"];
    let payment = match exception.payment {
        Some(payment) => tx.payment(payment).await?,
        None => None,
    };
    let cash = payment.map(|payment| payment.currency).or(exception.currency).unwrap_or(Currency::USD);
    let by = exception.details["recommended_by"].as_str().unwrap_or("somebody");
    let what = action["action"].as_str().unwrap_or_default().replace('_', "-");
    let mut text = format!("{by} recommends {what}");
    if let Some(minor) = action["amount_minor"].as_i64().filter(|_| action.get("item").is_none()) {
        text.push_str(&format!(" of {}", Money::new(minor, cash)));
    }
    let notes = ["why", "note", "reason", "reason_code", "unrelated"].iter().filter_map(|name| action[*name].as_str());
    notes.for_each(|note| text.push_str(&format!(": {note}")));
    text.push('\n');
    let lines: Vec<ProposalLine> = match action.get("lines") {
        Some(lines) => serde_json::from_value(lines.clone()).context("reading the lines that were recommended")?,
        None => Vec::new(),
    };
    let one = action["item"].as_i64().map(OpenItemId);
    let ids: Vec<_> = lines.iter().map(|line| line.item).chain(one).collect();
    let items = tx.open_items(&ids).await?;
    let item = |id: OpenItemId| items.iter().find(|item| item.id == id);
    for line in &lines {
        let Some(item) = item(line.item) else { continue };
        text.push_str(&format!("  {}: {} in cash", item.number, Money::new(line.cash_minor, cash)));
        if item.currency != cash {
            text.push_str(&format!(", {} applied", Money::new(line.applied_minor, item.currency)));
        }
        for part in &line.adjustments {
            let kind = serde_json::to_value(part.kind)?.as_str().unwrap_or_default().replace('_', " ");
            text.push_str(&format!(", {kind} {} ({})", Money::new(part.amount_minor, item.currency), part.reason));
        }
        text.push('\n');
    }
    if let Some((item, minor)) = one.and_then(item).zip(action["amount_minor"].as_i64()) {
        text.push_str(&format!("  {}: {}\n", item.number, Money::new(minor, item.currency)));
    }
    if let Some(kept) = action["on_account_minor"].as_i64().filter(|kept| *kept != 0) {
        text.push_str(&format!("  on account: {}\n", Money::new(kept, cash)));
    }
    if exception.open {
        text.push_str(&format!(
            "\ntieout exceptions resolve {0} accept            it is done as recommended\n\
             tieout exceptions resolve {0} close --note …    it is not\n",
            exception.id
        ));
    }
    Ok(text)
}

/// Which file it is, what it claims and what was counted, and what can be done with it.
async fn file_details(tx: &mut Tx, exception: &Exception, id: FileId) -> anyhow::Result<String> {
    let Some(file) = tx.file(id).await? else { return Ok(String::new()) };
    let format = file.format.as_deref().unwrap_or("not read");
    let mut text = format!("{id} is {}, {format}, {} bytes\n", file.name, file.size_bytes);
    for control in tx.controls_of_file(id).await?.iter().filter(|control| !control.ok).take(CONTROLS_MAX) {
        let StoredControl { name, level, claimed, computed, byte, .. } = control;
        text.push_str(&format!("  {name} ({level}) claims {claimed}, counted {computed}, byte {byte}\n"));
    }
    for finding in tx.findings_of_file(id).await?.iter().filter(|finding| finding.severity == "error").take(CONTROLS_MAX) {
        let StoredFinding { message, expected, found, .. } = finding;
        text.push_str(&format!("  {message}; expected {expected}, found {found}\n"));
    }
    if exception.open && file.state == FileState::Held {
        text.push_str(&format!(
            "\ntieout exceptions resolve {0} release-file   what it says counts after all\n\
             tieout exceptions resolve {0} reject-file    nothing of it ever counts\n",
            exception.id
        ));
    } else if exception.open {
        text.push_str(&format!(
            "\nNothing of it can be released: ask the sender for another file.\ntieout exceptions resolve {} close\n",
            exception.id
        ));
    }
    Ok(text)
}

/// The records that may tell of one payment, side by side.
async fn same_money(tx: &mut Tx, exception: &Exception) -> anyhow::Result<String> {
    let mut text = String::new();
    let doubts = match exception.payment {
        Some(payment) => tx.doubts_about(payment).await?,
        None => Vec::new(),
    };
    for doubt in doubts {
        let others = tx.payments(&[doubt.other]).await?;
        let Some(other) = others.first() else { continue };
        let file = tx.file(other.source.file).await?.map(|file| file.name).unwrap_or_default();
        let payer = other.payer.name.as_deref().unwrap_or("an unnamed payer");
        let (id, day, shown) = (other.id, other.value_date, amount(other.amount_minor, other.currency));
        text.push_str(&format!(
            "{id}: {shown} {} from {payer} on {day}, in {file}: {} ({})\n",
            other.currency, doubt.why, doubt.state
        ));
    }
    if exception.open {
        text.push_str(&format!(
            "\ntieout exceptions resolve {0} mark-duplicate   it is the same money (--of P… where several are named)\n\
             tieout exceptions resolve {0} not-duplicate    it is other money\n",
            exception.id
        ));
    }
    Ok(text)
}

fn as_json(exception: &Exception, notes: &[Note]) -> serde_json::Value {
    let notes: Vec<_> = notes.iter().map(|note| json!({ "at": note.at, "actor": note.actor, "text": note.text })).collect();
    json!({
        "exception": exception.id, "reason": exception.reason, "level": exception.level, "queue": exception.queue,
        "owner": exception.owner, "open": exception.open, "due_at": exception.due_at, "opened_at": exception.opened_at,
        "file": exception.file, "payment": exception.payment, "remittance": exception.remittance, "open_item": exception.open_item,
        "amount_minor": exception.amount_minor, "currency": exception.currency, "byte": exception.byte, "line": exception.line,
        "message": exception.message, "details": exception.details, "resolution": exception.resolution,
        "resolved_by": exception.resolved_by, "resolved_at": exception.resolved_at, "version": exception.version, "notes": notes,
    })
}
