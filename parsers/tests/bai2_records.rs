//! Single BAI2 records and what they give: funds types, continuations, end marks, keys and type codes, one case after the other.

#![allow(clippy::arithmetic_side_effects, reason = "counts of lines in short cases")]

use tieout_parsers::{Limits, Parsed, Status, parse};

/// A file of one account with these lines behind 02; the totals of all trailers are made to agree.
fn file(lines: &str) -> String {
    let details: i64 = lines
        .lines()
        .filter(|line| line.starts_with("16,"))
        .filter_map(|line| line.split(',').nth(2)?.trim_end_matches('/').parse::<i64>().ok())
        .sum();
    let has_account = lines.starts_with("03,");
    let account = if has_account { "" } else { "03,5518820047,,,,/\n" };
    let count = lines.lines().filter(|line| !line.is_empty()).count() + usize::from(!has_account) + 1;
    format!(
        "01,091308339,GRE,260314,0500,7,,,2/\n02,GRE,091308339,1,260313,2359,,2/\n{account}{lines}\n49,{details},{count}/\n98,{details},1,{}/\n99,{details},1,{}/\n",
        count + 2,
        count + 4
    )
}

/// Payments, returns and findings, each on one line.
fn told(parsed: &Parsed<'_>) -> String {
    let mut lines = Vec::new();
    for payment in &parsed.document.payments {
        let party = &payment.payer;
        let payer: Vec<&str> = [&party.name, &party.id, &party.bank].into_iter().flatten().map(|text| &**text).collect();
        let account = party.account.as_ref().map_or(String::new(), |account| format!(" {account}"));
        let date = payment.value_date.map_or(String::new(), |date| date.to_string());
        lines.push(format!(
            "{} {} {date} [{}{account}] {} | {}",
            payment.method.as_str(),
            payment.amount,
            payer.join(", "),
            payment.trace.as_deref().unwrap_or("-"),
            payment.text.as_deref().unwrap_or("-")
        ));
    }
    for returned in &parsed.document.returns {
        let trace = returned.original_trace.as_deref().unwrap_or("-");
        lines.push(format!(
            "return {} {} {trace} [{}]",
            returned.amount,
            returned.code,
            returned.payer.name.as_deref().unwrap_or("")
        ));
    }
    for finding in &parsed.findings {
        let place = &finding.location;
        let tag = place.tag.map_or(String::new(), |tag| tag.to_string());
        lines.push(format!(
            "! {} {:?} line {} {tag}/{}",
            finding.code.as_str(),
            finding.effect,
            place.line.unwrap_or(0),
            place.element.unwrap_or(0)
        ));
    }
    lines.join("\n")
}

fn check(lines: &str, expected: &[&str]) {
    let text = file(lines);
    let parsed = parse(text.as_bytes(), &Limits::default());
    assert_eq!(told(&parsed).lines().collect::<Vec<_>>(), expected, "\n{text}");
    assert!(parsed.document.controls.iter().all(|control| control.ok), "{text}");
}

#[test]
fn transactions() {
    let wire = "wire 10.00 USD 2026-03-13";
    for (lines, expected) in [
        ("16,195,1000,Z,REF1,,PAID/", &["[] REF1 | PAID"][..]),
        ("16,195,1000,Z,REF1,CUST1,PAID IN FULL, THANKS", &["[] REF1 | PAID IN FULL, THANKS"]),
        ("16,195,1000,Z,,CUST1/", &["[] CUST1 | -"]),
        ("16,195,1000/", &["[] - | -"]),
        ("16,195,1000,,REF1,,INV 13/05/24 A/B", &["[] REF1 | INV 13/05/24 A/B"]),
        ("16,195,1000,Z,REF1,,ACME A/S//", &["[] REF1 | ACME A/S/"]),
        ("16,195,1000,Z,REF1,,\n88,INV 1\n88,INV 2/", &["[] REF1 | INV 1 INV 2"]),
        ("16,195,1000,Z/\n88,REF1,CUST1,PAID/", &["[] REF1 | PAID"]),
        ("16,195,1000,Z/\n88,OBI:INV 1, INV 2/", &["[] - | INV 1, INV 2"]),
        ("16,195,1000,S,400,300,300,REF1,,PAID/", &["[] REF1 | PAID"]),
        ("16,195,1000,D,2,0,400,2/\n88,600,REF1,,PAID/", &["[] REF1 | PAID"]),
        ("16,195,1000,Z,REF1,,WIRE IN\n88,ORG:=ACME INC\n88,OBI:=INV 7\n88,AND INV 8", &["[ACME INC] REF1 | INV 7 AND INV 8"]),
        (
            "16,195,1000,Z,REF1,,WIRE IN\n88,orig : ACME\n88,ORIG ACCT:123456789\n88,BNF ID:5518820047",
            &["[ACME ••••6789] REF1 | -"],
        ),
    ] {
        check(
            lines,
            &expected
                .iter()
                .map(|rest| format!("{wire} {rest}"))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        );
    }
}

#[test]
fn value_dates_and_methods() {
    check("16,142,1000,V,260316,,REF1,,/", &["ach 10.00 USD 2026-03-16 [] REF1 | -"]);
    check("16,116,1000,0,4711,,CHECK/", &["check 10.00 USD 2026-03-13 [] 4711 | CHECK"]);
    check("16,147,1000,1,B77,,CARDS/", &["card 10.00 USD 2026-03-13 [] B77 | CARDS"]);
    check("03,5518820047,JPY,,,/\n16,195,1000,Z,REF1,,/", &["wire 1000 JPY 2026-03-13 [] REF1 | -"]);
}

#[test]
fn returns_and_what_is_no_payment() {
    check(
        "16,557,1000,Z,,063137100004711,ACH RETURN\n88,REASON:R01\n88,PAYER:ACME INC",
        &["return 10.00 USD R01 063137100004711 [ACME INC]"],
    );
    check("16,555,1000,Z,BANK9,,/", &["return 10.00 USD 555 BANK9 []"]);
    check("16,890,0,Z,,,ADMINISTRATIVE MESSAGE/", &[]);
    check("16,475,1000,Z,,1044,CHECK PAID/", &["! unsupported_format Noted line 3 03/0"]);
    check("16,100,1000,Z,,,TOTAL CREDITS/", &["! bad_code RecordSetAside line 4 16/2"]);
    check("16,195,-1000,Z,REF1,,/", &["! odd_sign RecordSetAside line 4 16/3"]);
    check("16,195,0,Z,REF1,,/", &["! bad_amount Noted line 4 16/3"]);
}

#[test]
fn odd_values_are_told_and_read() {
    let paid = "wire 10.00 USD 2026-03-13 [] REF1 | -";
    check("16,195,1000,S,400,300,200,REF1,,/", &[paid, "! out_of_balance Noted line 4 16/4"]);
    check("16,195,1000,V,260231,,REF1,,/", &[paid, "! bad_date Noted line 4 16/5"]);
    check("16,195,1000,Q,REF1,,/", &[paid, "! bad_code Noted line 4 16/4"]);
    check("16,388,1000,Z,REF1,,/", &["other 10.00 USD 2026-03-13 [] REF1 | -", "! bad_code Noted line 4 16/2"]);
}

#[test]
fn segments_in_the_text_become_lines_with_their_places() {
    let text = file(
        "16,165,150000,Z,REF1,,ACH CREDIT\n88,COMPANY NAME:ACME\n88,RMR|IV|A*1||1000.00|1020.00|20.00\\\n88,DTM|003|20260101\\\n88,RMR|IV|A*2||500.00|510.00\\ADX|-10.00|04\\",
    );
    let parsed = parse(text.as_bytes(), &Limits::default());
    assert_eq!(parsed.document.status, Status::Accepted, "{:?}", parsed.findings);
    let remittance = &parsed.document.remittances[0];
    assert_eq!(parsed.document.payments[0].remittance, Some(remittance.seq));
    assert_eq!(remittance.payer.name.as_deref(), Some("ACME"));
    let lines: Vec<String> = remittance
        .lines
        .iter()
        .map(|line| {
            let adjusted: i64 = line.adjustments.iter().map(|adjustment| adjustment.amount.minor).sum();
            let place = usize::try_from(line.location.byte).expect("a position");
            let net = line.net.expect("a net amount");
            format!("{} {net} {adjusted} line {} {}", line.reference, line.location.line.unwrap_or(0), &text[place..place + 6])
        })
        .collect();
    assert_eq!(
        lines,
        ["A*1 1000.00 USD 0 line 6 RMR|IV", "A*2 500.00 USD -10 line 8 RMR|IV"].map(|line| line.replace(" -10 ", " -1000 "))
    );
}

#[test]
fn segments_that_do_not_add_up_are_told_at_the_amount() {
    let text = file("16,165,150000,Z,REF1,,ACH CREDIT\n88,RMR*IV*A1**1600.00\\");
    let parsed = parse(text.as_bytes(), &Limits::default());
    assert!(told(&parsed).ends_with("! out_of_balance Noted line 4 16/3"), "{}", told(&parsed));
    let bad = file("16,165,150000,Z,REF1,,ACH CREDIT\n88,RMR*IV*A1**15OO.00\\");
    let parsed = parse(bad.as_bytes(), &Limits::default());
    assert_eq!(
        told(&parsed),
        "ach 1500.00 USD 2026-03-13 [] REF1 | RMR*IV*A1**15OO.00\\\n! bad_amount RecordSetAside line 5 RMR/4"
    );
}

#[test]
fn groups_of_the_account_record_may_be_cut_anywhere() {
    let balances = |lines: &str| {
        let text = format!("01,B,C,260314,0500,7,,,2/\n02,C,B,1,260313,2359,,2/\n{lines}\n49,,9/\n98,,1,9/\n99,,1,9/\n");
        let parsed = parse(text.as_bytes(), &Limits::default());
        let bad = parsed.findings.iter().any(|finding| finding.code.as_str().starts_with("bad"));
        assert!(!bad, "{text}{:?}", parsed.findings);
        parsed.document.balances.iter().map(|balance| format!("{} {}", balance.kind, balance.amount.minor)).collect::<Vec<_>>()
    };
    let both = ["opening_ledger 500", "closing_ledger 790"];
    for lines in [
        "03,77,,010,500,,,015,790,,/",
        "03,77,,010,500,,/\n88,015,790,,/",
        "03,77,,010,500,,,015/\n88,790,,/",
        "03,77,,010,500,,,015,/\n88,7900,,/",
        "03,77,,010,500/\n88,,,015,790/",
        "03,77,,010,500,3,V,260313,,015,790,,/",
        "03,77,,010,500,,S,100,200,200,015,790,,/",
        "03,77,,010,500,,D,2,0,300,1,200,015,790,,/",
        "03,77,,010,500,,D,2,0,300/\n88,1,200,015,790,,/",
        "03,77,,,,,,010,500,,,015,790,,,/",
    ] {
        let expected: Vec<String> = both
            .iter()
            .map(|line| if lines.contains("7900") { line.replace("790", "7900") } else { (*line).to_owned() })
            .collect();
        assert_eq!(balances(lines), expected, "{lines}");
    }
}

#[test]
fn what_stands_out_of_order_holds_the_file() {
    for text in [
        "01,B,C,260314,0500,7,,,2/\n16,195,1000,Z,REF1,,/\n99,0,0,3/\n",
        "01,B,C,260314,0500,7,,,2/\n03,77,,/\n99,0,0,3/\n",
        "01,B,C,260314,0500,7,,,2/\n88,MORE/\n99,0,0,3/\n98,0,0,1/\n",
        "01,B,C,260314,0500,7,,,2/\n02,C,B,2,260313,2359,,2/\n98,0,0,2/\n99,0,1,4/\n",
        "01,B,C,260314,0500,7,,,2/\n02,C,B,1,260313,2359,DOLLARS,2/\n98,0,0,2/\n99,0,1,4/\n",
    ] {
        let parsed = parse(text.as_bytes(), &Limits::default());
        assert_eq!(parsed.document.status, Status::Held, "{text}{:?}", parsed.findings);
    }
}

#[test]
fn an_interchange_in_the_text_does_not_make_the_file_one() {
    let text = file("16,165,1000,Z,REF1,,ACH CREDIT\n88,ADDENDA: ISA*00*          *00*          *ZZ*A");
    assert_eq!(parse(text.as_bytes(), &Limits::default()).document.format.as_str(), "bai2");
}

#[test]
fn limits_stop_lines_and_records_without_end() {
    let limits = Limits { segment_bytes_max: 100, transaction_bytes_max: 300, ..Limits::default() };
    let long = file(&format!("16,195,1000,Z,REF1,,{}", "X".repeat(200)));
    let many = file(&format!("16,195,1000,Z,REF1,,{}", "\n88,X Y Z".repeat(60)));
    for text in [long, many] {
        let parsed = parse(text.as_bytes(), &limits);
        assert_eq!(parsed.document.status, Status::Held);
        assert!(parsed.findings.iter().any(|finding| finding.code.as_str() == "limit_reached"), "{:?}", parsed.findings);
    }
}
