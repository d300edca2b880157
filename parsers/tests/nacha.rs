//! NACHA files: what each kind of entry becomes, and what bad files get. Files are written by the test itself.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop where it is wrong")]

#[path = "support/ach.rs"]
mod ach;

use std::fmt::Write as _;

use tieout_parsers::{Direction, Limits, Money, Parsed, Party, Severity, parse};

use ach::{Batch, file, joined, records};

/// Payments, remittances, returns, findings and failed controls, one a line; controls that agree are not told.
fn told(parsed: &Parsed<'_>) -> String {
    let document = &parsed.document;
    let mut text = format!("{}\n", document.status.as_str());
    for payment in &document.payments {
        let way = if payment.direction == Direction::Credit { "from" } else { "debit from" };
        write!(text, "pay {} {way} {}", payment.amount, party(&payment.payer)).expect("text grows");
        write!(text, " to {}", party(&payment.payee)).expect("text grows");
        let references = payment.references.iter().map(|held| format!(" {}:{}", held.qualifier, held.value));
        text.extend(references);
        text.extend(payment.text.iter().map(|note| format!(" «{note}»")));
        text.extend(payment.remittance.iter().map(|seq| format!(" advice {seq}")));
        writeln!(text, " @{}", payment.location.line.unwrap_or(0)).expect("text grows");
    }
    for advice in &document.remittances {
        let total = advice.total.map_or("no total".to_owned(), |total| total.to_string());
        write!(text, "advice {total} from {}", party(&advice.payer)).expect("text grows");
        text.extend(advice.trace.iter().map(|trace| format!(" trace {trace}")));
        text.extend(advice.text.iter().map(|note| format!(" «{note}»")));
        text.push('\n');
        for line in &advice.lines {
            let money = |amount: &Option<Money>| amount.map_or("-".to_owned(), |amount| amount.to_string());
            write!(text, " {}:{} {} {}", line.qualifier, line.reference, money(&line.net), money(&line.discount))
                .expect("text grows");
            let adjustments = line.adjustments.iter().map(|held| format!(" [{} {}]", held.reason, held.amount));
            text.extend(adjustments);
            writeln!(text, " @{}", line.location.line.unwrap_or(0)).expect("text grows");
        }
    }
    for back in &document.returns {
        let trace = back.original_trace.as_deref().unwrap_or("nothing");
        writeln!(
            text,
            "back {} {} of {trace} by {} @{}",
            back.amount,
            back.code,
            party(&back.payer),
            back.location.line.unwrap_or(0)
        )
        .expect("text grows");
    }
    for finding in parsed.findings.iter().filter(|finding| finding.severity > Severity::Info) {
        let place = &finding.location;
        let tag = place.tag.map_or(String::new(), |tag| tag.to_string());
        let element = place.element.map_or(String::new(), |element| format!(".{element}"));
        let line = place.line.unwrap_or(0);
        let (code, effect) = (finding.code.as_str(), finding.effect);
        writeln!(text, "! {code} {effect:?} {tag}{element}@{line} {}|{}", finding.expected, finding.found).expect("text grows");
    }
    for control in document.controls.iter().filter(|control| !control.ok) {
        writeln!(text, "? {} {} {} {}", control.level, control.name, control.claimed, control.computed).expect("text grows");
    }
    text
}

fn party(party: &Party<'_>) -> String {
    let account = party.account.as_ref().map(|account| format!("{account:?}"));
    let parts = [party.name.as_deref(), party.id.as_deref(), party.bank.as_deref(), account.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("/")
}

fn check(case: &str, bytes: &[u8], expected: &str) {
    let parsed = parse(bytes, &Limits::default());
    assert_eq!(parsed.document.format.as_str(), "nacha", "{case}");
    let trimmed = |text: &str| text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n");
    let found = told(&parsed);
    assert_eq!(trimmed(&found), trimmed(expected), "\n--- {case} gives\n{found}");
}

const BARE: &str = "ST*820*0001~BPR*C*2480.00*C*ACH*CTX*01*121042882*DA*111222333*1231380104**01*121000358*DA*975312468*20260317~\
     TRN*1*TRN998877*1231380104~N1*PR*GLOBEX  CORP~N1*PE*OUR COMPANY~ENT*1~RMR*IV*INV1001**1500.00*1500.00~DTM*003*20261001~\
     RMR*IV*INV 1002**980.00*1000.00*20.00~SE*10*0001~";

#[test]
fn entries_become_what_they_are() {
    let ours = "OUR COMPANY";
    for (case, batch, expected) in [
        (
            "a plain CCD",
            Batch::new("CCD", "GLOBEX CORP").entry("22", 500, "4711", ours, &[]),
            "accepted
             pay 5.00 USD from GLOBEX CORP/1231380104/12104288 to OUR COMPANY/121000358/••••2468 CR:4711 @3",
        ),
        (
            "a long company name runs on; a short one does not",
            Batch::new("CCD", "DES:AP PMT FUSION SEAFOOD C").entry("32", 1, "", ours, &[]),
            "accepted
             pay 0.01 USD from DES:AP PMT FUSION SEAFOOD C/1231380104/12104288 to OUR COMPANY/121000358/••••2468 @3",
        ),
        (
            "discretionary data is no name",
            Batch::new("CCD", "GLOBEX CORP     ACCT 1").entry("22", 1, "", ours, &[]),
            "accepted
             pay 0.01 USD from GLOBEX CORP/1231380104/12104288 to OUR COMPANY/121000358/••••2468 @3",
        ),
        (
            "a CCD with free text",
            Batch::new("CCD", "GLOBEX CORP").entry("22", 500, "", ours, &["INVOICES 4711 AND 4712"]),
            "accepted
             pay 5.00 USD from GLOBEX CORP/1231380104/12104288 to OUR COMPANY/121000358/••••2468 «INVOICES 4711 AND 4712» @3",
        ),
        (
            "a CCD with segments",
            Batch::new("CCD", "GLOBEX CORP").entry("22", 12_345, "", ours, &["RMR*IV*INV77**100.00*100.00\\RMR*IV*INV78**23.45*25.00\\ADX*-1.55*04\\"]),
            "accepted
             pay 123.45 USD from GLOBEX CORP/1231380104/12104288 to OUR COMPANY/121000358/••••2468 advice 0 @3
             advice 123.45 USD from GLOBEX CORP/1231380104/12104288 trace 121042880000001
              IV:INV77 100.00 USD - @4
              IV:INV78 23.45 USD - [04 -1.55 USD] @4",
        ),
        (
            "segments separated by bars, the last one not ended",
            Batch::new("PPD", "GLOBEX CORP").entry("22", 500, "", ours, &["RMR|IV|INV-0146*||5.00"]),
            "accepted
             pay 5.00 USD from GLOBEX CORP/1231380104/12104288 to OUR COMPANY/121000358/••••2468 advice 0 @3
             advice 5.00 USD from GLOBEX CORP/1231380104/12104288 trace 121042880000001
              IV:INV-0146* 5.00 USD - @4",
        ),
        (
            "a tax banner stays text",
            Batch::new("CCD", "GLOBEX CORP").entry("22", 500, "", ours, &["TXP*123456789*941*250901*941*500\\"]),
            "accepted
             pay 5.00 USD from GLOBEX CORP/1231380104/12104288 to OUR COMPANY/121000358/••••2468 «TXP*123456789*941*250901*941*500\\» @3",
        ),
        (
            "prose over two addenda: a word cut at the edge stays whole",
            Batch::new("CTX", "GLOBEX CORP").ctx(500, &format!("{}4711 AND MORE", "PAYMENT OF INVOICE ".repeat(4))),
            "accepted
             pay 5.00 USD from GLOBEX CORP/1231380104/12104288 to OUR COMPANY/121000358/••••2468 \
             «PAYMENT OF INVOICE PAYMENT OF INVOICE PAYMENT OF INVOICE PAYMENT OF INVOICE 4711 AND MORE» @3",
        ),
    ] {
        check(case, file(&[batch]).as_bytes(), expected);
    }
}

#[test]
fn entries_of_other_kinds_become_what_they_are() {
    let ours = "OUR COMPANY";
    for (case, batch, expected) in
        [
            (
                "an 820 in CTX, blanks kept and places carried back",
                Batch::new("CTX", "GLOBEX CORP").ctx(248_000, BARE),
                "accepted
             pay 2480.00 USD from GLOBEX CORP/1231380104/12104288 to OUR COMPANY/121000358/••••2468 advice 0 @3
             advice 2480.00 USD from GLOBEX  CORP/1231380104/121042882/••••2333 trace TRN998877
              IV:INV1001 1500.00 USD - @6
              IV:INV 1002 980.00 USD 20.00 USD @6",
            ),
            (
                "a debit: the receiver pays the company",
                Batch::new("WEB", "OUR COMPANY").entry("27", 500, "C-17", "JANE DOE", &[]),
                "accepted
             pay 5.00 USD debit from JANE DOE/C-17/121000358/••••2468 to OUR COMPANY/1231380104/12104288 @3",
            ),
            ("a prenote is no payment", Batch::new("CCD", "GLOBEX CORP").entry("23", 0, "", ours, &[]), "accepted"),
            (
                "a remittance without money",
                Batch::new("CCD", "GLOBEX CORP").entry("24", 0, "", ours, &["RMR*IV*INV1001**0.00*100.00*100.00\\"]),
                "accepted
             advice 0.00 USD from GLOBEX CORP/1231380104/12104288 trace 121042880000001
              IV:INV1001 0.00 USD 100.00 USD @4",
            ),
            (
                "a returned credit, a returned debit and a change",
                Batch::new("CCD", "OUR COMPANY")
                    .returned("21", 500, "GLOBEX", "99R03121042880000017      12100035")
                    .returned("36", 700, "INITECH", "99R01121042880000018      12100035")
                    .returned("26", 0, "HOOLI", "98C01121042880000019      121000351918171614"),
                "accepted_with_findings
             back 5.00 USD R03 of 121042880000017 by GLOBEX/121000358/••••2468 @3
             back 7.00 USD R01 of 121042880000018 by INITECH/121000358/••••2468 @5
             ! change_notified Noted 798.6@8 correct data in later entries|••••1614",
            ),
            (
                "corrected routing numbers show, short account numbers do not",
                Batch::new("COR", "OUR COMPANY")
                    .returned("26", 0, "HOOLI", "98C02121042880000019      12100035121000358")
                    .returned("26", 0, "HOOLI", "98C01121042880000020      12100035481516"),
                "accepted_with_findings
             ! change_notified Noted 798.6@4 correct data in later entries|121000358
             ! change_notified Noted 798.6@6 correct data in later entries|••••516",
            ),
            (
                "a contested return takes nothing back",
                Batch::new("CCD", "OUR COMPANY").returned("21", 500, "GLOBEX", "99R72121042880000017      12100035"),
                "accepted_with_findings
             ! corrects_earlier RecordSetAside 799.3@4 a return with reason R01 to R53 or R80 to R85|R72",
            ),
            (
                "an acknowledgment of what we paid",
                Batch::new("ACK", "GLOBEX CORP").entry("24", 0, "031300010000001", ours, &[]),
                "accepted",
            ),
            (
                "a reversal",
                Batch { description: "REVERSAL", ..Batch::new("CCD", "GLOBEX CORP") }.entry("27", 500, "", ours, &[]),
                "accepted_with_findings
             pay 5.00 USD debit from OUR COMPANY/121000358/••••2468 to GLOBEX CORP/1231380104/12104288 @3
             ! corrects_earlier Noted 6@3 an entry of its own|627",
            ),
        ]
    {
        check(case, file(&[batch]).as_bytes(), expected);
    }
}

#[test]
fn international_entries_name_their_parties_in_addenda() {
    let mut batch = Batch::new("IAT", "                FF3               US");
    let trace = "121042880000001";
    let more = |text: &str| format!("7{text:<86}{}", &trace[8..]);
    batch = batch.records([
        format!("622{}0009             {:010}{:<35}    1{trace}", ach::RECEIVER, 100_000, "DE89370400440532013000"),
        more("10ANN000000000000100000928383-23938          OUR COMPANY"),
        more("11MUELLER GMBH                       HAUPTSTRASSE 1"),
        more("12BERLIN\\                            DE*10115\\"),
        more("13DEUTSCHE BANK                      0210070000                          DE"),
        more("14OUR BANK                           01121000358                         US"),
        more("15C-4711         1 MAIN STREET"),
        more("16SPRINGFIELD*IL\\                    US*62701\\"),
        format!("717{:<80}0001{}", "RECHNUNG 4711", &trace[8..]),
        format!("717{:<80}0002{}", "UND 4712", &trace[8..]),
    ]);
    check(
        "IAT",
        file(&[batch]).as_bytes(),
        "accepted
         pay 1000.00 USD from MUELLER GMBH/1231380104/10070000 to OUR COMPANY/C-4711/121000358/••••3000 \
         TN:928383-23938 «RECHNUNG 4711 UND 4712» @3",
    );
}

#[test]
fn lines_may_end_and_be_cut_in_any_way() {
    let batch = Batch::new("CTX", "GLOBEX CORP").ctx(248_000, BARE).entry("22", 500, "", "", &[]);
    let whole = records(&[batch]);
    let filled = whole.iter().filter(|record| !record.chars().all(|letter| letter == '9')).cloned().collect::<Vec<_>>();
    let trimmed: Vec<String> = whole.iter().map(|record| record.trim_end().to_owned()).collect();
    let longer: Vec<String> = whole.iter().map(|record| format!("{record}   ")).collect();
    let expected = told(&parse(joined(&whole, "\n").as_bytes(), &Limits::default()));
    assert!(expected.starts_with("accepted\n"), "{expected}");
    for (case, text) in [
        ("CR LF", joined(&whole, "\r\n")),
        ("CR", joined(&whole, "\r")),
        ("no blanks at the end", joined(&trimmed, "\n")),
        ("no fillers", joined(&filled, "\n")),
        ("no line end at the end", joined(&whole, "\n").trim_end_matches('\n').to_owned()),
        ("blank lines between", joined(&whole, "\n\n").replace("\n\n", "\n \n")),
        ("Ctrl-Z at the end", joined(&whole, "\n") + "\u{1a}"),
        ("too many blanks at the end", joined(&longer, "\n")),
    ] {
        let found = told(&parse(text.as_bytes(), &Limits::default()));
        let places = |text: &str| text.split_whitespace().filter(|word| !word.starts_with('@')).collect::<Vec<_>>().join(" ");
        assert_eq!(places(&found), places(&expected), "{case}");
    }
    // Without line ends every record stands on line 1.
    let found = told(&parse(joined(&whole, "").as_bytes(), &Limits::default()));
    assert_eq!(found.matches("@1").count(), expected.matches('@').count(), "{found}");
    assert!(found.starts_with("accepted\n"), "{found}");
}

#[test]
fn oddities_are_told_and_read() {
    let plain = || Batch::new("CCD", "GLOBEX CORP").entry("22", 500, "", "", &["INVOICE 4711"]);
    let pay = "pay 5.00 USD from GLOBEX CORP/1231380104/12104288 to 121000358/••••2468 «INVOICE 4711» @3";
    let normal = file(&[plain()]);
    let line = |number: usize, change: &dyn Fn(&str) -> String| {
        let lines = normal.lines().zip(1..).map(|(line, at)| if at == number { change(line) } else { line.to_owned() });
        joined(&lines.collect::<Vec<_>>(), "\n")
    };
    for (case, text, finding) in [
        ("byte order mark", format!("\u{feff}{normal}"), "! odd_envelope Noted @1 record 1|a byte order mark"),
        ("mixed line ends", normal.replacen('\n', "\r\n", 1), "! odd_envelope Noted @2 CR LF|LF"),
        ("small letters", normal.replace("CCD", "ccd"), "! bad_code Noted 5.6@2 capital letters|ccd"),
        (
            "no such class",
            normal.replace("CCD", "XYZ"),
            "! bad_code Noted 5.6@2 CCD, CTX, PPD, IAT, WEB, TEL, CIE or another class of the rules|XYZ",
        ),
        (
            "a foreign line between entry and addenda",
            line(4, &|line| format!("### transfer log ###\n{line}")),
            "! unknown_segment Noted #@4 a record that begins with 1, 5, 6, 7, 8 or 9|###",
        ),
        (
            "no indicator",
            line(3, &|line| format!("{}0{}", &line[..78], &line[79..])),
            "! control_count_mismatch Noted 6.10@3 1|0",
        ),
        ("a check digit", line(3, &|line| format!("{}9{}", &line[..11], &line[12..])), "! bad_text Noted 6.4@3 8|9"),
        ("format code", line(1, &|line| line.replacen("094101", "094102", 1)), "! odd_envelope Noted 1.10@1 1|2"),
        (
            "another company in the control",
            line(5, &|line| line.replacen("1231380104", "1231380105", 1)),
            "! control_number_mismatch Noted 8.7@5 1231380104|1231380105",
        ),
    ] {
        let pay = if case == "a check digit" { pay.replace("121000358", "121000359") } else { pay.to_owned() };
        check(case, text.as_bytes(), &format!("accepted_with_findings\n{pay}\n{finding}"));
    }
    let latin = normal.replace("GLOBEX CORP", "GLOBEX CORÉ").chars().map(|letter| letter as u8).collect::<Vec<_>>();
    let named = pay.replace("CORP", "CORÉ");
    check("Latin-1", &latin, &format!("accepted_with_findings\n{named}\n! not_utf8 Noted 5@2 ASCII|520"));
    let utf8 = normal.replace("GLOBEX CORP", "GLOBEX CORÉ");
    check("UTF-8", utf8.as_bytes(), &format!("accepted_with_findings\n{named}\n! bad_text Noted 5@2 ASCII|520"));
}

#[test]
fn bad_records_are_set_aside() {
    let batch = Batch::new("CCD", "GLOBEX CORP").entry("22", 500, "", "", &[]).entry("22", 700, "", "", &["INVOICE 4711"]);
    let normal = file(&[batch]);
    let first = "pay 5.00 USD from GLOBEX CORP/1231380104/12104288 to 121000358/••••2468 @3";
    let second = "pay 7.00 USD from GLOBEX CORP/1231380104/12104288 to 121000358/••••2468 «INVOICE 4711» @4";
    let line = |number: usize, change: &dyn Fn(&str) -> String| {
        let lines = normal.lines().zip(1..).map(|(line, at)| if at == number { change(line) } else { line.to_owned() });
        joined(&lines.filter(|line| !line.is_empty()).collect::<Vec<_>>(), "\n")
    };
    for (case, text, expected) in [
        (
            "a letter in an amount",
            line(3, &|line| line.replacen("0000000500", "00000005O0", 1)),
            format!(
                "held
                 {second}
                 ! bad_amount RecordSetAside 6.6@3 digits in all columns|00000005O0
                 ! control_total_mismatch FileHeld 8.6@6 7.00|12.00
                 ! control_total_mismatch FileHeld 9.7@7 7.00|12.00
                 {}",
                credit("12.00", "7.00")
            ),
        ),
        (
            "a digit in an amount",
            line(3, &|line| line.replacen("0000000500", "0000000900", 1)),
            format!(
                "held
                 {}
                 {second}
                 ! control_total_mismatch FileHeld 8.6@6 16.00|12.00
                 ! control_total_mismatch FileHeld 9.7@7 16.00|12.00
                 {}",
                first.replace("5.00", "9.00"),
                credit("12.00", "16.00")
            ),
        ),
        (
            "a transaction code",
            line(3, &|line| line.replacen("622", "699", 1)),
            format!(
                "held
                 {second}
                 ! bad_code RecordSetAside 6.2@3 a code of two digits such as 22 or 27|99
                 ! control_total_mismatch FileHeld 8.6@6 7.00|12.00
                 ! control_total_mismatch FileHeld 9.7@7 7.00|12.00
                 {}",
                credit("12.00", "7.00")
            ),
        ),
        (
            "addenda of another entry",
            line(5, &|line| line.replacen("00010000002", "00010000001", 1)),
            format!(
                "accepted_with_findings
                 {first}
                 {}
                 ! control_number_mismatch RecordSetAside 705.5@5 0000002|0000001",
                second.replace(" «INVOICE 4711»", "")
            ),
        ),
    ] {
        check(case, text.as_bytes(), &expected);
    }
}

/// The two controls of a credit total that disagrees.
fn credit(claimed: &str, computed: &str) -> String {
    format!(
        "? batch Total Credit Entry Dollar Amount {claimed} {computed}
             ? file Total Credit Entry Dollar Amount in File {claimed} {computed}"
    )
}

#[test]
fn bad_totals_hold() {
    let batch = Batch::new("CCD", "GLOBEX CORP").entry("22", 500, "", "", &[]).entry("22", 700, "", "", &["INVOICE 4711"]);
    let normal = file(&[batch]);
    let first = "pay 5.00 USD from GLOBEX CORP/1231380104/12104288 to 121000358/••••2468 @3";
    let second = "pay 7.00 USD from GLOBEX CORP/1231380104/12104288 to 121000358/••••2468 «INVOICE 4711» @4";
    let line = |number: usize, change: &dyn Fn(&str) -> String| {
        let lines = normal.lines().zip(1..).map(|(line, at)| if at == number { change(line) } else { line.to_owned() });
        joined(&lines.filter(|line| !line.is_empty()).collect::<Vec<_>>(), "\n")
    };
    for (case, text, expected) in [
        (
            "no batch control",
            line(6, &|_| String::new()),
            format!(
                "held\n{first}\n{second}\n! missing_trailer FileHeld 9@6 record 8|the file control\n! unexpected_end Noted @10 a multiple of ten records|9 records"
            ),
        ),
        (
            "no file control",
            normal.lines().take(6).map(|line| format!("{line}\n")).collect(),
            format!("held\n{first}\n{second}\n! missing_trailer FileHeld @7 record 9|the end of the file"),
        ),
        (
            "no file header",
            line(1, &|_| String::new()),
            format!(
                "held\n{}\n{}\n! bad_envelope FileHeld 5@1 record 1|520\n! unexpected_end Noted @10 a multiple of ten records|9 records",
                first.replace("@3", "@2"),
                second.replace("@4", "@3")
            ),
        ),
        (
            "another batch number",
            line(6, &|line| line.replacen("121042880000001", "121042880000002", 1)),
            format!("held\n{first}\n{second}\n! control_number_mismatch FileHeld 8.11@6 0000001|0000002"),
        ),
        (
            "a wrong batch count",
            line(7, &|line| line.replacen("9000001", "9000007", 1)),
            format!("held\n{first}\n{second}\n! control_count_mismatch FileHeld 9.2@7 1|7\n? file Batch Count 7 1"),
        ),
        (
            "a wrong block count",
            line(7, &|line| line.replacen("9000001000001", "9000001000009", 1)),
            format!("held\n{first}\n{second}\n! control_count_mismatch FileHeld 9.3@7 1|9\n? file Block Count 9 1"),
        ),
        (
            "cut inside the totals of the file control",
            normal.lines().take(7).collect::<Vec<_>>().join("\n")[..620].to_owned(),
            format!(
                "held\n{first}\n{second}
                 ! control_total_mismatch FileHeld 9.7@7 12.00|0000000
                 ! unexpected_end Noted 9@7 94 columns|900
                 ? file Total Credit Entry Dollar Amount in File 0000000 12.00"
            ),
        ),
        (
            "a record behind the file control",
            normal.replacen("\n9999", &format!("\n{}\n9999", normal.lines().nth(5).unwrap_or_default()), 1),
            format!(
                "held\n{first}\n{second}\n! bad_envelope FileHeld 8@8 a batch header|820\n! unexpected_end Noted @12 a multiple of ten records|11 records"
            ),
        ),
    ] {
        check(case, text.as_bytes(), &expected);
    }
}

#[test]
fn a_damaged_820_loses_its_advice_and_not_its_money() {
    let pay = "pay 2480.00 USD from GLOBEX CORP/1231380104/12104288 to OUR COMPANY/121000358/••••2468";
    let items = "«RMR*IV*INV1001**1500.00*1500.00~DTM*003*20261001~RMR*IV*INV 1002**980.00*1000.00*20.00~";
    let batch = |text: &str| file(&[Batch::new("CTX", "GLOBEX CORP").ctx(248_000, text)]);
    check(
        "cut off",
        batch(BARE.trim_end_matches("SE*10*0001~")).as_bytes(),
        &format!("accepted_with_findings\n{pay} {items}» @3\n! unexpected_end RecordSetAside @7 SE and its terminator|"),
    );
    check(
        "a wrong segment count",
        batch(&BARE.replace("SE*10*", "SE*11*")).as_bytes(),
        &format!(
            "accepted_with_findings\n{pay} {items}SE*11*0001~» @3\n! control_count_mismatch RecordSetAside SE.1@7 10|11\n? set SE01 11 10"
        ),
    );
    check(
        "another amount",
        batch(&BARE.replace("2480.00", "2481.00").replace("*1500.00*", "*1501.00*")).as_bytes(),
        &format!(
            "accepted_with_findings
             {pay} advice 0 @3
             advice 2481.00 USD from GLOBEX  CORP/1231380104/121042882/••••2333 trace TRN998877
             IV:INV1001 1501.00 USD - @6
             IV:INV 1002 980.00 USD 20.00 USD @6
             ! line_out_of_balance Noted RMR.4@6 1500.00|1501.00
             ! out_of_balance Noted 6.6@3 2480.00|2481.00
             ? entry BPR02 2481.00 2480.00"
        ),
    );
    let mut swapped = records(&[Batch::new("CTX", "GLOBEX CORP").ctx(248_000, BARE)]);
    swapped.swap(4, 5);
    check(
        "addenda out of order",
        joined(&swapped, "\n").as_bytes(),
        &format!("accepted_with_findings\n{pay} @3\n! control_number_mismatch RecordSetAside 705.4@5 0002|0003"),
    );
}

#[test]
fn joined_files_are_read_one_after_the_other() {
    let one = file(&[Batch::new("CCD", "GLOBEX CORP").entry("22", 500, "", "", &[])]);
    let two = file(&[Batch::new("CCD", "INITECH").entry("22", 700, "", "", &[])]);
    check(
        "joined",
        (one + &two).as_bytes(),
        "accepted
         pay 5.00 USD from GLOBEX CORP/1231380104/12104288 to 121000358/••••2468 @3
         pay 7.00 USD from INITECH/1231380104/12104288 to 121000358/••••2468 @13",
    );
}

#[test]
fn an_endless_entry_stops_at_the_limit() {
    let texts = vec!["MORE"; 200];
    let text = file(&[Batch::new("CTX", "GLOBEX CORP").entry("22", 500, "", "0200", &texts)]);
    let limits = Limits { transaction_bytes_max: 4_000, ..Limits::default() };
    let parsed = parse(text.as_bytes(), &limits);
    assert_eq!(parsed.document.status.as_str(), "held");
    assert!(parsed.document.payments.is_empty());
    assert_eq!(parsed.findings.iter().filter(|finding| finding.code.as_str() == "limit_reached").count(), 1);
}
