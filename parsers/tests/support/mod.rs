//! Wraps bodies of transaction sets into interchanges, and writes what was read as short lines that a test can compare.

#![allow(clippy::arithmetic_side_effects, reason = "a test may stop where a number does not fit")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::{fmt::Write as _, fs, path::PathBuf};

use tieout_parsers::{Invoice, Limits, Parsed, Party, Payment, Record, Remittance, Stream, Text};

/// One interchange of the given sets, each a set id and its segments without ST and SE, separated by `~`.
pub fn interchange(functional_id: &str, version: &str, sets: &[(&str, &str)]) -> String {
    let isa_version = if version < "004020" { "U*00401" } else { "^*00501" };
    let mut text = format!(
        "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *250131*1200*{isa_version}*000000017*0*P*>~\
         GS*{functional_id}*APPSENDER*APPRECEIVER*20250131*1200*17*X*{version}~"
    );
    for (number, (id, body)) in sets.iter().enumerate() {
        let body: String = body.split_inclusive('~').map(str::trim_start).collect();
        let count = body.matches('~').count() + 2;
        write!(text, "ST*{id}*{:04}~{body}SE*{count}*{:04}~", number + 1, number + 1).expect("text grows");
    }
    write!(text, "GE*{}*17~IEA*1*000000017~", sets.len()).expect("text grows");
    text
}

/// The folder of shared X12 sample files, where it is there.
pub fn corpus() -> Option<PathBuf> {
    corpus_of("x12")
}

/// A folder of shared sample files, where it is there.
pub fn corpus_of(family: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus").join(family);
    if !path.is_dir() {
        println!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// The bytes of a sample file.
pub fn sample(name: &str) -> Option<Vec<u8>> {
    Some(fs::read(corpus()?.join(name)).expect("a file of the corpus"))
}

/// Invoices, acknowledgments, findings and failed controls, one a line.
pub fn told(parsed: &Parsed<'_>) -> String {
    let mut text = String::new();
    for invoice in &parsed.document.invoices {
        line(&mut text, &invoice_line(invoice));
    }
    for ack in &parsed.document.acknowledgments {
        let group = ack.group_control.as_deref().map_or(String::new(), |group| format!(" in {group}"));
        let of = format!("{:?} {} {}{group}", ack.level, ack.id, ack.control_number);
        line(&mut text, &format!("{of}: {} [{}]", ack.verdict, ack.codes.join(" ")));
    }
    text.push_str(&told_findings(parsed));
    text
}

/// Payments, remittances, returns, balances, findings and failed controls, one a line.
pub fn told_money(parsed: &Parsed<'_>) -> String {
    let mut text = String::new();
    for payment in &parsed.document.payments {
        line(&mut text, &payment_line(payment));
    }
    for remittance in &parsed.document.remittances {
        remittance_lines(&mut text, remittance);
    }
    for returned in &parsed.document.returns {
        let trace = returned.original_trace.as_deref().unwrap_or("-");
        let payer = party(&returned.payer).unwrap_or_default();
        line(&mut text, &format!("return {} code={} trace={trace} from={payer}", returned.amount, returned.code));
    }
    for balance in &parsed.document.balances {
        let date = balance.date.map_or(String::new(), |date| date.to_string());
        line(&mut text, &format!("balance {} {} {date} ••••{}", balance.kind, balance.amount, balance.account_last4));
    }
    text.push_str(&told_findings(parsed));
    text
}

/// A payment on one line; what is absent is left out.
pub fn payment_line(payment: &Payment<'_>) -> String {
    let mut text = format!("{:?} {:?} {}", payment.direction, payment.method, payment.amount);
    let references: Vec<String> = payment.references.iter().map(|held| format!("{}:{}", held.qualifier, held.value)).collect();
    for (name, value) in [
        ("on", payment.value_date.map(|date| date.to_string())),
        ("from", party(&payment.payer)),
        ("to", party(&payment.payee)),
        ("trace", payment.trace.as_deref().map(str::to_owned)),
        ("refs", (!references.is_empty()).then(|| references.join(","))),
        ("advice", payment.remittance.map(|seq| seq.to_string())),
        ("line", payment.location.line.map(|line| line.to_string())),
        ("text", payment.text.as_deref().map(|text| format!("{text:?}"))),
    ] {
        if let Some(value) = value {
            write!(text, " {name}={value}").expect("text grows");
        }
    }
    text
}

/// Remittances with all they say, findings and failed controls, one a line.
pub fn told_advices(parsed: &Parsed<'_>) -> String {
    let mut text = String::new();
    for remittance in &parsed.document.remittances {
        line(&mut text, &advice_line(remittance));
        for held in &remittance.lines {
            let mut told = format!("  {}:{}", held.qualifier, held.reference);
            let adjusted = |held: &tieout_parsers::Adjustment<'_>| {
                let reference = held.reference.as_deref().map_or(String::new(), |reference| format!(" {reference}"));
                format!("{} {}{reference}", held.amount, held.reason)
            };
            let adjustments: Vec<String> = held.adjustments.iter().map(adjusted).collect();
            append(
                &mut told,
                [
                    ("gross", held.gross.map(|amount| amount.to_string())),
                    ("discount", held.discount.map(|amount| amount.to_string())),
                    ("net", held.net.map(|amount| amount.to_string())),
                    ("less", (!adjustments.is_empty()).then(|| adjustments.join(", "))),
                    ("on", held.date.map(|date| date.to_string())),
                    ("po", held.po.as_deref().map(str::to_owned)),
                    ("refs", references(&held.references)),
                ],
            );
            line(&mut text, &told);
        }
    }
    text.push_str(&told_findings(parsed));
    text
}

fn advice_line(remittance: &Remittance<'_>) -> String {
    let mut text = format!("advice {}", remittance.seq);
    append(
        &mut text,
        [
            ("total", remittance.total.map(|amount| amount.to_string())),
            ("on", remittance.date.map(|date| date.to_string())),
            ("from", party(&remittance.payer)),
            ("to", party(&remittance.payee)),
            ("trace", remittance.trace.as_deref().map(str::to_owned)),
            ("refs", references(&remittance.references)),
            ("text", remittance.text.as_deref().map(|text| format!("{text:?}"))),
        ],
    );
    text
}

fn references(held: &[tieout_parsers::Reference<'_>]) -> Option<String> {
    let told: Vec<String> = held.iter().map(|held| format!("{}:{}", held.qualifier, held.value)).collect();
    (!told.is_empty()).then(|| told.join(","))
}

fn append<const N: usize>(text: &mut String, fields: [(&str, Option<String>); N]) {
    for (name, value) in fields {
        if let Some(value) = value {
            write!(text, " {name}={value}").expect("text grows");
        }
    }
}

fn remittance_lines(text: &mut String, remittance: &Remittance<'_>) {
    let total = remittance.total.map_or(String::new(), |total| total.to_string());
    let note = remittance.text.as_deref().unwrap_or_default();
    line(text, &format!("advice {} {total} {note}", remittance.seq));
    for held in &remittance.lines {
        let amount = |amount: Option<tieout_parsers::Money>| amount.map_or("-".to_owned(), |amount| amount.to_string());
        let adjustments: Vec<String> =
            held.adjustments.iter().map(|adjustment| format!("{} {}", adjustment.amount, adjustment.reason)).collect();
        let date = held.date.map_or(String::new(), |date| date.to_string());
        line(
            text,
            &format!(
                "  {}:{} gross={} discount={} net={} [{}] {date}",
                held.qualifier,
                held.reference,
                amount(held.gross),
                amount(held.discount),
                amount(held.net),
                adjustments.join(", ")
            ),
        );
    }
}

/// Reads the bytes in chunks of several sizes and expects what the whole gave.
pub fn assert_chunks_agree(bytes: &[u8], parsed: &Parsed<'_>, case: &str) {
    for size in [1, 7, 64, 1000] {
        if size == 1 && bytes.len() > 20_000 {
            continue;
        }
        let mut records = Vec::new();
        let mut sink = |record: Record<'_>| records.push(record.into_owned());
        let mut stream = Stream::new(&Limits::default());
        for chunk in bytes.chunks(size) {
            stream.feed(chunk, &mut sink);
        }
        let summary = stream.finish(&mut sink);
        assert_eq!(summary.status, parsed.document.status, "{case} in chunks of {size}");
        assert_eq!(summary.format, parsed.document.format, "{case} in chunks of {size}");
        let document = &parsed.document;
        let mut whole =
            Parsed { document: document.clone(), findings: parsed.findings.clone(), received: parsed.received.clone() };
        for record in records.into_iter().rev() {
            let expected = match record {
                Record::Payment(record) => Some(*record) == whole.document.payments.pop(),
                Record::Remittance(record) => Some(*record) == whole.document.remittances.pop(),
                Record::Invoice(record) => Some(*record) == whole.document.invoices.pop(),
                Record::Return(record) => Some(*record) == whole.document.returns.pop(),
                Record::Balance(record) => Some(record) == whole.document.balances.pop(),
                Record::Acknowledgment(record) => Some(*record) == whole.document.acknowledgments.pop(),
                Record::Control(record) => Some(record) == whole.document.controls.pop(),
                Record::Finding(record) => Some(record) == whole.findings.pop(),
            };
            assert!(expected, "{case} in chunks of {size}: another record");
        }
        let rest = whole.document.payments.len() + whole.document.remittances.len() + whole.findings.len();
        assert_eq!(rest, 0, "{case} in chunks of {size}: records are missing");
    }
}

/// Findings and failed controls, one a line.
pub fn told_findings(parsed: &Parsed<'_>) -> String {
    let mut text = String::new();
    for finding in &parsed.findings {
        let place = &finding.location;
        let tag = place.tag.map_or(String::new(), |tag| tag.to_string());
        let element = place.element.map_or(String::new(), |element| format!("{element:02}"));
        let segment = place.segment.unwrap_or(0);
        line(
            &mut text,
            &format!(
                "! {} {:?} {:?} {tag}{element}@{segment} {}",
                finding.code.as_str(),
                finding.severity,
                finding.effect,
                finding.found
            ),
        );
    }
    for control in parsed.document.controls.iter().filter(|control| !control.ok) {
        line(&mut text, &format!("? {} {} {}", control.name, control.claimed, control.computed));
    }
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

/// An invoice on one line; what is absent is left out.
pub fn invoice_line(invoice: &Invoice<'_>) -> String {
    let mut text = format!("{:?} {} {:?}", invoice.kind, invoice.number, invoice.purpose);
    if let Some(date) = invoice.date {
        write!(text, " {date}").expect("text grows");
    }
    write!(text, " {}", invoice.amount).expect("text grows");
    let terms = &invoice.terms;
    let mut field = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            write!(text, " {name}={value}").expect("text grows");
        }
    };
    let own = |value: &Option<Text<'_>>| value.as_deref().map(str::to_owned);
    field("due", invoice.due_date.map(|date| date.to_string()));
    field("to", party(&invoice.bill_to));
    field("by", party(&invoice.seller));
    field("po", own(&invoice.po));
    field("bol", own(&invoice.bol));
    field("pro", own(&invoice.pro));
    field("discount", terms.discount_percent.map(|percent| format!("{percent}%")));
    field("within", terms.discount_days.map(|days| days.to_string()));
    field("until", terms.discount_date.map(|date| date.to_string()));
    field("off", terms.discount_amount.map(|amount| amount.to_string()));
    field("of", terms.discount_base.map(|amount| amount.to_string()));
    field("net", terms.net_days.map(|days| days.to_string()));
    let references: Vec<String> = invoice.references.iter().map(|held| format!("{}:{}", held.qualifier, held.value)).collect();
    field("refs", Some(references.join(",")));
    text
}

fn party(party: &Party<'_>) -> Option<String> {
    let account = party.account.as_ref().map(|account| format!("{account:?}"));
    let parts: Vec<&str> =
        [party.name.as_deref(), party.id.as_deref(), party.bank.as_deref(), account.as_deref()].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Compares texts line by line, ignoring indentation of the expected one.
pub fn assert_told(found: &str, expected: &str, case: &str) {
    let trimmed = |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    assert_eq!(trimmed(found), trimmed(expected), "\n--- {case} gives\n{found}");
}

/// File names and verdicts of a family in the manifest of bank files.
pub fn manifest(corpus: &std::path::Path, family: &str) -> Vec<(String, String)> {
    let manifest = fs::read_to_string(corpus.join("../MANIFEST-bank.tsv")).expect("the manifest");
    let prefix = format!("{family}/");
    manifest
        .lines()
        .map(|row| row.split('\t').collect::<Vec<_>>())
        .filter(|cells| cells.get(1) == Some(&family))
        .filter_map(|cells| Some((cells.first()?.strip_prefix(&prefix)?.to_owned(), (*cells.get(6)?).to_owned())))
        .collect()
}
