//! The 820 body by body: what becomes a payment, what a remittance, what hangs on which line, and what does not add up.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop where it is wrong")]

use std::fmt::Write as _;

use tieout_parsers::{Currency, Limits, Money, Parsed, Party, Payment, Remittance, parse};

mod support;

/// The body of one 820, read; each case is a few segments and what comes of them.
fn check(body: &str, expected: &str) {
    let text = support::interchange("RA", "004010", &[("820", body)]);
    let parsed = parse(text.as_bytes(), &Limits::default());
    support::assert_told(&told(&parsed), expected, body);
}

fn told(parsed: &Parsed<'_>) -> String {
    let mut text = String::new();
    for remittance in &parsed.document.remittances {
        tell_remittance(&mut text, remittance);
    }
    for payment in &parsed.document.payments {
        tell_payment(&mut text, payment);
    }
    for finding in &parsed.findings {
        let place = &finding.location;
        let tag = place.tag.map_or(String::new(), |tag| tag.to_string());
        let element = place.element.map_or(String::new(), |element| format!("{element:02}"));
        let code = finding.code.as_str();
        writeln!(text, "! {code} {:?} {:?} {tag}{element} {}", finding.severity, finding.effect, finding.found)
            .expect("text grows");
    }
    for control in parsed.document.controls.iter().filter(|control| control.name == "BPR02" && !control.ok) {
        writeln!(text, "? {} {}", control.claimed, control.computed).expect("text grows");
    }
    text
}

fn money(amount: Option<Money>) -> String {
    amount.map_or("-".to_owned(), |amount| {
        let decimal = amount.to_decimal();
        if amount.currency == Currency::USD { decimal.to_string() } else { format!("{decimal} {}", amount.currency) }
    })
}

fn party(party: &Party<'_>) -> String {
    let account = party.account.as_ref().map(|account| format!("{account:?}"));
    let parts = [party.name.as_deref(), party.id.as_deref(), party.bank.as_deref(), account.as_deref()];
    parts.map(|part| part.unwrap_or_default().to_owned()).join("/").trim_end_matches('/').to_owned()
}

fn tell_remittance(text: &mut String, remittance: &Remittance<'_>) {
    let date = remittance.date.map_or("-".to_owned(), |date| date.to_string());
    let parties = format!("from {} to {}", party(&remittance.payer), party(&remittance.payee));
    let trace = remittance.trace.as_deref().unwrap_or("-");
    write!(text, "remittance {} {date} {trace} {parties}", money(remittance.total)).expect("text grows");
    if let Some(note) = &remittance.text {
        write!(text, " {note:?}").expect("text grows");
    }
    for reference in &remittance.references {
        write!(text, " {}:{}", reference.qualifier, reference.value).expect("text grows");
    }
    text.push('\n');
    for line in &remittance.lines {
        let (net, gross, discount) = (money(line.net), money(line.gross), money(line.discount));
        write!(text, "- {}:{} {net} {gross} {discount}", line.qualifier, line.reference).expect("text grows");
        for (name, value) in [("action", line.action.as_deref()), ("po", line.po.as_deref())] {
            if let Some(value) = value {
                write!(text, " {name}={value}").expect("text grows");
            }
        }
        if let Some(date) = line.date {
            write!(text, " on={date}").expect("text grows");
        }
        for adjustment in &line.adjustments {
            let reference = adjustment.reference.as_deref().map_or(String::new(), |reference| format!("({reference})"));
            write!(text, " adj={}:{}{reference}", money(Some(adjustment.amount)), adjustment.reason).expect("text grows");
        }
        for reference in &line.references {
            write!(text, " {}:{}", reference.qualifier, reference.value).expect("text grows");
        }
        text.push('\n');
    }
}

fn tell_payment(text: &mut String, payment: &Payment<'_>) {
    let date = payment.value_date.map_or("-".to_owned(), |date| date.to_string());
    let remittance = payment.remittance.map_or("alone".to_owned(), |seq| format!("with {seq}"));
    let how = format!("{} {:?}", payment.method.as_str(), payment.direction).to_lowercase();
    write!(text, "payment {how} {} {date} {remittance}", money(Some(payment.amount))).expect("text grows");
    for reference in &payment.references {
        write!(text, " {}:{}", reference.qualifier, reference.value).expect("text grows");
    }
    text.push('\n');
}

const NOBODY: &str = "from  to ";

#[test]
fn the_handling_code_decides_what_becomes_of_it() {
    let line = "ENT*1~RMR*IV*A1**5.00~";
    let read = format!("remittance 5.00 2025-01-02 - {NOBODY}\n- IV:A1 5.00 - -\n");
    for (handling, more) in [
        ("C", "payment ach credit 5.00 2025-01-02 with 0\n"),
        ("D", "payment ach credit 5.00 2025-01-02 with 0\n"),
        ("U", "payment ach credit 5.00 2025-01-02 with 0\n"),
        ("X", "payment ach credit 5.00 2025-01-02 with 0\n"),
        ("I", ""),
        ("H", ""),
        ("Q", "! bad_code Warning Noted BPR01 Q\n"),
    ] {
        check(&format!("BPR*{handling}*5.00*C*ACH************20250102~{line}"), &format!("{read}{more}"));
    }
    check(&format!("BPR*P*5.00*C*ACH************20250102~{line}"), "");
    check("BPR*C*5.00*C*ACH************20250102~", "payment ach credit 5.00 2025-01-02 alone");
}

#[test]
fn an_amount_that_no_record_holds_sets_its_set_aside() {
    let too_large = "10000000000000.01";
    check(
        &format!("BPR*C*{too_large}*C*ACH************20250102~ENT*1~RMR*IV*A1**5.00~"),
        &format!("! bad_amount Error RecordSetAside BPR02 {too_large}\n"),
    );
    let most = "10000000000000";
    check(&format!("BPR*C*{most}*C*ACH************20250102~"), "payment ach credit 10000000000000.00 2025-01-02 alone\n");
    let file = support::interchange("RA", "004010", &[("820", &format!("BPR*C*{too_large}*C*ACH************20250102~"))]);
    let parsed = parse(file.as_bytes(), &Limits::default());
    assert_eq!(parsed.findings[0].expected, "at most 1000000000000000 minor units");
}

#[test]
fn methods_and_directions() {
    for (flags, expected) in [
        ("C*ACH", "ach credit"),
        ("C*DDP", "ach credit"),
        ("C*CHK", "check credit"),
        ("D*FWT", "wire debit"),
        ("C*SWT", "wire credit"),
        ("C*CWT", "wire credit"),
        ("C*IWT", "wire credit"),
        ("C*BOP", "other credit"),
        ("C*ZZZ", "other credit"),
    ] {
        check(&format!("BPR*C*5*{flags}~"), &format!("payment {expected} 5.00 - alone"));
    }
    check("BPR*C*5*C*NEW~", "payment other credit 5.00 - alone\n! bad_code Warning Noted BPR04 NEW");
}

#[test]
fn money_of_no_known_direction_is_set_aside() {
    let line = "ENT*1~RMR*IV*A1**5.00~";
    check(&format!("BPR*C*5.00*X*ACH~{line}"), "! bad_code Error RecordSetAside BPR03 X");
    check(&format!("BPR*C*5.00**ACH~{line}"), "! missing_element Error RecordSetAside BPR03");
    check(&format!("BPR*I*5.00*X*NON~{line}"), "! bad_code Error RecordSetAside BPR03 X");
}

#[test]
fn the_header_names_parties_banks_and_references() {
    check(
        "BPR*C*5.00*C*ACH*CTX*01*021000021*DA*123456789*1999999999**01*091000019*DA*5550001234*20250102*VEN~\
         NTE*ADD*INVOICES OF ~NTE*ADD*DECEMBER~NTE*GEN*THANK YOU~TRN*1*T1~TRN*3*T3~REF*EF*77~\
         N1*PR*PAYER CO  *91*P-1~N2*X~N3*STREET~N4*CITY*NY*10001~REF*IA*V9~PER*AP*JO~N1*PE*PAYEE CO~N1*PR*SECOND~\
         ENT*1~RMR*IV*A1**5.00~",
        "remittance 5.00 2025-01-02 T3 from PAYER CO/P-1/021000021/••••6789 to PAYEE CO//091000019/••••1234 \"INVOICES OF DECEMBER THANK YOU\"
         - IV:A1 5.00 - -
         payment ach credit 5.00 2025-01-02 with 0 EF:77 IA:V9",
    );
    // Without N1*PR the remitter is the payer, and the originating company id stands for a missing N104.
    check(
        "BPR*I*5.00*C*CHK******1999999999~REF*CK*1001~N1*RM*REMITTER~N1*41*SUBMITTER~DTM*097*20250103~DTM*020*20250104~ENT*1~RMR*IV*A1**5.00~",
        "remittance 5.00 2025-01-04 - from REMITTER/1999999999 to  CK:1001
         - IV:A1 5.00 - -",
    );
}

#[test]
fn a_missing_separator_in_bpr_is_seen_by_its_date() {
    check(
        "BPR*C*5.00*C*ACH*CTX*01*234056789*DA*0099109999*123454321*01*045678099*DA*1008973899*20250102~",
        "payment ach credit 5.00 2025-01-02 alone
         ! missing_element Warning Noted BPR11 01",
    );
    check(
        "BPR*C*5.00*C*ACH*CTX*01*234056789*DA*0099109999*123454321**01*045678099*DA*20250102~",
        "payment ach credit 5.00 - alone",
    );
}

#[test]
fn lines_carry_what_hangs_on_them() {
    check(
        "BPR*I*105.50*C*CHK************20250102~ENT*1~\
         RMR*IV*A1*PI*88.00*100.00*2.00~REF*PO*4500~REF*PO*4501~REF*BM*B1~DTM*003*20241201~DTM*097*20241202~ADX*-10.00*01*DB*D7~REF*6O*X~\
         RMR*PO*P1**17.50~IT1*1*1*EA~ADX*-10.00*59~NTE*GEN*SEE LETTER~",
        "remittance 105.50 2025-01-02 - from  to  \"SEE LETTER\"
         - IV:A1 88.00 100.00 2.00 action=PI po=4500 on=2024-12-01 adj=-10.00:01(D7) PO:4501 BM:B1 6O:X
         - PO:P1 17.50 - - adj=-10.00:59",
    );
}

#[test]
fn an_adjustment_before_the_items_stands_for_itself() {
    check(
        "BPR*I*75.00*C*CHK~ENT*1~ADX*-20.00*75*CM*C9~NM1*PE*1*X~ADX*-5*01~RMR*IV*A1**100.00~ENT*2~ADX*0.00*ZZ~",
        "remittance 75.00 - - from  to
         - CM:C9 -20.00 - - adj=-20.00:75(C9)
         - : -5.00 - - adj=-5.00:01
         - IV:A1 100.00 - -
         - : 0.00 - - adj=0.00:ZZ",
    );
}

#[test]
fn reason_and_amount_on_the_line_itself() {
    check(
        "BPR*I*93.00*C*CHK~ENT*1~RMR*IV*A1**98.00*98.00~RMR*ZZ*M1*AJ*-5.00***23*-5.00~",
        "remittance 93.00 - - from  to
         - IV:A1 98.00 98.00 -
         - ZZ:M1 -5.00 - - action=AJ adj=-5.00:23",
    );
    // RMR08 counts with either sign or not at all: senders differ.
    for (net, interest) in [("102.00", "2.00"), ("98.00", "2.00"), ("100.00", "2.00"), ("98.00", "-2.00")] {
        let expected = format!("remittance {net} - - from  to\n- IV:A1 {net} 100.00 - adj={interest}:50");
        check(&format!("BPR*I*{net}*C*CHK~ENT*1~RMR*IV*A1**{net}*100.00**50*{interest}~"), &expected);
    }
    check(
        "BPR*I*100.00*C*CHK~ENT*1~RMR*IV*A1**100.00***50~RMR*IV***0~",
        "remittance 100.00 - - from  to
         - IV:A1 100.00 - - adj=0.00:50
         - IV: 0.00 - -
         ! missing_element Warning Noted RMR08
         ! missing_element Warning Noted RMR02",
    );
}

#[test]
fn the_total_is_compared_with_the_lines() {
    let read = |total: &str| format!("remittance {total} - - from  to\n- IV:A1 60.00 - -\n- IV:A2 40.00 - -\n");
    let lines = "ENT*1~RMR*IV*A1**60~RMR*IV*A2**40~";
    check(&format!("BPR*I*100*C*CHK~{lines}"), &read("100.00"));
    let less = "! out_of_balance Error Noted BPR02 90.00\n? 90.00 100.00";
    check(&format!("BPR*I*90*C*CHK~{lines}"), &format!("{}{less}", read("90.00")));
    let more = "! out_of_balance Warning Noted BPR02 110.00\n? 110.00 100.00";
    check(&format!("BPR*I*110*C*CHK~{lines}"), &format!("{}{more}", read("110.00")));
    check(&format!("BPR*I*0*C*NON~{lines}"), &format!("{}! out_of_balance Warning Noted BPR02 0.00", read("-")));
    check(
        "BPR*I*0*C*NON~ENT*1~RMR*IV*A1**60~RMR*IV*A2**-60~",
        "remittance 0.00 - - from  to\n- IV:A1 60.00 - -\n- IV:A2 -60.00 - -",
    );
    // Lines that only name items are not added up.
    check("BPR*I*90*C*CHK~ENT*1~RMR*IV*A1~", "remittance 90.00 - - from  to\n- IV:A1 - - -");
    check("BPR*I*90*C*CHK~ENT*1~RMR*IV*A1~RMR*IV*A2**40~", "remittance 90.00 - - from  to\n- IV:A1 - - -\n- IV:A2 40.00 - -");
}

#[test]
fn a_line_is_compared_with_its_own_elements() {
    check(
        "BPR*I*95.00*C*CHK~ENT*1~RMR*IV*A1**95.00*100.00*2.00~",
        "remittance 95.00 - - from  to
         - IV:A1 95.00 100.00 2.00
         ! line_out_of_balance Warning Noted RMR04 95.00",
    );
    // A discount written as what it takes away.
    check("BPR*I*98*C*CHK~ENT*1~RMR*IV*A1**98*100*-2~", "remittance 98.00 - - from  to\n- IV:A1 98.00 100.00 2.00");
}

#[test]
fn amounts_follow_the_currency() {
    check(
        "BPR*C*1000*C*FWT~CUR*PR*JPY~ENT*1~RMR*IV*A1**1000~",
        "remittance 1000 JPY - - from  to
         - IV:A1 1000 JPY - -
         payment wire credit 1000 JPY - with 0",
    );
    check("BPR*C*1.5*C*FWT~CUR*PR*JPY~", "! bad_amount Error RecordSetAside BPR02 1.5");
    check("BPR*C*1.5*C*FWT~CUR*PR*DOLLARS~", "! bad_code Error RecordSetAside CUR02 DOLLARS");
}

#[test]
fn bad_money_sets_the_advice_aside_and_every_bad_element_is_named() {
    check(
        "BPR*C*TOTAL*C*CHK************SOON~ENT*1~RMR*IV*A1**NET*1,000.00*1e3~ADX*X*01~RMR*IV*A2**10~DTM*003*20250230~",
        "! bad_amount Error RecordSetAside BPR02 TOTAL
         ! bad_date Warning Noted BPR16 SOON
         ! bad_amount Error RecordSetAside RMR04 NET
         ! bad_amount Error RecordSetAside RMR05 1,000.00
         ! bad_amount Error RecordSetAside RMR06 1e3
         ! bad_amount Error RecordSetAside ADX01 X
         ! bad_date Warning Noted DTM02 20250230",
    );
    check("ENT*1~RMR*IV*A1**10~", "! missing_segment Error RecordSetAside ST");
    check("BPR*C**C*CHK~", "! missing_element Error RecordSetAside BPR02");
    check("BPR*C*5*C*CHK~BPR*C*6*C*CHK~", "! unknown_segment Error RecordSetAside BPR01 C");
    check("BPR*C*-5*C*CHK~", "! bad_amount Error RecordSetAside BPR02 -5");
    check("BPR*I*-5*C*NON~ENT*1~RMR*IV*A1**-5~", "! bad_amount Error RecordSetAside BPR02 -5");
}

#[test]
fn odd_forms_are_read_and_told() {
    check(
        "BPR*I*5.00*C*CHK************250102~RMR*IV*A1  ** 5.00 ~QQQ*1~",
        "remittance 5.00 2025-01-02 - from  to
         - IV:A1 5.00 - -
         ! inferred_century Warning Noted BPR16 250102
         ! missing_loop Warning Noted RMR RMR
         ! unknown_segment Warning Noted QQQ QQQ",
    );
}

#[test]
fn too_many_lines_set_the_advice_aside_once() {
    let body = format!("BPR*I*5*C*CHK~ENT*1~{}", "RMR*IV*A1**1~".repeat(5));
    let text = support::interchange("RA", "004010", &[("820", &body)]);
    let limits = Limits { remittance_lines_max: 3, ..Limits::default() };
    let parsed = parse(text.as_bytes(), &limits);
    support::assert_told(
        &told(&parsed),
        "! limit_reached Error RecordSetAside RMR IV\n! out_of_balance Warning Noted BPR02 5.00\n? 5.00 3.00",
        "",
    );
}
