//! Delimited files by mapping: what is read of each shipped layout, and what is said of rows that are wrong.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop where it is wrong")]

mod support;

use std::{fmt::Write as _, fs, path::PathBuf, sync::Arc};

use support::assert_told;
use tieout_parsers::{Effect, Format, Limits, Mapping, Options, Parsed, Party, RemittanceLine, Status, parse, parse_with};

const CARD: &str =
    "record,date,merchant,reference,payer,amount,currency,text,invoice,ref_type,invoice_date,gross,discount,net,reason\n";
const ADVICE: &str =
    "Advice,Payer,Payment Ref,Payment Date,Currency,Invoice,Ref Type,Invoice Date,Gross,Discount,Net,Reason,Note\n";

/// Everything read, a line each.
fn told(parsed: &Parsed<'_>) -> String {
    let document = &parsed.document;
    let mut text = format!("{} {}\n", document.format.as_str(), document.status.as_str());
    for payment in &document.payments {
        let direction = if payment.direction == tieout_parsers::Direction::Debit { "debit " } else { "" };
        let advice = payment.remittance.map(|seq| format!(" advice {seq}")).unwrap_or_default();
        let parts = [
            payment.value_date.map(|date| date.to_string()),
            party(&payment.payer),
            party(&payment.payee).map(|payee| format!("to {payee}")),
            payment.trace.as_deref().map(|trace| format!("#{trace}")),
            payment.text.as_deref().map(|text| format!("{text:?}")),
        ];
        let line = payment.location.line.unwrap_or(0);
        write!(text, "{line}: {direction}{} {}", payment.method.as_str(), payment.amount).expect("text grows");
        parts.into_iter().flatten().for_each(|part| write!(text, " {part}").expect("text grows"));
        writeln!(text, "{advice}").expect("text grows");
    }
    for remittance in &document.remittances {
        let line = remittance.location.line.unwrap_or(0);
        let total = remittance.total.map_or("?".to_owned(), |total| total.to_string());
        let parts = [
            remittance.date.map(|date| date.to_string()),
            party(&remittance.payer),
            remittance.trace.as_deref().map(|trace| format!("#{trace}")),
            remittance.text.as_deref().map(|text| format!("{text:?}")),
        ];
        write!(text, "{line}: advice {total}").expect("text grows");
        parts.into_iter().flatten().for_each(|part| write!(text, " {part}").expect("text grows"));
        text.push('\n');
        remittance.lines.iter().for_each(|line| advice_line(&mut text, line));
    }
    for returned in &document.returns {
        let line = returned.location.line.unwrap_or(0);
        let trace = returned.original_trace.as_deref().unwrap_or_default();
        let payer = party(&returned.payer).unwrap_or_default();
        let payee = party(&returned.payee).map(|payee| format!(" from {payee}")).unwrap_or_default();
        writeln!(text, "{line}: return {} {} #{trace} {payer}{payee}", returned.amount, returned.code).expect("text grows");
    }
    for balance in &document.balances {
        let date = balance.date.map(|date| date.to_string()).unwrap_or_default();
        writeln!(text, "{} {} {} {date}", balance.kind, balance.account_last4, balance.amount).expect("text grows");
    }
    for control in &document.controls {
        let sign = if control.ok { "=" } else { "≠" };
        writeln!(text, "{} {}: {} {sign} {}", control.level, control.name, control.claimed, control.computed)
            .expect("text grows");
    }
    for finding in &parsed.findings {
        let place = &finding.location;
        let tag = place.tag.map_or(String::new(), |tag| tag.to_string());
        let column = place.element.map_or(String::new(), |element| format!(" column {element}"));
        let line = place.line.unwrap_or(0);
        let code = finding.code.as_str();
        writeln!(text, "! {line} {tag}{column}: {code} {:?}: {:?} for {}", finding.effect, finding.found, finding.expected)
            .expect("text grows");
    }
    text
}

fn advice_line(text: &mut String, line: &RemittanceLine<'_>) {
    let at = line.location.line.unwrap_or(0);
    write!(text, "  {at}: {}:{}", line.qualifier, line.reference).expect("text grows");
    for (name, amount) in [("gross", line.gross), ("discount", line.discount), ("net", line.net)] {
        if let Some(amount) = amount {
            write!(text, " {name} {}", amount.to_decimal()).expect("text grows");
        }
    }
    for adjustment in &line.adjustments {
        write!(text, " {} {}", adjustment.amount.to_decimal(), adjustment.reason).expect("text grows");
    }
    for reference in &line.references {
        write!(text, " {}:{}", reference.qualifier, reference.value).expect("text grows");
    }
    let date = line.date.map(|date| format!(" {date}")).unwrap_or_default();
    let po = line.po.as_deref().map(|po| format!(" po {po}")).unwrap_or_default();
    writeln!(text, "{date}{po}").expect("text grows");
}

fn party(party: &Party<'_>) -> Option<String> {
    let account = party.account.as_ref().map(|account| format!("{account}"));
    let parts: Vec<&str> =
        [party.name.as_deref(), party.id.as_deref(), party.bank.as_deref(), account.as_deref()].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

fn check(text: &str, expected: &str) {
    check_bytes(text.as_bytes(), expected);
}

fn check_bytes(bytes: &[u8], expected: &str) {
    let found = told(&parse(bytes, &Limits::default()));
    assert_told(&found, expected, &String::from_utf8_lossy(bytes));
}

#[test]
fn a_card_settlement_report_is_read_whole() {
    let text = CARD.to_owned()
        + "PAYMENT,2026-01-05,MID000001,774915000638,IRONWOOD,974.09,USD,,,,,,,,\n\
           LINE,2026-01-05,MID000001,774915000638,,,,,INV-011538,IV,2025-11-13,974.09,0.00,974.09,\n\
           PAYMENT,2026-01-05,MID000001,7750,\"LARSEN, INC\",10.00,USD,THANK YOU,,,,,,,\n\
           CHARGEBACK,2026-01-05,MID000001,518512491788,GOLDEN,-34.08,USD,R01,,,,,,,\n\
           TOTAL,2026-01-05,MID000001,3,,950.01,USD,,,,,,,,\n";
    check(
        &text,
        "csv accepted
         2: card 974.09 USD 2026-01-05 IRONWOOD to ••••0001 #774915000638 advice 0
         4: card 10.00 USD 2026-01-05 LARSEN, INC to ••••0001 #7750 \"THANK YOU\"
         3: advice 974.09 USD 2026-01-05 IRONWOOD #774915000638
           3: IV:INV-011538 gross 974.09 discount 0.00 net 974.09 2025-11-13
         5: return 34.08 USD R01 #518512491788 GOLDEN from ••••0001
         advice total: 974.09 = 974.09
         file total: 950.01 = 950.01
         file count: 3 = 3",
    );
}

#[test]
fn a_card_settlement_report_that_disagrees_is_held() {
    let rows = "PAYMENT,2026-01-05,M1,7,A,974.09,USD,,,,,,,,\nPAYMENT,2026-01-05,M1,8,B,10.00,EUR,,,,,,,,\n";
    let damaged = format!("{CARD}TOTAL,,,,,,,,,,,,,,,x\n");
    let damaged = parse(damaged.as_bytes(), &Limits::default());
    assert!(damaged.document.remittances.is_empty() && damaged.document.status == Status::Held);
    for (total, told) in [
        ("TOTAL,2026-01-05,M1,1,,974.09,USD,,,,,,,,\nTOTAL,2026-01-05,M1,1,,10.00,EUR,,,,,,,,\n", &[][..]),
        ("TOTAL,2026-01-05,M1,1,,974.09,USD,,,,,,,,\nTOTAL,2026-01-05,M1,1,,10.01,EUR,,,,,,,,\n", &["control_total_mismatch"]),
        ("TOTAL,2026-01-05,M1,2,,974.09,USD,,,,,,,,\nTOTAL,2026-01-05,M1,1,,10.00,EUR,,,,,,,,\n", &["control_count_mismatch"]),
        ("TOTAL,2026-01-05,M1,1,,974.09,USD,,,,,,,,\n", &["missing_trailer"]),
        ("TOTAL,2026-01-05,M1,1,,974.09,USD,,,,,,,,\nTOTAL,2026-01-05,M1,1,,10.00,EU", &["unexpected_end", "missing_trailer"]),
        (
            "TOTAL,2026-01-05,M1,1,,974.09,USD,,,,,,,,\nTOTAL,2026-01-05,M1,1,,,EUR,,,,,,,,\n",
            &["missing_element", "missing_trailer"],
        ),
        (
            "TOTAL,2026-01-05,M1,1,,974.09,USD,,,,,,,,\nTOTAL,2026-01-05,M1,1,,10.00,EUR,,,,,,,,,,extra\n",
            &["bad_text", "missing_trailer"],
        ),
        ("", &["missing_trailer"]),
    ] {
        let text = format!("{CARD}{rows}{total}");
        let parsed = parse(text.as_bytes(), &Limits::default());
        let codes: Vec<&str> = parsed.findings.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(codes, told, "{total}");
        let status = if told.is_empty() { Status::Accepted } else { Status::Held };
        assert_eq!(parsed.document.status, status, "{total}");
        let effect = parsed.findings.iter().all(|finding| finding.effect == Effect::FileHeld);
        assert!(effect, "{:?}", parsed.findings);
    }
    // Cut off in the header, and right behind it.
    for length in [90, CARD.len() - 1, CARD.len()] {
        let parsed = parse(&CARD.as_bytes()[..length], &Limits::default());
        assert_eq!((parsed.document.format, parsed.document.status), (Format::Csv, Status::Held), "{length}");
    }
}

#[test]
fn one_bad_row_never_blocks_the_good_ones() {
    let bank = "Date,Description,Amount,Currency,Account\n\
                2026-04-02,Valid,100.00,EUR,DE123456789\n\
                2026-04-03,Garbled,12..34,EUR,DE123456789\n\
                2026-04-31,No such day,12.34,EUR,DE123456789\n\
                2026-04-03,Other sign,\"1,234\",EUR,DE123456789\n\
                2026-04-03,No currency,5.00,EURO,DE123456789\n\
                2026-04-03,Too many,5.00,EUR,DE123456789,more\n\
                2026-04-03,\"never closed,5.00,EUR,DE123456789\n\
                2026-04-03,Nothing,,EUR,DE123456789\n\
                ,No date,5.00,EUR,DE123456789\n\
                2026-04-04,Taken,-7.00,EUR,DE123456789\n";
    check(
        bank,
        "csv accepted_with_findings
         2: other 100.00 EUR 2026-04-02 to ••••6789 \"Valid\"
         11: debit other 7.00 EUR 2026-04-04 to ••••6789 \"Taken\"
         ! 3 PAYMENT column 3: bad_amount RecordSetAside: \"12..34\" for an amount of EUR, such as 1,234.56
         ! 4 PAYMENT column 1: bad_date RecordSetAside: \"2026-04-31\" for a date written %Y-%m-%d or %m/%d/%Y or %d.%m.%Y or %d-%b-%Y or %Y%m%d
         ! 5 PAYMENT column 3: bad_amount RecordSetAside: \"1,234\" for an amount of EUR that cannot mean two: name the decimal sign in the mapping
         ! 6 PAYMENT column 4: bad_code RecordSetAside: \"EURO\" for a code of three letters such as USD
         ! 7 row: bad_text RecordSetAside: \"6 columns\" for 5 columns as in the header
         ! 8 row: bad_text RecordSetAside: \"a row of 45 bytes\" for a closing quote before a delimiter
         ! 9 PAYMENT column 3: missing_element RecordSetAside: \"\" for an amount
         ! 10 PAYMENT column 1: missing_element RecordSetAside: \"\" for the date of the payment",
    );
    let card = CARD.to_owned()
        + "LINE,2026-01-05,M1,6,,,,,INV-0,IV,,1.00,0.00,1.00,\n\
           PAYMENT,2026-01-05,M1,7,A,10.00,USD,,,,,,,,\n\
           LINE,2026-01-05,M1,7,,,,,INV-1,IV,,x,0.00,10.00,\n\
           LINE,2026-01-05,M1,8,,,,,INV-2,IV,,10.00,0.00,10.00,\n\
           ### CONNECTION RESET ###\n\
           REFUND,2026-01-05,M1,9,A,10.00,USD,,,,,,,,\n\
           PAYMENT,2026-01-05,M1,10,A,20.00,USD,,,,,,,,\n\
           LINE,2026-01-05,M1,10,,,,,INV-3,IV,2026-13-01,20.00,0.00,20.00,\n\
           TOTAL,2026-01-05,M1,2,,30.00,USD,,,,,,,,\n";
    check(
        &card,
        "csv accepted_with_findings
         8: card 20.00 USD 2026-01-05 A to ••••1 #10 advice 0
         9: advice 20.00 USD 2026-01-05 A #10
           9: IV:INV-3 gross 20.00 discount 0.00 net 20.00
         advice total: 20.00 = 20.00
         file total: 30.00 = 30.00
         file count: 2 = 2
         ! 2 LINE column 4: missing_segment RecordSetAside: \"6\" for the reference of the payment above
         ! 4 LINE column 12: bad_amount RecordSetAside: \"x\" for an amount of USD, such as 1,234.56
         ! 6 row: bad_text Noted: \"1 columns\" for 15 columns as in the header
         ! 6 row column 1: trailing_data Noted: \"### CONNECTION RESET ###\" for a known kind of row
         ! 7 row column 1: unknown_segment RecordSetAside: \"REFUND\" for a known kind of row
         ! 9 LINE column 11: bad_date Noted: \"2026-13-01\" for a date written %Y-%m-%d",
    );
}

#[test]
fn advices_are_blocks_that_end_with_a_total() {
    let text = ADVICE.to_owned()
        + "1,Vertex,84453,2026-02-23,USD,INV-1,IV,2026-01-05,500.00,10.00,490.00,,\n\
           1,Vertex,84453,2026-02-23,USD,DM-7,ZZ,,-83.65,0.00,-83.65,59,\n\
           1,Vertex,84453,2026-02-23,USD,INV-2,IV,,100.00,0.00,90.00,01,\n\
           1,Vertex,84453,2026-02-23,USD,TOTAL,,,,,496.35,,\n\
           2,\"Larsen & Larsen, LLC\",,2026-02-23,EUR,,,,,,,,see \"\"2601\"\"\n\
           2,\"Larsen & Larsen, LLC\",,2026-02-23,EUR,TOTAL,,,,,42.03,,\n\
           3,Blank,5,2026-02-23,USD,INV-3,IV,,,,,,\n\
           3,Blank,5,2026-02-23,USD,TOTAL,,,,,,,\n\
           4,Over,6,2026-02-23,USD,INV-4,IV,,5.00,0.00,5.00,,\n\
           4,Over,6,2026-02-23,USD,TOTAL,,,,,8.00,,\n";
    check(
        &text,
        "csv accepted_with_findings
         2: advice 496.35 USD 2026-02-23 Vertex #84453
           2: IV:INV-1 gross 500.00 discount 10.00 net 490.00 2026-01-05
           3: ZZ:DM-7 net -83.65 -83.65 59
           4: IV:INV-2 gross 100.00 discount 0.00 net 90.00 -10.00 01
         6: advice 42.03 EUR 2026-02-23 Larsen & Larsen, LLC \"see \\\"\\\"2601\\\"\\\"\"
         8: advice ? 2026-02-23 Blank #5
           8: IV:INV-3
         10: advice 8.00 USD 2026-02-23 Over #6
           10: IV:INV-4 gross 5.00 discount 0.00 net 5.00
         advice total: 496.35 = 496.35
         advice total: 8.00 ≠ 5.00
         ! 11 TOTAL column 11: out_of_balance Noted: \"8.00\" for 5.00",
    );
    let cut = &text[..text.rfind("4,Over").expect("the last row")];
    let parsed = parse(cut.as_bytes(), &Limits::default());
    assert_eq!(parsed.document.status, Status::Held, "the total of the last advice is missing");
}

#[test]
fn a_bad_line_sets_its_advice_aside() {
    let text = ADVICE.to_owned()
        + "1,A,1,2026-02-23,USD,INV-1,IV,,5.00,0.00,5.0O,,\n1,A,1,2026-02-23,USD,TOTAL,,,,,5.00,,\n\
           2,B,2,2026-02-23,USD,INV-2,IV,,6.00,0.00,6.00,,\n2,B,2,2026-02-23,USD,TOTAL,,,,,6.00,,\n\
           3,C,3,2026-02-23,USD,INV-3,IV,,6.00,0.00,6.00,,\n3,C,3,2026-02-23,EUR,TOTAL,,,,,6.00,,\n";
    check(
        &text,
        "csv accepted_with_findings
         4: advice 6.00 USD 2026-02-23 B #2
           4: IV:INV-2 gross 6.00 discount 0.00 net 6.00
         advice total: 6.00 = 6.00
         ! 2 LINE column 11: bad_amount RecordSetAside: \"5.0O\" for an amount of USD, such as 1,234.56
         ! 7 TOTAL column 5: bad_code RecordSetAside: \"EUR\" for USD",
    );
}

#[test]
fn payables_exports_are_read_without_advice_numbers() {
    check(
        "Remittance of Globex\r\n\r\nPayer,Payment Ref,Payment Date,Invoice,Gross,Discount,Deduction,Reason,Net\r\n\
         \"GLOBEX, INC\",TRN998877,11/20/2026,INV-1001,\"1,500.00\",0.00,0.00,,\"1,500.00\"\r\n\
         ,,,INV-1002,\"1,000.00\",20.00,30.00,SHORTAGE,950.00\r\n\
         \"GLOBEX, INC\",TRN998877,11/20/2026,CM-55,(80.00),,,,80.00CR\r\n\
         ,,,TOTAL,,,,,\"2,370.00\"\r\n",
        "csv accepted
         4: advice 2370.00 USD 2026-11-20 GLOBEX, INC #TRN998877
           4: IV:INV-1001 gross 1500.00 discount 0.00 net 1500.00
           5: IV:INV-1002 gross 1000.00 discount 20.00 net 950.00 -30.00 SHORTAGE
           6: IV:CM-55 gross -80.00 net -80.00
         advice total: 2370.00 = 2370.00
         file total: 2370.00 = 2370.00
         ! 4 LINE: odd_envelope Noted: \"none\" for a column with the currency",
    );
    check(
        "invoice no;gross;net paid;check number\nA1;5.00;4.00;77\nA2;5.00;5.00;78\nGrand Total;;9.01;\n",
        "csv held
         2: advice ? #77
           2: IV:A1 gross 5.00 net 4.00
         3: advice ? #78
           3: IV:A2 gross 5.00 net 5.00
         file total: 9.01 ≠ 9.00
         ! 2 LINE: odd_envelope Noted: \"none\" for a column with the currency
         ! 2 LINE column 3: line_out_of_balance Noted: \"4.00\" for 5.00
         ! 4 TOTAL column 3: control_total_mismatch FileHeld: \"9.01\" for 9.00",
    );
}

#[test]
fn the_running_balance_proves_a_bank_download() {
    let oldest = "Date;Description;Debit;Credit;Balance;Currency;IBAN;Ref\n\
                  2026-03-19;Opening balance;;;1000,00;EUR;DE4455667788;\n\
                  2026-03-20;Incoming transfer;;1250,50;2250,50;EUR;DE4455667788;CSV-100\n\
                  2026-03-21;Utility bill;200,25;;;EUR;DE4455667788;CSV-101\n\
                  2026-03-21;Charges;-0,25;;2050,00;EUR;DE4455667788;CSV-102\n";
    check(
        oldest,
        "csv accepted
         3: other 1250.50 EUR 2026-03-20 to ••••7788 #CSV-100 \"Incoming transfer\"
         4: debit other 200.25 EUR 2026-03-21 to ••••7788 #CSV-101 \"Utility bill\"
         5: debit other 0.25 EUR 2026-03-21 to ••••7788 #CSV-102 \"Charges\"
         closing 7788 2050.00 EUR 2026-03-21
         account balance: 2050.00 = 2050.00",
    );
    let newest = "Posting Date,Description,Amount,Balance\n\
                  03/22/2026,Third,5.00,35.00\n03/21/2026,Second,-10.00,30.00\n03/20/2026,First,20.00,40.00\n";
    check(
        newest,
        "csv accepted
         2: other 5.00 USD 2026-03-22 \"Third\"
         3: debit other 10.00 USD 2026-03-21 \"Second\"
         4: other 20.00 USD 2026-03-20 \"First\"
         closing  35.00 USD 2026-03-22
         account balance: 40.00 = 40.00
         ! 2 PAYMENT: odd_envelope Noted: \"none\" for a column with the currency",
    );
    let lost = newest.replace("03/21/2026,Second,-10.00,30.00\n", "").replace("5.00,35.00", "6.00,35.00");
    let parsed = parse(lost.as_bytes(), &Limits::default());
    assert_eq!(parsed.document.status, Status::Held, "a row is missing");
    assert!(parsed.document.controls.iter().any(|control| control.name == "balance" && !control.ok));
}

#[test]
fn local_forms_and_encodings_are_read() {
    let latin = b"Zahler;Verwendung;Betrag\r\nM\xfcller GmbH;RE 1001;1.500,00\r\nM\xfcller GmbH;RE 1002;-80,00\n";
    check_bytes(
        latin,
        "csv accepted_with_findings
         2: advice ? Müller GmbH
           2: IV:RE 1001 net 1500.00
           3: IV:RE 1002 net -80.00
         ! 2 row: not_utf8 Noted: \"byte FC\" for UTF-8 text
         ! 2 LINE: odd_envelope Noted: \"none\" for a column with the currency
         ! 1 : odd_envelope Noted: \"LF, CR LF or CR mixed\" for one kind of line end",
    );
    check(
        "\u{feff}date\tdescription\tamount\tcurrency\n2026-01-02\t\"two\nlines\"\t$5.00\tusd\n\n2026-01-03\tafter\t6\tUSD",
        "csv accepted
         2: other 5.00 USD 2026-01-02 \"two\\nlines\"
         5: other 6.00 USD 2026-01-03 \"after\"
         ! 1 : odd_envelope Noted: \"EF BB BF\" for the first row at the first byte",
    );
    check(
        "Date,Description,Amount,DR/CR,Currency\r2026-01-02,a,5.00,CR,USD\r2026-01-02,b,5.00,DR,USD\r2026-01-02,c,5.00,??,USD\r",
        "csv accepted_with_findings
         2: other 5.00 USD 2026-01-02 \"a\"
         3: debit other 5.00 USD 2026-01-02 \"b\"
         ! 4 PAYMENT column 4: bad_code RecordSetAside: \"??\" for CR or DR",
    );
}

#[test]
fn master_data_and_other_tables_stay_unknown() {
    for text in [
        "invoice_id,invoice_number,seller_id,customer_id,type,amount,open_amount,currency,issue_date\n1,INV,S01,C1,INV,5,5,USD,2026-01-01\n",
        "customer_id,name,currency\nC1,A,USD\n",
        "seller_id,seller_name,kind,bank_routing,account,currency,layout\n",
        "currency,usd_rate,date\nEUR,1.1,2026-01-01\n",
        "PmtInfId\nPayment-Info-12345\n",
    ] {
        let parsed = parse(text.as_bytes(), &Limits::default());
        assert_eq!((parsed.document.format, parsed.document.status), (Format::Unknown, Status::Rejected), "{text}");
    }
}

#[test]
fn a_mapping_of_the_caller_goes_before_the_shipped_ones() {
    let mapping = Mapping::parse(
        r#"
        name = "own"
        yields = "advices"
        [header]
        required = ["invoice", "net"]
        [columns]
        invoice = ["bill"]
        net = ["paid"]
        [records]
        column = "invoice"
        other = "line"
        [records.values]
        "-" = "ignore"
        [amounts]
        decimal = "comma"
        [dates]
        formats = ["%Y-%m-%d"]
        [values]
        currency = "SEK"
        qualifier = "BM"
        "#,
    )
    .expect("a mapping");
    let options = Options { mappings: vec![Arc::new(mapping)], ..Options::default() };
    let text = b"bill|paid\nB1|1.000,50\n";
    let parsed = parse_with(text, &options);
    assert_told(
        &told(&parsed),
        "csv accepted
         2: advice ?
           2: BM:B1 net 1000.50
         ! 2 LINE: odd_envelope Noted: \"none\" for a column with the currency",
        "own mapping",
    );
    assert_eq!(parse(text, &Limits::default()).document.format, Format::Unknown);
}

#[test]
fn a_damaged_row_takes_down_only_what_it_may_belong_to() {
    let header = "Payer,Trace,Invoice,Net\n";
    let read = |rows: &str| {
        let text = format!("{header}{rows}");
        let parsed = parse(text.as_bytes(), &Limits::default());
        let traces: Vec<String> =
            parsed.document.remittances.iter().map(|advice| advice.trace.as_deref().unwrap_or_default().to_owned()).collect();
        traces.join(" ")
    };
    assert_eq!(read("A,1,I1,1\nA,1,I2,2\nB,2,I3,3\n"), "1 2");
    // It names its advice.
    assert_eq!(read("A,1,I1,1\nA,1,I2,2,x\nB,2,I3,3\n"), "2");
    // It may be the last row of one or the first of the next.
    assert_eq!(read("A,1,I1,1\nx,A,1,I2,2\nB,2,I3,3\nC,3,I4,4\n"), "3");
    assert_eq!(read("A,1,I1,1\nB,2,I3,3,x\nB,2,I4,4\nC,3,I5,5\n"), "3");
    // The first row of the file.
    assert_eq!(read("x,A,1,I1,1\nA,1,I2,2\nB,2,I3,3\n"), "2");
}

#[test]
fn a_total_is_known_by_its_label_in_any_column() {
    check(
        "Payer,Trace,Currency,Invoice,Net\nTOTAL,1,USD,I1,5.00\nTOTAL,1,USD,I2,6.00\nGrand Total,,USD,,11.00\n",
        "csv accepted
         2: advice 11.00 USD TOTAL #1
           2: IV:I1 net 5.00
           3: IV:I2 net 6.00
         advice total: 11.00 = 11.00
         file total: 11.00 = 11.00",
    );
}

#[test]
fn the_documented_mapping_is_one() {
    let page = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/formats.md")).expect("the page");
    let example = page.split("```toml\n").find(|part| part.starts_with("name =")).and_then(|part| part.split("```").next());
    if let Err(error) = Mapping::parse(example.expect("an example")) {
        panic!("{error}");
    }
}

#[test]
fn limits_are_kept() {
    let rows: String = (0..50).map(|n| format!("1,A,1,2026-02-23,USD,INV-{n},IV,,5.00,0.00,5.00,,\n")).collect();
    let text = format!("{ADVICE}{rows}1,A,1,2026-02-23,USD,TOTAL,,,,,250.00,,\n");
    let limits = Limits { remittance_lines_max: 40, ..Limits::default() };
    let parsed = parse(text.as_bytes(), &limits);
    assert!(parsed.document.remittances.is_empty());
    assert_eq!(parsed.findings.len(), 1, "{:?}", parsed.findings);
    let torn = format!("{CARD}{}", "### noise ###\n".repeat(30));
    let limits = Limits { findings_max: 5, ..Limits::default() };
    let parsed = parse(torn.as_bytes(), &limits);
    let held = parsed.findings.iter().filter(|finding| finding.effect == Effect::FileHeld).count();
    assert_eq!((parsed.findings.len(), held), (7, 1), "what holds the file is told beyond the bound: {:?}", parsed.findings);
    let limits = Limits { segment_bytes_max: 150, ..Limits::default() };
    let long = text.replace("INV-7,", &format!("INV-{},", "7".repeat(200)));
    let parsed = parse(long.as_bytes(), &limits);
    assert_eq!(parsed.document.status, Status::Held, "{:?}", parsed.findings);
    assert_eq!(parsed.findings[0].code.as_str(), "limit_reached");
}

#[expect(clippy::disallowed_methods, reason = "a test may be asked to write its expectations")]
fn writes_expectations() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// Every sample beside what is read of it; `UPDATE_EXPECT=1` writes the latter anew.
#[test]
fn samples_are_read_as_expected() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../samples/csv");
    let mut checked = 0;
    for kind in ["good", "odd", "broken"] {
        for entry in fs::read_dir(folder.join(kind)).expect("a folder of samples") {
            let path = entry.expect("an entry").path();
            if path.extension().is_none_or(|extension| extension != "csv") {
                continue;
            }
            let bytes = fs::read(&path).expect("a sample");
            let found = told(&parse(&bytes, &Limits::default()));
            let expected = path.with_extension("expected");
            if writes_expectations() {
                fs::write(&expected, &found).expect("the expectation can be written");
            }
            let expected = fs::read_to_string(&expected).expect("an expectation beside the sample");
            assert_told(&found, &expected, &path.display().to_string());
            checked += 1;
        }
    }
    assert!(checked >= 10, "{checked} samples");
}
