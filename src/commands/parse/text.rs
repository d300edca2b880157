//! The report for people: file, verdict, controls, what was read, what is wrong and where, and what happens next.

use std::{
    fmt::Write as _,
    io::{Read as _, SeekFrom, Write},
};

use tieout_parsers::{
    Currency, Effect, Finding, Format, Invoice, InvoiceKind, Location, Money, Party, Payment, Remittance, RemittanceLine, Return,
    Severity, Status, Terms, without_ibans, x12::Delimiters,
};

use super::{
    Target, each_chunk, finding_of, is_error,
    report::{Gathered, Kept, SHOWN},
    stream,
};
use crate::{
    commands::table,
    excerpt::{Excerpt, WINDOW_BYTES},
    intake::unwrap::{Rejection, Source},
};

/// Findings shown unless all are asked for.
const FINDINGS_SHOWN: usize = 50;

/// A name may hold what takes over a terminal, or ends the line and begins another.
fn line_of(name: &str) -> String {
    name.replace(char::is_control, "\u{fffd}")
}

/// Writes the report on one file; says whether it has errors.
pub fn report(
    target: &Target<'_>,
    source: &mut dyn Source,
    rejection: Option<&Rejection>,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let mut gathered = Gathered { all: target.all, ..Gathered::default() };
    let (format, status, delimiters, bytes) = match rejection {
        Some(rejection) => {
            gathered.findings.push(finding_of(rejection));
            (Format::Unknown, Status::Rejected, Vec::new(), each_chunk(target.name, source, false, &mut |_| {})?)
        }
        None => {
            let (summary, bytes) = stream(target, source, false, &mut gathered)?;
            let received = &summary.received;
            let x12 = received.interchanges.iter().map(|interchange| interchange.delimiters);
            let delimiters = x12.chain(received.edifact.iter().map(|interchange| interchange.delimiters)).collect();
            (summary.format, summary.status, delimiters, bytes)
        }
    };
    let target = &Target { name: &line_of(target.name), ..*target };
    writeln!(out, "{}", target.name)?;
    writeln!(
        out,
        "  {format}, {} bytes, sha256 {}",
        table::grouped(bytes.size_bytes),
        &bytes.sha256[..16],
        format = format.as_str()
    )?;
    writeln!(out, "  {}", verdict(status, &gathered))?;
    write_controls(&gathered, out)?;
    write_records(&gathered, target.all, out)?;
    write_findings(target, &gathered, &delimiters, source, out)?;
    writeln!(out, "\n  next: {}\n", next_step(status, &gathered))?;
    Ok(is_error(status, gathered.worst()))
}

fn verdict(status: Status, gathered: &Gathered) -> String {
    let set_aside = gathered.findings.iter().filter(|finding| finding.effect == Effect::RecordSetAside).count();
    match status {
        Status::Accepted => "accepted: read whole, nothing to say".to_owned(),
        Status::AcceptedWithFindings if set_aside > 0 => {
            "accepted with findings: records were set aside, the others were read".to_owned()
        }
        Status::AcceptedWithFindings => "accepted with findings: everything was read".to_owned(),
        Status::Held => "HELD: what the file says of itself does not agree with what is in it".to_owned(),
        Status::Rejected => "REJECTED: nothing in it could be read".to_owned(),
        Status::Unsupported => "UNSUPPORTED: recognised, but no format that is read here".to_owned(),
    }
}

fn next_step(status: Status, gathered: &Gathered) -> String {
    let set_aside = gathered.findings.iter().any(|finding| finding.effect == Effect::RecordSetAside);
    match status {
        Status::Accepted => "nothing to do; tieout ingest takes all of it".to_owned(),
        Status::AcceptedWithFindings if set_aside => {
            "tieout ingest takes the good records and makes an exception of each one set aside; ask the sender to correct those"
                .to_owned()
        }
        Status::AcceptedWithFindings if gathered.worst() == Some(Severity::Error) => {
            "tieout ingest takes all of it; what the errors are about becomes an exception for a person".to_owned()
        }
        Status::AcceptedWithFindings => "nothing must be done; tieout ingest takes all of it".to_owned(),
        Status::Held => "tieout ingest archives it and posts nothing until a person releases or rejects the file".to_owned(),
        Status::Rejected | Status::Unsupported => "tieout ingest archives it, shows it under files, and posts nothing".to_owned(),
    }
}

fn write_controls(gathered: &Gathered, out: &mut dyn Write) -> std::io::Result<()> {
    if gathered.controls.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n  controls")?;
    for control in &gathered.controls {
        let example = &control.example;
        let what = format!("{} ({})", example.name, example.level);
        match (control.count, control.agreeing) {
            (1, 1) => writeln!(out, "    ok     {what:<22} {}", example.claimed)?,
            (1, _) => {}
            (count, agreeing) if count == agreeing => writeln!(out, "    ok     {what:<22} all {count} agree")?,
            (count, agreeing) => writeln!(out, "    WRONG  {what:<22} {} of {count} disagree", count - agreeing)?,
        }
    }
    for control in &gathered.disagreeing {
        let what = format!("{} ({})", control.name, control.level);
        writeln!(
            out,
            "    WRONG  {what:<22} claimed {}, computed {}   {}",
            control.claimed,
            control.computed,
            place(&control.location)
        )?;
    }
    Ok(())
}

fn write_records(gathered: &Gathered, all: bool, out: &mut dyn Write) -> std::io::Result<()> {
    let lines_max = if all { usize::MAX } else { SHOWN };
    let payments = [("payments", &gathered.payments), ("debits, which take money away", &gathered.debits)];
    for (what, payments) in payments {
        heading(what, payments, out)?;
        for payment in &payments.first {
            writeln!(out, "    {}", payment_line(payment))?;
            let remittance =
                payment.remittance.and_then(|seq| gathered.remittances.first.iter().find(|remittance| remittance.seq == seq));
            if let Some(remittance) = remittance {
                write_lines(remittance, lines_max, out)?;
            }
        }
        rest(payments, out)?;
    }
    let explained = |payment: &Payment<'_>, seq| payment.remittance == Some(seq);
    let linked = |remittance: &Remittance<'_>| {
        payments.iter().any(|(_, kept)| kept.first.iter().any(|payment| explained(payment, remittance.seq)))
    };
    let apart: Vec<_> = gathered.remittances.first.iter().filter(|remittance| !linked(remittance)).collect();
    if gathered.payments.count + gathered.debits.count == 0 {
        heading("remittances", &gathered.remittances, out)?;
    } else if !apart.is_empty() {
        writeln!(out, "\n  remittances without their payment in this file: {}", apart.len())?;
    }
    for remittance in apart {
        writeln!(out, "    {}", remittance_line(remittance))?;
        write_lines(remittance, lines_max, out)?;
    }
    if gathered.payments.count + gathered.debits.count == 0 {
        rest(&gathered.remittances, out)?;
    }
    heading("invoices and credit memos", &gathered.invoices, out)?;
    for invoice in &gathered.invoices.first {
        writeln!(out, "    {}", invoice_line(invoice))?;
    }
    rest(&gathered.invoices, out)?;
    heading("returns", &gathered.returns, out)?;
    for returned in &gathered.returns.first {
        writeln!(out, "    {}", return_line(returned))?;
    }
    rest(&gathered.returns, out)?;
    heading("balances", &gathered.balances, out)?;
    for balance in &gathered.balances.first {
        writeln!(out, "    ••••{} {} {}{}", balance.account_last4, balance.kind, money(balance.amount), dated("", balance.date))?;
    }
    rest(&gathered.balances, out)?;
    heading("acknowledgments of what we sent", &gathered.acknowledgments, out)?;
    for ack in &gathered.acknowledgments.first {
        let codes = if ack.codes.is_empty() { String::new() } else { format!(" codes {}", ack.codes.join(", ")) };
        writeln!(out, "    {} {}: {}{codes}", clean(&ack.id), clean(&ack.control_number), clean(&ack.verdict))?;
    }
    rest(&gathered.acknowledgments, out)
}

fn heading<T>(what: &str, kept: &Kept<T>, out: &mut dyn Write) -> std::io::Result<()> {
    if kept.count == 0 {
        return Ok(());
    }
    let sums: Vec<_> = kept.sums.iter().map(|(currency, minor)| sum(*minor, *currency)).collect();
    let sums = if sums.is_empty() { String::new() } else { format!(", {}", sums.join(", ")) };
    writeln!(out, "\n  {what}: {}{sums}", table::grouped(kept.count))
}

fn rest<T>(kept: &Kept<T>, out: &mut dyn Write) -> std::io::Result<()> {
    match kept.count - kept.first.len() as u64 {
        0 => Ok(()),
        more => {
            writeln!(out, "    … and {} more; --all shows them, --format jsonl gives them to a program", table::grouped(more))
        }
    }
}

fn payment_line(payment: &Payment<'_>) -> String {
    let mut line = format!("{:>14}", money(payment.amount));
    let _ = write!(line, "  {}{}", payment.method.as_str(), dated(" ", payment.value_date));
    append(&mut line, "from", &party(&payment.payer));
    append(&mut line, "to", &party(&payment.payee));
    append(&mut line, "trace", &without_ibans(&optional(payment.trace.as_deref())));
    append(&mut line, "text", &optional(payment.text.as_deref().map(tieout_parsers::without_ibans).as_deref()));
    if payment.remittance.is_none() {
        line.push_str("; no remittance");
    }
    line
}

fn remittance_line(remittance: &Remittance<'_>) -> String {
    let mut line = remittance.total.map_or_else(|| "no total named".to_owned(), money);
    line.push_str(&dated(" ", remittance.date));
    append(&mut line, "from", &party(&remittance.payer));
    append(&mut line, "trace", &without_ibans(&optional(remittance.trace.as_deref())));
    line
}

fn write_lines(remittance: &Remittance<'_>, lines_max: usize, out: &mut dyn Write) -> std::io::Result<()> {
    for line in remittance.lines.iter().take(lines_max) {
        writeln!(out, "        {}", advice_line(line))?;
    }
    match remittance.lines.len().saturating_sub(lines_max) {
        0 => Ok(()),
        more => writeln!(out, "        … and {more} more lines"),
    }
}

fn advice_line(line: &RemittanceLine<'_>) -> String {
    let reference = if line.reference.is_empty() { "(no reference)".to_owned() } else { clean(&line.reference) };
    let mut text =
        format!("{:<3} {reference:<22} {:>14}", clean(&line.qualifier), line.net.map_or_else(|| "-".to_owned(), money));
    append(&mut text, "gross", &optional_money(line.gross));
    append(&mut text, "discount", &optional_money(line.discount));
    for adjustment in &line.adjustments {
        let _ = write!(text, "; adjusted {} for reason {}", money(adjustment.amount), clean(&adjustment.reason));
    }
    append(&mut text, "PO", &optional(line.po.as_deref()));
    text.push_str(&dated("; dated ", line.date));
    text
}

fn invoice_line(invoice: &Invoice<'_>) -> String {
    let kind = match invoice.kind {
        InvoiceKind::Invoice => "invoice",
        InvoiceKind::CreditMemo => "credit memo",
    };
    let mut line = format!("{kind} {:<18} {:>14}{}", clean(&invoice.number), money(invoice.amount), dated("  of ", invoice.date));
    line.push_str(&dated(", due ", invoice.due_date));
    append(&mut line, "terms", &terms(&invoice.terms));
    append(&mut line, "to", &party(&invoice.bill_to));
    for (what, number) in [("PO", &invoice.po), ("BOL", &invoice.bol), ("PRO", &invoice.pro)] {
        append(&mut line, what, &optional(number.as_deref()));
    }
    line
}

fn return_line(returned: &Return<'_>) -> String {
    let mut line = format!("{:>14}  code {}", money(returned.amount), clean(&returned.code));
    append(&mut line, "of", &optional(returned.original_trace.as_deref()));
    append(&mut line, "from", &party(&returned.payer));
    line
}

fn terms(terms: &Terms) -> String {
    let discount = terms.discount_percent.zip(terms.discount_days).map(|(percent, days)| format!("{percent}/{days}"));
    let net = terms.net_days.map(|days| format!("N{days}"));
    format!("{}{}", discount.unwrap_or_default(), net.unwrap_or_default())
}

fn party(party: &Party<'_>) -> String {
    let account = party.account.as_ref().map(|account| format!("account {account}"));
    let pieces = [party.name.as_deref().map(clean), party.id.as_deref().map(|id| format!("id {}", clean(id))), account];
    pieces.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn append(line: &mut String, what: &str, value: &str) {
    if !value.is_empty() {
        let _ = write!(line, "; {what} {value}");
    }
}

fn optional(text: Option<&str>) -> String {
    text.map(clean).unwrap_or_default()
}

fn optional_money(amount: Option<Money>) -> String {
    amount.map(money).unwrap_or_default()
}

fn dated(before: &str, date: Option<chrono::NaiveDate>) -> String {
    date.map(|date| format!("{before}{date}")).unwrap_or_default()
}

/// Text from a file on one line of a terminal, whatever it holds.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '·' } else { c }).collect()
}

fn money(amount: Money) -> String {
    sum(i128::from(amount.minor), amount.currency)
}

/// `1,200.50 USD`.
fn sum(minor: i128, currency: Currency) -> String {
    format!("{} {currency}", table::amount(minor, currency))
}

fn write_findings(
    target: &Target<'_>,
    gathered: &Gathered,
    delimiters: &[Delimiters],
    source: &mut dyn Source,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let shown = if target.all { usize::MAX } else { FINDINGS_SHOWN };
    if !gathered.findings.is_empty() {
        writeln!(out, "\n  findings: {}", gathered.findings.len())?;
    }
    for finding in gathered.findings.iter().take(shown) {
        let interchange = gathered.interchange_ends.partition_point(|end| *end < finding.location.byte);
        let separators = delimiters.get(interchange).or(delimiters.last());
        writeln!(out, "\n{}", describe(target.name, finding, excerpt(source, &finding.location, separators)?))?;
    }
    if gathered.findings.len() > shown {
        writeln!(out, "\n  … and {} more findings; --all shows them", gathered.findings.len() - shown)?;
    }
    Ok(())
}

fn describe(name: &str, finding: &Finding, excerpt: Option<Excerpt>) -> String {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    };
    let mut text = format!("{name}: {}: {severity}: {}", place(&finding.location), clean(&finding.message));
    let expected = if finding.expected.is_empty() { String::new() } else { format!("expected {}", clean(&finding.expected)) };
    match excerpt {
        Some(excerpt) => {
            let label = finding.location.segment.map_or_else(String::new, |segment| segment.to_string());
            let _ = write!(text, "\n{}", excerpt.render(&label, &expected));
        }
        None if !expected.is_empty() => {
            let _ = write!(text, "\n   {expected}");
        }
        None => {}
    }
    let effect = match finding.effect {
        Effect::Noted => "",
        Effect::RecordSetAside => "The record is set aside; its neighbours are read. ",
        Effect::FileHeld => "The whole file is held: nothing of it posts until a person decides. ",
        Effect::FileRejected => "Nothing of the file is read. ",
    };
    let _ = write!(text, "\n   {effect}{} [{}]", finding.code.advice(), finding.code.as_str());
    text
}

fn place(location: &Location) -> String {
    let mut text = String::new();
    if let Some(sheet) = location.sheet {
        let cell = location.cell().map(|cell| format!("cell {cell} of ")).unwrap_or_default();
        let row = location.line.filter(|_| cell.is_empty()).map(|row| format!("row {row} of ")).unwrap_or_default();
        return format!("{cell}{row}sheet {sheet}");
    }
    match (location.segment, location.tag) {
        (Some(segment), Some(tag)) => drop(write!(text, "segment {segment} ({tag}), ")),
        (Some(segment), None) => drop(write!(text, "segment {segment}, ")),
        (None, Some(tag)) => drop(write!(text, "{tag}, ")),
        (None, None) => {}
    }
    if let Some(element) = location.element {
        let _ = write!(text, "element {element}, ");
    }
    if let Some(component) = location.component {
        let _ = write!(text, "component {component}, ");
    }
    if let Some(line) = location.line {
        let _ = write!(text, "line {line}, ");
    }
    let _ = write!(text, "byte {}", location.byte);
    text
}

/// Nothing when there is nothing to show, as in an empty or a packed file.
fn excerpt(source: &mut dyn Source, location: &Location, delimiters: Option<&Delimiters>) -> anyhow::Result<Option<Excerpt>> {
    let start = location.byte.saturating_sub(WINDOW_BYTES);
    source.seek(SeekFrom::Start(start))?;
    let mut window = Vec::new();
    source.take(location.byte - start + WINDOW_BYTES).read_to_end(&mut window)?;
    let packed = window.starts_with(b"\x1f\x8b") || window.starts_with(b"PK");
    if window.is_empty() || (packed && start == 0) {
        return Ok(None);
    }
    Ok(Excerpt::at(location, &window, start, delimiters))
}
