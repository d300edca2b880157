//! EDIFACT message by message: what is read, what is told, and what is set aside or held.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

#[path = "support/edifact.rs"]
mod edifact;
mod support;

use edifact::interchange;
use tieout_parsers::{Limits, parse};

/// Verdict, remittances, invoices and findings of a file.
fn told(bytes: &[u8]) -> String {
    let parsed = parse(bytes, &Limits::default());
    support::assert_chunks_agree(bytes, &parsed, "an interchange");
    let invoices: String = parsed.document.invoices.iter().map(|invoice| support::invoice_line(invoice) + "\n").collect();
    let (format, status) = (parsed.document.format.as_str(), parsed.document.status.as_str());
    format!("{format} {status}\n{invoices}{}", support::told_advices(&parsed))
}

fn check(messages: &[(&str, &str)], expected: &str) {
    let file = interchange(messages);
    support::assert_told(&told(file.as_bytes()), expected, &file);
}

/// The same where the text of the interchange is changed first.
fn check_changed(messages: &[(&str, &str)], from: &str, to: &str, expected: &str) {
    let file = interchange(messages);
    assert!(file.contains(from), "{from} stands in {file}");
    let file = file.replace(from, to);
    support::assert_told(&told(file.as_bytes()), expected, &file);
}

const HEAD: &str = "BGM+481+RA7+9'DTM+137:20261120:102'NAD+PR+4711::92++GLOBEX:CORP'NAD+PE+ACME::92'CUX+2:EUR:9'";

fn remadv(rest: &str) -> String {
    format!("{HEAD}{rest}")
}

#[test]
fn an_advice_with_discount_credit_note_and_reasons() {
    check(
        &[("REMADV", &remadv(
            "RFF+PQ:P-77'FII+OR+DE89370400440532013000:GLOBEX+COBADEFF'DTM+138:20261123:102'\
             DOC+380+INV1'MOA+9:1000.00'MOA+12:880.00'MOA+52:20.00'DTM+137:20261001:102'RFF+ON:PO9'RFF+DQ:D1'AJT+3'MOA+165:100.00'RFF+ACE:DM5'\
             DOC+381+CN5'MOA+12:80.00'\
             DOC+380+INV2'MOA+9:50'MOA+12:0'AJT+9'AJT+53'FTX+ABO+1++Wrong period:see letter'\
             UNS+S'MOA+12:800.00'"))],
        "edifact.remadv accepted
         advice 0 total=800.00 EUR on=2026-11-23 from=GLOBEX CORP/4711/COBADEFF/••••3000 to=ACME trace=P-77 refs=PQ:P-77,RA:RA7 text=\"Wrong period see letter\"
         IV:INV1 gross=1000.00 EUR discount=20.00 EUR net=880.00 EUR less=-100.00 EUR AJT3 DM5 on=2026-10-01 po=PO9 refs=DQ:D1
         CM:CN5 net=-80.00 EUR
         IV:INV2 gross=50.00 EUR net=0.00 EUR less=-50.00 EUR AJT9 refs=AJT:53",
    );
}

#[test]
fn a_debit_note_counts_as_the_total_says() {
    for (total, net) in [("1100", "100.00"), ("900", "-100.00")] {
        check(
            &[("REMADV", &remadv(&format!("DOC+380+A'MOA+12:1000'DOC+383+B'MOA+12:100'UNS+S'MOA+12:{total}'")))],
            &format!(
                "edifact.remadv accepted
                 advice 0 total={total}.00 EUR on=2026-11-20 from=GLOBEX CORP/4711 to=ACME trace=RA7
                 IV:A net=1000.00 EUR
                 DM:B net={net} EUR"
            ),
        );
    }
}

#[test]
fn totals_that_differ_are_told_and_two_totals_are_a_riddle() {
    check(
        &[
            ("REMADV", &remadv("DOC+380+A'MOA+12:10'UNS+S'MOA+12:9'")),
            ("REMADV", &remadv("DOC+380+A'MOA+12:10'UNS+S'MOA+12:12'")),
            ("REMADV", &remadv("MOA+12:12'DOC+380+A'MOA+12:10'UNS+S'MOA+12:10'")),
            ("REMADV", &remadv("DOC+380+A'MOA+12:10'DOC+380+B'UNS+S'MOA+12:12'")),
        ],
        "edifact.remadv accepted_with_findings
         advice 0 total=9.00 EUR on=2026-11-20 from=GLOBEX CORP/4711 to=ACME trace=RA7
         IV:A net=10.00 EUR
         advice 1 total=12.00 EUR on=2026-11-20 from=GLOBEX CORP/4711 to=ACME trace=RA7
         IV:A net=10.00 EUR
         advice 2 total=12.00 EUR on=2026-11-20 from=GLOBEX CORP/4711 to=ACME trace=RA7
         IV:A net=10.00 EUR
         IV:B
         ! out_of_balance Error Noted MOA01@10 9.00
         ! out_of_balance Warning Noted MOA01@10 12.00
         ! out_of_balance Error RecordSetAside MOA01@11 10
         ! out_of_balance Warning Noted MOA01@7 12.00
         ? MOA+12 9.00 10.00
         ? MOA+12 12.00 10.00
         ? MOA+12 12.00 10.00",
    );
}

#[test]
fn an_amount_that_is_none_sets_its_message_aside_and_no_other() {
    check(
        &[
            ("REMADV", &remadv("DOC+380+A'MOA+12:1O.00'")),
            ("REMADV", &remadv("DOC+380+B'MOA+12:1,250'")),
            ("REMADV", "BGM+481+X'DOC+380+C'MOA+12:5'"),
            ("REMADV", &remadv("DOC+380+D'MOA+12:7,50'MOA+9:7.50'")),
            ("REMADV", &remadv("DOC+380+E'MOA+12:8'CUX+2:USD:4'")),
            ("REMADV", &remadv("DOC+380+F'MOA+12:8:USD'CUX+2:USD:4'")),
        ],
        "edifact.remadv accepted_with_findings
         advice 0 on=2026-11-20 from=GLOBEX CORP/4711 to=ACME trace=RA7
         IV:D gross=7.50 EUR net=7.50 EUR
         advice 1 on=2026-11-20 from=GLOBEX CORP/4711 to=ACME trace=RA7
         IV:F net=8.00 USD
         ! bad_amount Error RecordSetAside MOA01@8 1O.00
         ! bad_amount Error RecordSetAside MOA01@8 1,250
         ! missing_element Error RecordSetAside MOA01@4
         ! bad_code Error RecordSetAside CUX01@9 USD",
    );
}

#[test]
fn what_takes_the_place_of_an_advice_is_told() {
    let with = |function: &str| remadv("DOC+380+A'MOA+12:5'").replace("RA7+9", &format!("RA7+{function}"));
    check(
        &[("REMADV", &with("1")), ("REMADV", &with("5")), ("REMADV", &with("7"))],
        "edifact.remadv accepted_with_findings
         advice 0 on=2026-11-20 from=GLOBEX CORP/4711 to=ACME trace=RA7
         IV:A net=5.00 EUR
         advice 1 on=2026-11-20 from=GLOBEX CORP/4711 to=ACME trace=RA7
         IV:A net=5.00 EUR
         ! corrects_earlier Error RecordSetAside BGM03@2 1
         ! corrects_earlier Warning Noted BGM03@2 5
         ! corrects_earlier Warning Noted BGM03@2 7",
    );
}

const BILL: &str = "BGM+380+R100+9'DTM+137:20261102:102'RFF+ON:PO1'RFF+AAK:D7'NAD+SU+ACME::9++Acme GmbH'RFF+VA:DE1'NAD+BY+BUY::9'\
                    NAD+IV+4711::9++Globex'RFF+IT:77'NAD+DP+SHOP::9'CUX+2:EUR:4'";

#[test]
fn an_invoice_with_terms_lines_and_tax() {
    check(
        &[("INVOIC", &format!(
            "{BILL}PAT+1++5:3:D:30'PAT+22++5:3:D:10'PCD+12:2'DTM+12:20261112:102'\
             LIN+1++401:EN'QTY+47:5'MOA+203:100'RFF+ON:PO2'TAX+7+VAT+++:::19'MOA+124:19'\
             LIN+2++402:EN'MOA+203:50'ALC+A'MOA+8:1'\
             UNS+S'CNT+2:2'MOA+79:150'MOA+77:178.5'MOA+125:150'MOA+124:28.5'TAX+7+VAT+++:::19'MOA+125:150'MOA+124:28.5'"))],
        "edifact.invoic accepted
         Invoice R100 Original 2026-11-02 178.50 EUR due=2026-12-02 to=Globex/4711 by=Acme GmbH/ACME po=PO1 discount=2% within=10 until=2026-11-12 net=30 refs=ON:PO1,AAK:D7,ON:PO2",
    );
}

#[test]
fn kinds_of_invoices() {
    let of = |begin: &str, rest: &str| BILL.replace("BGM+380+R100+9'", begin) + rest;
    check(
        &[
            ("INVOIC", &of("BGM+381+C1+9'", "UNS+S'MOA+77:80'")),
            ("INVOIC", &of("BGM+383+D1+9'", "UNS+S'MOA+86:80'")),
            ("INVOIC", &of("BGM+384+K1+9'", "UNS+S'MOA+39:80'")),
            ("INVOIC", &of("BGM+380+N1+1'", "UNS+S'MOA+9:-80'")),
            ("INVOIC", &of("BGM+380+P1+9'", "DTM+13:20261224:102'UNS+S'MOA+77:80'MOA+113:30'MOA+9:50'")),
            ("INVOIC", &of("BGM+325+F1+9'", "UNS+S'MOA+77:80'")),
            ("INVOIC", &of("BGM+380'", "UNS+S'MOA+77:80'")),
            ("INVOIC", &of("BGM+380+T1+9'", "UNS+S'MOA+124:80'")),
        ],
        "edifact.invoic accepted_with_findings
         CreditMemo C1 Original 2026-11-02 -80.00 EUR to=Globex/4711 by=Acme GmbH/ACME po=PO1 refs=ON:PO1,AAK:D7
         Invoice D1 Original 2026-11-02 80.00 EUR to=Globex/4711 by=Acme GmbH/ACME po=PO1 refs=ON:PO1,AAK:D7
         Invoice K1 Replace 2026-11-02 80.00 EUR to=Globex/4711 by=Acme GmbH/ACME po=PO1 refs=ON:PO1,AAK:D7
         CreditMemo N1 Cancel 2026-11-02 -80.00 EUR to=Globex/4711 by=Acme GmbH/ACME po=PO1 refs=ON:PO1,AAK:D7
         Invoice P1 Original 2026-11-02 50.00 EUR due=2026-12-24 to=Globex/4711 by=Acme GmbH/ACME po=PO1 refs=ON:PO1,AAK:D7
         ! corrects_earlier Warning Noted BGM01@2 383
         ! corrects_earlier Warning Noted BGM01@2 384
         ! odd_sign Warning Noted MOA01@14 -80.00 EUR
         ! bad_code Error RecordSetAside BGM01@2 325
         ! missing_element Error RecordSetAside BGM02@2
         ! missing_segment Error RecordSetAside MOA@15 nothing",
    );
}

#[test]
fn amounts_that_do_not_bear_the_invoice_out_are_told() {
    let with = |rest: &str| format!("{BILL}LIN+1'MOA+203:100'LIN+2'MOA+203:50'UNS+S'{rest}");
    check(
        &[
            ("INVOIC", &with("CNT+2:3'MOA+77:150'MOA+79:150'")),
            ("INVOIC", &with("CNT+2:3'MOA+77:150'MOA+79:160'")),
            ("INVOIC", &with("MOA+77:150'MOA+125:150'MOA+124:28.5'")),
            ("INVOIC", &with("MOA+77:150'MOA+77:151'")),
            ("INVOIC", &with("MOA+77:150'MOA+9:120'")),
            ("INVOIC", &with("MOA+77:150'MOA+77:178.5:USD'")),
        ],
        "edifact.invoic accepted_with_findings
         Invoice R100 Original 2026-11-02 150.00 EUR to=Globex/4711 by=Acme GmbH/ACME po=PO1 refs=ON:PO1,AAK:D7
         Invoice R100 Original 2026-11-02 150.00 EUR to=Globex/4711 by=Acme GmbH/ACME po=PO1 refs=ON:PO1,AAK:D7
         Invoice R100 Original 2026-11-02 120.00 EUR to=Globex/4711 by=Acme GmbH/ACME po=PO1 refs=ON:PO1,AAK:D7
         Invoice R100 Original 2026-11-02 150.00 EUR to=Globex/4711 by=Acme GmbH/ACME po=PO1 refs=ON:PO1,AAK:D7
         ! control_count_mismatch Warning Noted CNT01@18 3
         ! out_of_balance Warning Noted MOA01@20 160.00
         ! control_count_mismatch Error RecordSetAside CNT01@18 3
         ! out_of_balance Warning Noted MOA01@18 150.00
         ! out_of_balance Error RecordSetAside MOA01@19 151
         ! out_of_balance Warning Noted MOA01@19 120.00
         ? CNT+2 3 2
         ? MOA+79 160.00 150.00
         ? CNT+2 3 2
         ? MOA+77 150.00 178.50
         ? MOA+9 120.00 150.00",
    );
}

#[test]
fn every_claim_of_the_envelope_is_compared() {
    let messages = [("REMADV", "BGM+481+X'CUX+2:EUR'DOC+380+A'MOA+12:5'")];
    let read = "advice 0 trace=X\nIV:A net=5.00 EUR\n";
    for (from, to, status, finding) in [
        ("UNT+6+1", "UNT+7+1", "held", "! control_count_mismatch Error FileHeld UNT01@6 7\n? UNT01 7 6"),
        ("UNT+6+1", "UNT+6+2", "held", "! control_number_mismatch Error FileHeld UNT02@6 2\n? UNT02 2 1"),
        ("UNZ+1+R1", "UNZ+2+R1", "held", "! control_count_mismatch Error FileHeld UNZ01@8 2\n? UNZ01 2 1"),
        ("UNZ+1+R1", "UNZ+1+R2", "held", "! control_number_mismatch Error FileHeld UNZ02@8 R2\n? UNZ02 R2 R1"),
        ("UNT+6+1", "UNT+6+01", "accepted_with_findings", "! odd_envelope Warning Noted UNT02@6 01"),
        ("UNZ+1+R1'", "UNZ+1+R1", "accepted_with_findings", "! odd_envelope Warning Noted UNZ@8 UNZ"),
        (
            "UNZ+1+R1'",
            "UNZ+1+R",
            "held",
            "! control_number_mismatch Error FileHeld UNZ02@8 R\n! odd_envelope Warning Noted UNZ@8 UNZ\n? UNZ02 R R1",
        ),
        ("UNZ+1+R1'", "", "held", "! unexpected_end Error FileHeld @0 the end of the file"),
        ("UNZ+1+R1'", "UNZ+1+R1'UNZ+1+R1'", "held", "! trailing_data Error FileHeld @0 UNZ+1+R1'"),
        ("UNOC:3", "UNOC:9", "accepted_with_findings", "! odd_envelope Warning Noted UNB01@1 9"),
    ] {
        check_changed(&messages, from, to, &format!("edifact.remadv {status}\n{read}{finding}"));
    }
}

#[test]
fn messages_without_end_are_left_out_and_hold_the_file() {
    let messages = [("REMADV", "BGM+481+X'CUX+2:EUR'DOC+380+A'MOA+12:5'"), ("REMADV", "BGM+481+Y'")];
    check_changed(&messages, "UNT+6+1'", "", "edifact.remadv held\nadvice 0 trace=Y\n! missing_trailer Error FileHeld UNH@1 UNH");
    check_changed(
        &messages,
        "UNT+3+2'UNZ+2+R1'",
        "",
        "edifact.remadv held\nadvice 0 trace=X\nIV:A net=5.00 EUR\n! unexpected_end Error FileHeld @0 the end of the file",
    );
}

#[test]
fn groups_are_counted_and_name_the_applications() {
    let inner = "UNH+1+REMADV:D:96A:UN'BGM+481+X'UNT+3+1'";
    let file = format!("UNB+UNOA:2+A+B+261120:0600+7'UNG+REMADV+SUB1+SUB2+261120:0600+G1+UN+D:96A'{inner}UNE+1+G1'UNZ+1+7'");
    let parsed = parse(file.as_bytes(), &Limits::default());
    assert_eq!(support::told_findings(&parsed), "");
    let exchange = parsed.document.remittances[0].exchange.as_ref().expect("an exchange");
    let names = [&exchange.sender, &exchange.receiver, &exchange.application_sender, &exchange.application_receiver];
    assert_eq!(names, ["A", "B", "SUB1", "SUB2"]);
    assert_eq!((exchange.interchange_control.as_str(), exchange.group_control.as_str()), ("7", "G1"));
    support::assert_told(
        &told(file.replace("UNE+1+G1", "UNE+2+G1").as_bytes()),
        "edifact.remadv held\nadvice 0 trace=X\n! control_count_mismatch Error FileHeld UNE01@6 2\n? UNE01 2 1",
        "a wrong count",
    );
}

#[test]
fn the_test_indicator_is_told() {
    let of = |indicator: &str| {
        let file = format!("UNB+UNOA:2+A+B+261120:0600+7{indicator}'UNH+1+REMADV:D:96A:UN'BGM+481+X'UNT+3+1'UNZ+1+7'");
        parse(file.as_bytes(), &Limits::default()).received.edifact[0].test
    };
    assert_eq!([of(""), of("++++++1"), of("++++++0")], [false, true, false]);
}

#[test]
fn other_messages_are_recognised_and_not_read() {
    let contrl = ("CONTRL", "UCI+R9+ACME:14+GLOBEX:14+7'");
    check(&[contrl], "edifact.other unsupported\n! unsupported_format Info Noted UNH02@1 CONTRL");
    check(
        &[contrl, ("REMADV", "BGM+481+X'")],
        "edifact.mixed accepted_with_findings\nadvice 0 trace=X\n! unsupported_format Info Noted UNH02@1 CONTRL",
    );
}

#[test]
fn interchanges_of_one_file_bring_their_own_service_characters() {
    let first = interchange(&[("REMADV", "BGM+481+A?+1'NAD+PR+++O?'Neil'")]);
    let second = "UNA;*,\\ ~UNB*UNOA;1*A*B*261120;0600*9~\nUNH*1*REMADV;D;96A;UN~\nBGM*481*B~\nCUX*2;EUR~\nDOC*380*C~\nMOA*12;1,50~\nUNT*6*1~\nUNZ*1*9~\n";
    let third = "UNB+UNOA:4+A+B+20261120:0600+10'UNH+1+REMADV:D:96A:UN'BGM+481+D'RFF+PQ:1*TN:2'UNT+4+1'UNZ+1+10'\u{1a}";
    support::assert_told(
        &told(format!("{first}\r\n{second}{third}").as_bytes()),
        "edifact.remadv accepted
         advice 0 from=O'Neil trace=A+1
         advice 1 trace=B
         IV:C net=1.50 EUR
         advice 2 trace=1 refs=PQ:1,TN:2,RA:D",
        "three interchanges",
    );
}

#[test]
fn character_sets_are_those_of_unb() {
    let file = |syntax: &str, name: &[u8]| {
        let head = format!("UNB+{syntax}:3+A+B+261120:0600+7'UNH+1+REMADV:D:96A:UN'BGM+481+X'NAD+PR++");
        [head.as_bytes(), b"+", name, b"'UNT+4+1'UNZ+1+7'"].concat()
    };
    for (syntax, name, expected) in [
        ("UNOC", &b"M\xfcller"[..], "edifact.remadv accepted\nadvice 0 from=Müller trace=X"),
        ("UNOC", "Müller".as_bytes(), "edifact.remadv accepted\nadvice 0 from=Müller trace=X"),
        ("UNOD", b"\xa3\xf3d\xbc", "edifact.remadv accepted\nadvice 0 from=Łódź trace=X"),
        (
            "UNOA",
            b"M\xfcller",
            "edifact.remadv accepted_with_findings\nadvice 0 from=Müller trace=X\n! not_utf8 Warning Noted NAD@3 byte FC",
        ),
        (
            "UNOA",
            "Müller".as_bytes(),
            "edifact.remadv accepted\nadvice 0 from=Müller trace=X\n! odd_envelope Info Noted NAD@3 byte C3",
        ),
        (
            "UNOW",
            b"M\xfcller",
            "edifact.remadv accepted_with_findings\nadvice 0 from=Müller trace=X\n! not_utf8 Warning Noted NAD@3 byte FC",
        ),
    ] {
        support::assert_told(&told(&file(syntax, name)), expected, syntax);
    }
}

#[test]
fn wrapped_files_and_marks_in_front_are_read() {
    let file = interchange(&[("REMADV", &remadv("DOC+380+INV1001'MOA+12:1500.00'UNS+S'MOA+12:1500.00'"))]);
    let expected = "edifact.remadv accepted
                    advice 0 total=1500.00 EUR on=2026-11-20 from=GLOBEX CORP/4711 to=ACME trace=RA7
                    IV:INV1001 net=1500.00 EUR";
    // UNA and UNB must stand whole; wrapped systems write at least 80 columns.
    let wrapped: Vec<String> = file.as_bytes().chunks(80).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    support::assert_told(&told(wrapped.join("\r\n").as_bytes()), expected, "wrapped");
    let marked = [&b"\xef\xbb\xbf"[..], file.as_bytes()].concat();
    support::assert_told(&told(&marked), &format!("{expected}\n! odd_envelope Info Noted @0 EF BB BF"), "a byte order mark");
}

#[test]
fn limits_stop_the_reading() {
    let file = interchange(&[("REMADV", &remadv("DOC+380+A'MOA+12:5'DOC+380+B'DOC+380+C'")), ("REMADV", "BGM+481+X'")]);
    let limits = |segment, transaction, lines| Limits {
        segment_bytes_max: segment,
        transaction_bytes_max: transaction,
        remittance_lines_max: lines,
        ..Limits::default()
    };
    for (limits, status, expected) in [
        (limits(20, 1_000, 10), "held", "! limit_reached Error FileHeld @0 more"),
        (limits(100, 100, 10), "held", "! limit_reached Error FileHeld @0 more"),
        (limits(100, 1_000, 2), "accepted_with_findings", "! limit_reached Error RecordSetAside DOC@10 DOC"),
    ] {
        let parsed = parse(file.as_bytes(), &limits);
        assert_eq!(parsed.document.status.as_str(), status);
        support::assert_told(&support::told_findings(&parsed), expected, status);
    }
}
