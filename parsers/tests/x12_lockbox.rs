//! 823: deposits, batches and checks; what each claim is compared with; one bad check beside good ones; and that damage never lets money
//! through that the totals do not prove.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use std::fmt::Write as _;

use proptest::prelude::*;
use support::{assert_told, interchange, sample, told};
use tieout_parsers::{Limits, Options, Parsed, Payment, Record, Remittance, Status, Stream, parse, parse_with, x12::Bare};

const HEADER: &str = "N1*BK*FIRST BANK~N1*PE*KESTREL MOTOR FREIGHT*91*KMF~TRN*1*LBX-1~DTM*009*20260316~";
const DEPOSIT: &str = "DEP*7700*20260316*0900*D-1*01*061104204*DA*7700311904~";
const CHECK_1: &str =
    "BPR*I*150.00*C*CHK**01*073470007*DA*40741104170~REF*CK*5501~N1*PR*MERROW FOODS~RMR*IV*A1**100.00~RMR*IV*A2**50.00~";
const CHECK_2: &str = "BPR*I*25.50*C*CHK**01*011000015*DA*22233344455~TRN*1*5502~";

/// Payments and their lines, then findings and failed controls.
fn read(parsed: &Parsed<'_>) -> String {
    let mut text = String::new();
    for payment in &parsed.document.payments {
        payment_line(&mut text, payment);
        let remittance = payment.remittance.map(|index| &parsed.document.remittances[index as usize]);
        for line in remittance.into_iter().flat_map(|remittance: &Remittance<'_>| &remittance.lines) {
            let net = line.net.map_or(String::new(), |net| net.to_decimal().to_string());
            let adjustments: Vec<String> =
                line.adjustments.iter().map(|held| format!(" {}:{}", held.reason, held.amount.to_decimal())).collect();
            writeln!(text, "- {} {} {net}{}", line.qualifier, line.reference, adjustments.concat()).expect("text grows");
        }
    }
    text + &told(parsed)
}

fn payment_line(text: &mut String, payment: &Payment<'_>) {
    let date = payment.value_date.map_or(String::new(), |date| format!(" {date}"));
    write!(text, "{} {}{date} no {}", payment.method.as_str(), payment.amount, payment.trace.as_deref().unwrap_or(""))
        .expect("text");
    for (role, party) in [("by", &payment.payer), ("to", &payment.payee)] {
        let account = party.account.as_ref().map(|account| account.last4());
        let parts = [party.name.as_deref(), party.id.as_deref(), party.bank.as_deref(), account.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        write!(text, " {role} {}", parts.join("/")).expect("text grows");
    }
    let references: Vec<String> = payment.references.iter().map(|held| format!("{}:{}", held.qualifier, held.value)).collect();
    writeln!(text, " [{}]", references.join(" ")).expect("text grows");
}

fn check(body: &str, expected: &str) {
    check_status(body, expected, None);
}

fn check_status(body: &str, expected: &str, status: Option<Status>) {
    let file = interchange("LB", "004010", &[("823", body)]);
    let parsed = parse(file.as_bytes(), &Limits::default());
    assert_told(&read(&parsed), expected, body);
    if let Some(status) = status {
        assert_eq!(parsed.document.status, status, "{body}");
    }
}

#[test]
fn a_lockbox_gives_checks_with_their_items() {
    let body = format!(
        "{HEADER}{DEPOSIT}AMT*3*175.50~QTY*41*1~QTY*42*2~REF*ZZ*SEQ~BAT*20260315**B-7~AVA*175.50*1~AMT*2*175.50~QTY*42*2~{CHECK_1}ADX*-5*04~{CHECK_2}"
    );
    check_status(
        &body,
        "check 150.00 USD 2026-03-16 no 5501 by MERROW FOODS/073470007/4170 to KESTREL MOTOR FREIGHT/KMF/061104204/1904 [LOCKBOX:7700 DEPOSIT:D-1 BATCH:B-7]
         - IV A1 100.00
         - IV A2 50.00 04:-5.00
         check 25.50 USD 2026-03-16 no 5502 by 011000015/4455 to KESTREL MOTOR FREIGHT/KMF/061104204/1904 [LOCKBOX:7700 DEPOSIT:D-1 BATCH:B-7]",
        Some(Status::Accepted),
    );
    let file = interchange("LB", "004010", &[("823", &body)]);
    let parsed = parse(file.as_bytes(), &Limits::default());
    let controls: Vec<String> =
        parsed.document.controls.iter().map(|held| format!("{} {} {}", held.level, held.name, held.claimed)).collect();
    for control in ["batch AMT02 175.50", "batch QTY02 2", "deposit AMT02 175.50", "deposit QTY02 1", "payment BPR02 150.00"] {
        assert!(controls.iter().any(|held| held == control), "{control} is missing in {controls:?}");
    }
    let byte = file.find("BPR*I*25.50").expect("the second check");
    assert_eq!(parsed.document.payments[1].location.byte, byte as u64);
    assert_eq!(
        parsed.document.payments[1].exchange.as_ref().map(|exchange| &*exchange.application_receiver),
        Some("APPRECEIVER")
    );
}

#[test]
fn the_number_and_the_day_of_a_check() {
    let deposit = "DEP*7700*20260316~AMT*3*5~QTY*42*1~";
    let with = |batch: &str, check: &str| format!("{deposit}{batch}{check}");
    // A lockbox number of four digits shows half of itself.
    check(&with("", "BPR*C*5*C*CHK~TRN*1*77~REF*CK*88~"), "check 5.00 USD 2026-03-16 no 88 by  to 00 [TN:77 LOCKBOX:7700]");
    check(&with("", "BPR*C*5*C*CHK~TRN*1*88~REF*CK*88~"), "check 5.00 USD 2026-03-16 no 88 by  to 00 [LOCKBOX:7700]");
    check(&with("", "BPR*C*5*C*CHK************20260317~"), "check 5.00 USD 2026-03-17 no  by  to 00 [LOCKBOX:7700]");
    check(&with("BAT*20260318**3~", "BPR*C*5*C~"), "check 5.00 USD 2026-03-16 no  by  to 00 [LOCKBOX:7700 BATCH:3]");
    check(
        "DEP*7700~AMT*3*5~QTY*42*1~BAT*20260318**3~BPR*C*5*C*CHK~",
        "check 5.00 USD 2026-03-18 no  by  to 00 [LOCKBOX:7700 BATCH:3]",
    );
    // BPS, before BPR came: method, amount, handling, payer's bank and account, company, our bank and account, date.
    check(
        "DEP*7700~AMT*3*5~QTY*42*1~BPS*CHK*5*C*01*073470007*40741104170*1580993607**01*061104204*7700311904*20260317~TRN*1*9~",
        "check 5.00 USD 2026-03-17 no 9 by 1580993607/073470007/4170 to 061104204/1904 [LOCKBOX:7700]",
    );
    check(
        "DEP*7700~AMT*3*5~QTY*42*1~BPR*C*5*D*CHK~",
        "check 5.00 USD no  by  to 00 [LOCKBOX:7700]
         ! bad_code Warning Noted BPR03@5 D",
    );
}

#[test]
fn each_total_and_count_holds_the_file() {
    let intact = format!("{DEPOSIT}AMT*3*175.50~QTY*41*1~QTY*42*2~BAT*20260316**1~AMT*2*175.50~QTY*42*2~{CHECK_1}{CHECK_2}");
    for (from, to, expected) in [
        ("AMT*3*175.50", "AMT*3*175.51", "! control_total_mismatch Error FileHeld AMT02@3 175.51\n? AMT02 175.51 175.50"),
        ("AMT*2*175.50", "AMT*2*1755", "! control_total_mismatch Error FileHeld AMT02@7 1755.00\n? AMT02 1755.00 175.50"),
        ("QTY*41*1", "QTY*41*2", "! control_count_mismatch Error FileHeld QTY02@4 2\n? QTY02 2 1"),
        ("QTY*42*2~BAT", "QTY*42*3~BAT", "! control_count_mismatch Error FileHeld QTY02@5 3\n? QTY02 3 2"),
        ("AMT*2*175.50~QTY*42*2", "AMT*2*175.50~QTY*42*1", "! control_count_mismatch Error FileHeld QTY02@8 1\n? QTY02 1 2"),
        ("AMT*3*175.50", "AMT*3*LOTS", "! bad_amount Error FileHeld AMT02@3 LOTS"),
        ("AMT*3*175.50", "AMT*3", "! missing_element Error FileHeld AMT02@3"),
        ("QTY*41*1", "QTY*41*x", "! bad_amount Error FileHeld QTY02@4 x"),
        (
            "BPR*I*25.50*",
            "BPR*I*25.05*",
            "! control_total_mismatch Error FileHeld AMT02@7 175.50\n! control_total_mismatch Error FileHeld AMT02@3 175.50\n\
             ? AMT02 175.50 175.05\n? AMT02 175.50 175.05",
        ),
    ] {
        let body = intact.replacen(from, to, 1);
        assert_ne!(body, intact, "{from} is there");
        let file = interchange("LB", "004010", &[("823", &body)]);
        let parsed = parse(file.as_bytes(), &Limits::default());
        assert_eq!(parsed.document.status, Status::Held, "{to}");
        assert_eq!(parsed.document.payments.len(), 2, "what is held is read and shown");
        assert_told(&told(&parsed), expected, to);
    }
    for (from, to, expected) in [
        ("QTY*41*1", "QTY*QA*1", ""),
        ("QTY*41*1", "QTY*QA*9", "! bad_code Warning Noted QTY01@4 QA"),
        ("QTY*41*1~QTY*42*2~", "", "! missing_segment Warning Noted DEP@2 nothing"),
        ("AMT*2*175.50~QTY*42*2~", "", ""),
        ("BAT*", "ZZZ*1~BAT*", "! unknown_segment Warning Noted ZZZ@6 ZZZ"),
    ] {
        let file = interchange("LB", "004010", &[("823", &intact.replacen(from, to, 1))]);
        let parsed = parse(file.as_bytes(), &Limits::default());
        assert_ne!(parsed.document.status, Status::Held, "{to}");
        assert_told(&told(&parsed), expected, to);
    }
}

#[test]
fn one_bad_check_leaves_its_neighbours() {
    let with = |check: &str, total: &str| {
        let body = format!("{DEPOSIT}AMT*3*{total}~QTY*42*3~{CHECK_2}{check}{CHECK_2}");
        let file = interchange("LB", "004010", &[("823", &body)]);
        let parsed = parse(file.as_bytes(), &Limits::default());
        assert_eq!(parsed.document.payments.len(), 2, "{check}");
        assert!(parsed.document.payments.iter().map(|payment| payment.seq).eq(0..2), "{check}");
        (parsed.document.status, told(&parsed))
    };
    // An amount of an item: the check is set aside, the deposit is still proven.
    let (status, told) = with("BPR*C*9*C*CHK~RMR*IV*A1**nine~", "60.00");
    assert_eq!(status, Status::AcceptedWithFindings);
    assert_told(&told, "! bad_amount Error RecordSetAside RMR04@8 nine", "an item");
    let (status, told) = with("BPR*C*9*C*CHK~CUR*PR*DOLLAR~", "60.00");
    assert_eq!(status, Status::AcceptedWithFindings);
    assert_told(&told, "! bad_code Error RecordSetAside CUR02@8 DOLLAR", "a currency");
    let (status, told) = with("BPR*C*-9*C*CHK~", "42.00");
    assert_eq!(status, Status::AcceptedWithFindings);
    assert_told(&told, "! bad_amount Error RecordSetAside BPR02@7 -9", "a negative check");
    // The amount of the check itself: nothing proves the deposit any more.
    let (status, told) = with("BPR*C*nine*C*CHK~", "60.00");
    assert_eq!(status, Status::Held);
    assert_told(
        &told,
        "! bad_amount Error RecordSetAside BPR02@7 nine
         ! control_total_mismatch Error FileHeld AMT02@3 60.00
         ? AMT02 60.00 51.00",
        "an amount",
    );
    // A check of nothing that says nothing is none; one that says what for is an advice.
    let (status, _) = with("BPR*C*0*C*CHK~", "51.00");
    assert_eq!(status, Status::Accepted);
    let (status, _) = with("BPR*C*0*C*CHK~RMR*IV*A1**0~", "51.00");
    assert_eq!(status, Status::Accepted);
}

#[test]
fn deposits_without_checks_currencies_and_missing_loops() {
    check("DEP*7700~AMT*3*5~QTY*42*1~", "! missing_loop Warning Noted AMT@3 no check");
    check("N1*PE*US~", "! missing_segment Error RecordSetAside DEP@3 nothing");
    check(
        "DEP*7700~AMT*3*7~QTY*41*2~QTY*42*9~BAT***1~AMT*2*5~BAT***2~AMT*2*2~BPR*C*2*C*CHK~",
        "check 2.00 USD no  by  to 00 [LOCKBOX:7700 BATCH:2]
         ! missing_loop Warning Noted AMT@7 no check
         ! missing_loop Error FileHeld DEP@2 no check",
    );
    check("DEP*7700~AMT*3*7~QTY*41*1~BAT***1~AMT*2*7~", "! missing_loop Warning Noted AMT@6 no check");
    check(
        "DEP*7700~AMT*3*5~QTY*42*1~XPR*C*5*C*CHK~",
        "! unknown_segment Warning Noted XPR@5 XPR\n! missing_loop Error FileHeld AMT@3 no check",
    );
    check(
        "BPR*C*2*C*CHK~",
        "check 2.00 USD no  by  to  []
         ! missing_loop Warning Noted BPR@2 BPR",
    );
    check(
        "DEP*7700~AMT*3*2000~QTY*42*1~BPR*C*2000*C*CHK~TRN*1*1~CUR*PR*JPY~RMR*IV*A**2000~",
        "check 2000 JPY no 1 by  to 00 [LOCKBOX:7700]
         - IV A 2000",
    );
    check_status(
        "DEP*7700~AMT*3*4~QTY*42*2~BPR*C*2*C*CHK~CUR*PR*CAD~BPR*C*2*C*CHK~",
        "check 2.00 CAD no  by  to 00 [LOCKBOX:7700]
         check 2.00 USD no  by  to 00 [LOCKBOX:7700]
         ! control_total_mismatch Error FileHeld AMT02@3 4",
        Some(Status::Held),
    );
    // Two deposits, each with its own claims; more lines than one check may have.
    let two = format!("{DEPOSIT}AMT*3*25.50~QTY*42*1~{CHECK_2}DEP*7701~AMT*3*2~QTY*42*1~BPR*C*2*C*CHK~");
    let file = interchange("LB", "004010", &[("823", &two)]);
    let parsed = parse(file.as_bytes(), &Limits::default());
    assert_eq!(parsed.document.status, Status::Accepted, "{:?}", parsed.findings);
    let lockboxes: Vec<_> = parsed.document.payments.iter().map(|payment| &*payment.references[0].value).collect();
    assert_eq!(lockboxes, ["7700", "7701"]);
    let limits = Limits { remittance_lines_max: 1, ..Limits::default() };
    let body = format!("{DEPOSIT}AMT*3*175.50~QTY*42*2~{CHECK_1}{CHECK_2}");
    let file = interchange("LB", "004010", &[("823", &body)]);
    let parsed = parse(file.as_bytes(), &limits);
    assert_told(
        &told(&parsed),
        "! limit_reached Error RecordSetAside RMR@9 IV\n! out_of_balance Warning Noted BPR02@5 150.00\n? BPR02 150.00 100.00",
        "two lines where one is allowed",
    );
    assert_eq!(parsed.document.payments.len(), 1);
}

#[test]
fn lockboxes_of_the_corpus() {
    let Some(bytes) = sample("823/minimal-deposit.edi") else { return };
    let parsed = parse(&bytes, &Limits::default());
    assert_eq!(parsed.document.status, Status::AcceptedWithFindings);
    assert!(parsed.document.payments.is_empty());
    // The one check of the other comes to half of the deposit.
    let Some(bytes) = sample("823/bare-full-loops.edi") else { return };
    let parsed = parse_with(&bytes, &Options { bare: Bare::recognise(&bytes), ..Options::default() });
    assert_eq!((parsed.document.status, parsed.document.payments.len()), (Status::Held, 1));
    let failed: Vec<_> = parsed.document.controls.iter().filter(|control| !control.ok).collect();
    assert!(
        failed.iter().any(|held| (held.name, held.claimed.as_str(), held.computed.as_str()) == ("AMT02", "10000.00", "5000.00"))
    );
}

/// Batches of checks, each check its cents and the cents of its items.
fn lockbox() -> impl Strategy<Value = Vec<Vec<Vec<u32>>>> {
    let check = prop::collection::vec(1..9_000_000_u32, 1..4);
    prop::collection::vec(prop::collection::vec(check, 1..4), 1..4)
}

fn cents(minor: u64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

fn write_lockbox(batches: &[Vec<Vec<u32>>]) -> String {
    let sum = |checks: &[Vec<u32>]| checks.iter().flatten().map(|minor| u64::from(*minor)).sum::<u64>();
    let total: u64 = batches.iter().map(|batch| sum(batch)).sum();
    let checks: usize = batches.iter().map(Vec::len).sum();
    let mut text = format!("{HEADER}{DEPOSIT}AMT*3*{}~QTY*41*{}~QTY*42*{checks}~", cents(total), batches.len());
    for (batch, number) in batches.iter().zip(1..) {
        write!(text, "BAT*20260316**{number}~AMT*2*{}~QTY*42*{}~", cents(sum(batch)), batch.len()).expect("text grows");
        for (items, serial) in batch.iter().zip(1..) {
            let total: u64 = items.iter().map(|minor| u64::from(*minor)).sum();
            write!(text, "BPR*C*{}*C*CHK**01*073470007*DA*40741104170~REF*CK*{number}{serial}~", cents(total)).expect("text");
            for (item, invoice) in items.iter().zip(1..) {
                write!(text, "RMR*IV*{number}-{serial}-{invoice}**{}~", cents(u64::from(*item))).expect("text grows");
            }
        }
    }
    interchange("LB", "004010", &[("823", &text)])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_written_is_read(batches in lockbox(), size in 1..200_usize) {
        let text = write_lockbox(&batches);
        let parsed = parse(text.as_bytes(), &Limits::default());
        prop_assert_eq!(parsed.document.status, Status::Accepted, "{:?}", parsed.findings);
        let written: Vec<Vec<i64>> = batches.iter().flatten().map(|check| check.iter().map(|minor| i64::from(*minor)).collect()).collect();
        let found: Vec<Vec<i64>> = parsed.document.remittances.iter()
            .map(|remittance| remittance.lines.iter().filter_map(|line| line.net).map(|net| net.minor).collect()).collect();
        prop_assert_eq!(&found, &written);
        for (payment, check) in parsed.document.payments.iter().zip(&written) {
            prop_assert_eq!(payment.amount.minor, check.iter().sum::<i64>());
        }
        let mut payments = Vec::new();
        let mut sink = |record: Record<'_>| if let Record::Payment(payment) = record.into_owned() { payments.push(*payment) };
        let mut stream = Stream::new(&Limits::default());
        text.as_bytes().chunks(size).for_each(|chunk| stream.feed(chunk, &mut sink));
        prop_assert_eq!(stream.finish(&mut sink).status, Status::Accepted);
        prop_assert_eq!(payments, parsed.document.payments);
    }

    #[test]
    fn damage_never_lets_money_through(batches in lockbox(), place in any::<prop::sample::Index>(), byte in any::<u8>(), kind in 0..3_u8) {
        let mut bytes = write_lockbox(&batches).into_bytes();
        let at = place.index(bytes.len());
        match kind {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            _ => bytes.truncate(at),
        }
        let parsed = parse(&bytes, &Limits::default());
        if !matches!(parsed.document.status, Status::Accepted | Status::AcceptedWithFindings) {
            return Ok(());
        }
        // Whatever is taken is at most the deposit that is claimed, and all of it where nothing is set aside.
        let taken: i64 = parsed.document.payments.iter().map(|payment| payment.amount.minor).sum();
        let all: i64 = batches.iter().flatten().flatten().map(|minor| i64::from(*minor)).sum();
        let aside = parsed.findings.iter().any(|finding| finding.effect == tieout_parsers::Effect::RecordSetAside);
        let in_other_currency = parsed.document.payments.iter().any(|payment| payment.amount.currency != tieout_parsers::Currency::USD);
        prop_assert!(taken == all || (aside && taken < all) || in_other_currency, "{taken} of {all}: {:?}", parsed.findings);
    }
}
