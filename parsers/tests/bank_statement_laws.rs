//! Laws of the statement readers on made-up and damaged files: what was written is read; any cut into chunks gives the same records;
//! damage never panics; and a file is accepted only when its balances bear out what was read.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use std::fmt::Write as _;

use proptest::prelude::*;
use tieout_parsers::{Direction, Effect, Limits, Parsed, Status, parse};

#[derive(Clone, Debug)]
struct Made {
    credit: bool,
    minor: i64,
    name: String,
    text: String,
}

fn entries() -> impl Strategy<Value = Vec<Made>> {
    let made = (any::<bool>(), 1_i64..100_000_000, "[A-Z]([A-Z .]{0,20}[A-Z])?", "[A-Z0-9]([A-Za-z0-9 ,.]{0,120}[0-9])?");
    proptest::collection::vec(made.prop_map(|(credit, minor, name, text)| Made { credit, minor, name, text }), 0..12)
}

fn decimal(minor: i64, mark: char) -> String {
    format!("{}{mark}{:02}", minor / 100, minor % 100)
}

fn net(entries: &[Made]) -> i64 {
    entries.iter().map(|made| if made.credit { made.minor } else { -made.minor }).sum()
}

/// An MT940 with structured or slashed details, in lines of 65.
fn mt940(entries: &[Made], structured: bool, end: &str) -> String {
    let mut text = format!(":20:LAW{end}:25:10020030/1234567{end}:28C:1/1{end}:60F:C260316EUR9000000000,00{end}");
    for (number, made) in entries.iter().enumerate() {
        let mark = if made.credit { "C" } else { "D" };
        write!(text, ":61:2603160316{mark}{}NTRFNONREF//REF{number:05}{end}:86:", decimal(made.minor, ',')).expect("text grows");
        let details = if structured {
            let purpose = format!("SVWZ+{}", made.text);
            let parts: Vec<&str> = pieces(&purpose, 27);
            let numbered: String = parts.iter().enumerate().map(|(at, part)| format!("?{}{part}", 20 + at)).collect();
            format!("166?00CREDIT{numbered}?32{}", made.name)
        } else {
            format!("/NAME/{}/REMI/{}", made.name, made.text)
        };
        text.push_str(&pieces(&details, 65).join(end));
        text.push_str(end);
    }
    write!(text, ":62F:C260316EUR{}{end}-{end}", decimal(900_000_000_000 + net(entries), ',')).expect("text grows");
    text
}

fn pieces(text: &str, width: usize) -> Vec<&str> {
    let mut rest = text;
    let mut all = Vec::new();
    while rest.len() > width {
        let (head, tail) = rest.split_at(width);
        all.push(head);
        rest = tail;
    }
    all.push(rest);
    all
}

/// A camt.053 with an entry each, or all credits in one batch.
fn camt(entries: &[Made], batch: bool) -> String {
    let mut text =
        String::from("<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt><Id>1</Id>\n");
    for (code, minor) in [("OPBD", 900_000_000_000), ("CLBD", 900_000_000_000 + net(entries))] {
        writeln!(
            text,
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd></Bal>",
            decimal(minor, '.')
        )
        .expect("text grows");
    }
    let (credits, debits): (Vec<&Made>, Vec<&Made>) = entries.iter().partition(|made| made.credit && batch);
    let detail = |made: &Made| {
        format!(
            "<TxDtls><Amt Ccy=\"EUR\">{}</Amt><RltdPties><Dbtr><Nm>{}</Nm></Dbtr></RltdPties><RmtInf><Ustrd>{}</Ustrd></RmtInf></TxDtls>\n",
            decimal(made.minor, '.'),
            made.name,
            made.text
        )
    };
    let mut groups: Vec<Vec<&Made>> = debits.into_iter().map(|made| vec![made]).collect();
    if !credits.is_empty() {
        groups.push(credits);
    }
    for group in groups {
        let sum: i64 = group.iter().map(|made| made.minor).sum();
        let indicator = if group.iter().all(|made| made.credit) { "CRDT" } else { "DBIT" };
        let details: String = group.iter().map(|made| detail(made)).collect();
        writeln!(
            text,
            "<Ntry><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>{indicator}</CdtDbtInd><Sts>BOOK</Sts><NtryDtls>{details}</NtryDtls></Ntry>",
            decimal(sum, '.')
        )
        .expect("text grows");
    }
    text.push_str("</Stmt></BkToCstmrStmt></Document>\n");
    text
}

/// What came in less what went out or back.
fn movement(parsed: &Parsed<'_>) -> i64 {
    let payments = parsed.document.payments.iter();
    let signed = payments.map(|payment| match payment.direction {
        Direction::Credit => payment.amount.minor,
        Direction::Debit => -payment.amount.minor,
    });
    signed.sum::<i64>() - parsed.document.returns.iter().map(|returned| returned.amount.minor).sum::<i64>()
}

/// The law of damage: read in chunks alike, and accepted only when the balances bear out what was read.
fn judge(bytes: &[u8], case: &str) {
    let parsed = parse(bytes, &Limits::default());
    support::assert_chunks_agree(bytes, &parsed, case);
    let accepted = matches!(parsed.document.status, Status::Accepted | Status::AcceptedWithFindings);
    let document = &parsed.document;
    let set_aside = parsed.findings.iter().any(|finding| finding.effect == Effect::RecordSetAside);
    let of = |kind: &str| -> Vec<i64> {
        document.balances.iter().filter(|balance| balance.kind == kind).map(|balance| balance.amount.minor).collect()
    };
    let (opening, closing) = (of("opening_booked"), of("closing_booked"));
    assert!(!accepted || document.controls.iter().all(|control| control.ok), "{case}: accepted though a control fails");
    if let ([opening], [closing], true, false) = (opening.as_slice(), closing.as_slice(), accepted, set_aside) {
        let skipped = parsed.findings.iter().any(|finding| finding.severity == tieout_parsers::Severity::Info);
        assert!(
            skipped || opening + movement(&parsed) == *closing,
            "{case}: {opening} {} {closing}\n{}",
            movement(&parsed),
            support::told_money(&parsed)
        );
    }
}

fn damage(bytes: &mut Vec<u8>, kind: u8, at: prop::sample::Index, byte: u8) {
    if bytes.is_empty() {
        return;
    }
    let position = at.index(bytes.len());
    match kind {
        0 => bytes[position] = byte,
        1 => bytes.truncate(position),
        2 => bytes.insert(position, byte),
        3 => drop(bytes.remove(position)),
        4 => {
            let end = (position + 40).min(bytes.len());
            let copy = bytes[position..end].to_vec();
            bytes.splice(position..position, copy);
        }
        _ => drop(bytes.drain(position..(position + 30).min(bytes.len()))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_as_mt940_is_read(made in entries(), structured in any::<bool>(), crlf in any::<bool>()) {
        let text = mt940(&made, structured, if crlf { "\r\n" } else { "\n" });
        let parsed = parse(text.as_bytes(), &Limits::default());
        prop_assert_eq!(parsed.document.status, Status::Accepted, "{}\n{}", text, support::told_money(&parsed));
        prop_assert_eq!(parsed.document.payments.len(), made.len());
        for (payment, made) in parsed.document.payments.iter().zip(&made) {
            let other = if made.credit { &payment.payer } else { &payment.payee };
            prop_assert_eq!((payment.amount.minor, other.name.as_deref()), (made.minor, Some(made.name.as_str())));
            prop_assert_eq!(payment.text.as_deref(), Some(made.text.as_str()), "{}", text);
        }
        support::assert_chunks_agree(text.as_bytes(), &parsed, "written");
    }

    #[test]
    fn what_is_written_as_camt_is_read(made in entries(), batch in any::<bool>()) {
        let text = camt(&made, batch);
        let parsed = parse(text.as_bytes(), &Limits::default());
        prop_assert_eq!(parsed.document.status, Status::Accepted, "{}\n{}", text, support::told_money(&parsed));
        prop_assert_eq!(parsed.document.payments.len(), made.len());
        let mut found: Vec<_> = parsed.document.payments.iter().map(|payment| (payment.amount.minor, payment.text.as_deref())).collect();
        let mut expected: Vec<_> = made.iter().map(|made| (made.minor, Some(made.text.as_str()))).collect();
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
        support::assert_chunks_agree(text.as_bytes(), &parsed, "written");
    }

    #[test]
    fn damaged_statements_are_judged(
        made in entries(),
        xml in any::<bool>(),
        flag in any::<bool>(),
        harms in proptest::collection::vec((0_u8..6, any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = if xml { camt(&made, flag) } else { mt940(&made, flag, "\r\n") }.into_bytes();
        for (kind, at, byte) in harms {
            damage(&mut bytes, kind, at, byte);
        }
        judge(&bytes, &String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn limits_stop_what_never_ends() {
    let limits = Limits { segment_bytes_max: 2_000, transaction_bytes_max: 4_000, remittance_lines_max: 3, ..Limits::default() };
    let opening = ":20:A\n:25:1\n:60F:C260316EUR0,00\n:61:2603160316C1,00NTRFX\n:86:";
    let stmt = "<Document><BkToCstmrStmt><Stmt><Ntry><Amt Ccy=\"EUR\">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>";
    let details = "<NtryDtls><TxDtls><RmtInf>";
    for (case, text) in [
        ("a line without end", format!("{opening}{}", "X".repeat(9_000))),
        ("an entry without end", format!("{opening}{}", "X\n".repeat(9_000))),
        ("a text without end", format!("{stmt}<AddtlNtryInf>{}", "X".repeat(9_000))),
        ("a tag without end", format!("{stmt}<AddtlNtryInf {}", "X".repeat(9_000))),
        ("texts without end", format!("{stmt}<AddtlNtryInf>{}", "&amp;X".repeat(9_000))),
        ("an entry of many elements", format!("{stmt}{}", "<A></A>".repeat(9_000))),
        ("elements within elements", "<A>".repeat(9_000)),
        ("many lines", format!("{stmt}{details}{}", "<Strd/>".repeat(100))),
    ] {
        let parsed = parse(text.as_bytes(), &limits);
        let reached = parsed.findings.iter().any(|finding| finding.code == tieout_parsers::FindingCode::LimitReached);
        assert!(reached && parsed.document.status == Status::Held, "{case}: {}", support::told_findings(&parsed));
        for size in [7, 500, 3_000] {
            let mut findings = Vec::new();
            let mut sink = |record: tieout_parsers::Record<'_>| {
                if let tieout_parsers::Record::Finding(finding) = record {
                    findings.push(finding);
                }
            };
            let mut stream = tieout_parsers::Stream::new(&limits);
            text.as_bytes().chunks(size).for_each(|chunk| stream.feed(chunk, &mut sink));
            let summary = stream.finish(&mut sink);
            assert_eq!(
                (summary.status, findings),
                (parsed.document.status, parsed.findings.clone()),
                "{case} in chunks of {size}"
            );
        }
    }
}
