//! 810 and 210: what is read from each way of writing an invoice, and what is told about it.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use proptest::prelude::*;
use support::{assert_told, interchange, sample, told};
use tieout_parsers::{Limits, Record, Stream, parse};

fn check_810(body: &str, expected: &str) {
    check("IN", "004010", "810", body, expected);
}

fn check_210(body: &str, expected: &str) {
    check("IM", "004010", "210", body, expected);
}

fn check(functional_id: &str, version: &str, set: &str, body: &str, expected: &str) {
    let file = interchange(functional_id, version, &[(set, body)]);
    assert_told(&told(&parse(file.as_bytes(), &Limits::default())), expected, body);
}

#[test]
fn an_invoice_gives_terms_parties_and_references() {
    check_810(
        "BIG*20250110*INV-7*20250102*PO-9***DI*00~CUR*SE*EUR~REF*BM*BL-1~REF*VN*V1~N1*SE*SELLER*91*S01~N2*MORE~N1*BT*BUYER*91*C-1~\
         N3*STREET~N4*TOWN*ST*1~N1*ST*SHOP*92*4~ITD*08*3*2.00*20250120*10*20250209*30~IT1*1*10*EA*9.995**VN*A~IT1*2*1*EA*-.95~\
         TDS*9900*9000**180~CTT*2*11~",
        "Invoice INV-7 Original 2025-01-10 99.00 EUR due=2025-02-09 to=BUYER/C-1 by=SELLER/S01 po=PO-9 bol=BL-1 discount=2% within=10 \
         until=2025-01-20 off=1.80 EUR of=90.00 EUR net=30 refs=BM:BL-1,VN:V1",
    );
}

#[test]
fn the_number_of_a_line_may_name_the_order() {
    check_810(
        "BIG*20250110*INV-7~REF*CN*PRO-1~N1*BY*BUYER~IT1*1*1*EA*5**VN*A*PO*PO-1~IT1*2*1*EA*5**PO*PO-2~IT1*3*1*EA*0**PO*PO-1~\
         TDS*1000~CAD*T***RDWT***BM*BL-9~",
        "Invoice INV-7 Original 2025-01-10 10.00 USD to=BUYER po=PO-1 bol=BL-9 pro=PRO-1 refs=CN:PRO-1,PO:PO-1,PO:PO-2,BM:BL-9",
    );
}

#[test]
fn credit_memos_come_with_and_without_their_sign() {
    let lines = "IT1*1*-1*EA*50~TDS*-5000~CTT*1~";
    check_810(
        &format!("BIG*20250110*CM-1*****CR**20250101*INV-7~{lines}"),
        "CreditMemo CM-1 Original 2025-01-10 -50.00 USD refs=OI:INV-7",
    );
    check_810(
        "BIG*20250110*CM-1*****CN*00*20250101*INV-7~IT1*1*1*EA*50~TDS*5000~",
        "CreditMemo CM-1 Original 2025-01-10 -50.00 USD refs=OI:INV-7
         ! odd_sign Info Noted TDS01@4 5000",
    );
    check_810(
        &format!("BIG*20250110*INV-1*****DI~{lines}"),
        "CreditMemo INV-1 Original 2025-01-10 -50.00 USD
         ! odd_sign Warning Noted TDS01@4 -5000",
    );
}

#[test]
fn purposes_of_an_invoice() {
    for (code, purpose, told) in [
        ("", "Original", ""),
        ("00", "Original", ""),
        ("01", "Cancel", ""),
        ("05", "Replace", ""),
        ("07", "Duplicate", ""),
        ("53", "Original", "\n! bad_code Warning Noted BIG08@2 53"),
        ("XX", "Original", "\n! bad_code Warning Noted BIG08@2 XX"),
    ] {
        check_810(
            &format!("BIG*20250110*INV-1******{code}~TDS*100~"),
            &format!("Invoice INV-1 {purpose} 2025-01-10 1.00 USD{told}"),
        );
    }
}

#[test]
fn the_first_discount_and_the_first_due_date_win() {
    check_810(
        "BIG*20250110*INV-1~ITD*52*3*10**10~ITD*52*3*5**20~ITD*05*3*-5**40~ITD*01*3****20250301~ITD*01*3****20250302~TDS*100~",
        "Invoice INV-1 Original 2025-01-10 1.00 USD due=2025-03-01 discount=10% within=10
         ! further_terms Info Noted ITD03@4 5
         ! further_terms Info Noted ITD03@5 -5
         ! further_terms Info Noted ITD06@7 20250302",
    );
    // Days count from the date that the basis names; a basis whose date the file lacks gives no due date.
    let with_basis = |basis: &str| format!("BIG*20250110*INV-1~ITD*08*{basis}*1**10**30~DTM*011*20250120~TDS*100~");
    check_810(&with_basis("3"), "Invoice INV-1 Original 2025-01-10 1.00 USD due=2025-02-09 discount=1% within=10 net=30");
    check_810(
        &with_basis("1"),
        "Invoice INV-1 Original 2025-01-10 1.00 USD due=2025-02-19 discount=1% within=10 until=2025-01-30 net=30",
    );
    check_810(&with_basis("15"), "Invoice INV-1 Original 2025-01-10 1.00 USD discount=1% within=10 net=30");
    check_810("BIG*20250110*INV-1~ITD*02*3*****30~TDS*100~", "Invoice INV-1 Original 2025-01-10 1.00 USD net=30");
    check_810(
        "BIG*20250110*INV-1~ITD*08*3*200**10**9999~TDS*100~",
        "Invoice INV-1 Original 2025-01-10 1.00 USD
         ! bad_amount Warning Noted ITD03@3 200
         ! bad_amount Warning Noted ITD07@3 9999",
    );
}

#[test]
fn a_total_that_does_not_foot_is_told_and_counts() {
    let with = |middle: &str, tds: &str| format!("BIG*20250110*INV-1~{middle}TDS*{tds}~");
    let good = |amount: &str| format!("Invoice INV-1 Original 2025-01-10 {amount} USD");
    // Allowance, charge, tax, information, tax told twice, billed back, charges behind the total repeated.
    let line = "IT1*1*10*EA*10~";
    check_810(&with(&format!("{line}SAC*A*C310***1000~SAC*C*D240***500~TXI*ST*2.50~"), "9750"), &good("97.50"));
    check_810(&with(&format!("{line}SAC*A*C310***-1000~"), "9000"), &good("90.00"));
    check_810(&with(&format!("{line}SAC*N*B840***9999~SAC*C*H850***250~TXI*ST*2.50~"), "10250"), &good("102.50"));
    check_810(&with(&format!("{line}SAC*A*C310***1000*******01~"), "10000"), &good("100.00"));
    check_810(&format!("{}SAC*C*D240***500~", with(&format!("{line}SAC*C*D240***500~"), "10500")), &good("105.00"));
    check_810(
        &with(line, "9999"),
        &format!("{}\n! out_of_balance Warning Noted TDS01@4 99.99\n? TDS01 99.99 100.00", good("99.99")),
    );
    check_810(
        "BIG*20250110*CM-1*****CR~IT1*1*-10*EA*10~SAC*A*C310***-1000~TDS*-9000~",
        "CreditMemo CM-1 Original 2025-01-10 -90.00 USD",
    );
    // Prices per hundred, prices in CTP, rounding line by line or at the end.
    check_810(&with("IT1*1*250*EA*4*HP~", "1000"), &good("10.00"));
    check_810(&with("IT1*1*250*EA~CTP**INV*.04~", "1000"), &good("10.00"));
    check_810(&with("IT1*1*1*EA*.335~IT1*2*1*EA*.335~", "68"), &good("0.68"));
    check_810(&with("IT1*1*1*EA*.335~IT1*2*1*EA*.335~", "67"), &good("0.67"));
    // A line without price proves nothing.
    check_810(&with("IT1*1*250*EA~", "1000"), &good("10.00"));
}

#[test]
fn a_total_without_implied_decimals_is_set_aside() {
    check_810(
        "BIG*20250110*INV-1~IT1*1*10*EA*12~TDS*120~",
        "! out_of_balance Error RecordSetAside TDS01@4 1.20
         ? TDS01 1.20 120.00",
    );
    check_810(
        "BIG*20250110*INV-1~IT1*1*10*EA*12~TDS*120.00~",
        "Invoice INV-1 Original 2025-01-10 120.00 USD
         ! implied_decimal_point Warning Noted TDS01@4 120.00",
    );
}

#[test]
fn a_wrong_line_count_costs_the_invoice_only_when_it_does_not_foot() {
    check_810(
        "BIG*20250110*INV-1~IT1*1*1*EA*10~TDS*1000~CTT*2~",
        "Invoice INV-1 Original 2025-01-10 10.00 USD
         ! control_count_mismatch Warning Noted CTT01@5 2
         ? CTT01 2 1",
    );
    check_810(
        "BIG*20250110*INV-1~IT1*1*1*EA*10~TDS*2000~CTT*2~",
        "! out_of_balance Warning Noted TDS01@4 20.00
         ! control_count_mismatch Error RecordSetAside CTT01@5 2
         ? TDS01 20.00 10.00
         ? CTT01 2 1",
    );
    check_810(
        "BIG*20250110*INV-1~IT1*1*3*EA*10~TDS*3000~CTT*1*4~",
        "Invoice INV-1 Original 2025-01-10 30.00 USD
         ! control_total_mismatch Warning Noted CTT02@5 4
         ? CTT02 4 3",
    );
}

#[test]
fn what_an_invoice_cannot_lack_sets_it_aside() {
    for (body, expected) in [
        ("TDS*100~", "! missing_segment Error RecordSetAside BIG@3 nothing"),
        ("BIG*20250110*INV-1~", "! missing_segment Error RecordSetAside TDS@3 nothing"),
        ("BIG*20250110~TDS*100~", "! missing_element Error RecordSetAside BIG02@2"),
        ("BIG**INV-1~TDS*100~", "! missing_element Error RecordSetAside BIG01@2"),
        ("BIG*CCYYMMDD*INV-1~TDS*100~", "! bad_date Error RecordSetAside BIG01@2 CCYYMMDD"),
        ("BIG*20250110*INV-1~TDS*TOTAL~", "! bad_amount Error RecordSetAside TDS01@3 TOTAL"),
        ("BIG*20250110*INV-1~TDS~", "! missing_element Error RecordSetAside TDS01@3"),
        ("BIG*20250110*INV-1~TDS*100~TDS*200~", "! unknown_segment Error RecordSetAside TDS@4 another"),
        ("BIG*20250110*INV-1~CUR*SE*DOLLAR~TDS*100~", "! bad_code Error RecordSetAside CUR02@3 DOLLAR"),
        ("BIG*20250110*INV-1~IT1*1*1*EA*ONE~TDS*100~", "! bad_amount Error RecordSetAside IT104@3 ONE"),
        ("BIG*20250110*INV-1~IT1*1*1*EA*1~CUR*SE*EUR~TDS*100~", "! bad_code Error RecordSetAside CUR02@4 EUR"),
    ] {
        let file = interchange("IN", "004010", &[("810", body), ("810", "BIG*20250110*INV-2~TDS*100~")]);
        let parsed = parse(file.as_bytes(), &Limits::default());
        let expected = format!("Invoice INV-2 Original 2025-01-10 1.00 USD\n{expected}");
        assert_told(&told(&parsed), &expected, body);
    }
}

#[test]
fn a_freight_bill_gives_pro_bol_and_charges() {
    check_210(
        "B3**PRO-1*BOL-1*TP**20250110*12500**20250109*035*TIEO~C3*CAD~ITD*08*2*1**10**30~N9*PO*PO-9~N9*BM*BM-2~G62*86*20250108~\
         R3*TIEO*B***X*FB-1~N1*CA*CARRIER*91*S02~N1*BT*BUYER*91*C-1~N9*IT*ignored~N1*SH*SHIPPER~LX*1~N9*PO*PO-10~N9*CN*T-1~L5*1*FREIGHT~\
         L1*1*100.00*FR*10000****400~LX*2~L1*2*25*FR*2500****FUE~L3*****12500~",
        "Invoice PRO-1 Original 2025-01-10 125.00 CAD due=2025-02-08 to=BUYER/C-1 by=CARRIER/S02 po=PO-9 bol=BOL-1 pro=PRO-1 discount=1% \
         within=10 until=2025-01-19 net=30 refs=PO:PO-9,BM:BM-2,CN:FB-1,PO:PO-10",
    );
    // From 5010 references stand in L11, value first; the carrier code names the seller when no party does.
    check(
        "IM",
        "005010",
        "210",
        "B3**PRO-1**PP**20250110*100****TIEO~L11*PO-9*PO~L11*BM-2*BM~N1*SH*SHIPPER~L3*****100~",
        "Invoice PRO-1 Original 2025-01-10 1.00 USD to=SHIPPER by=TIEO po=PO-9 bol=BM-2 pro=PRO-1 refs=PO:PO-9,BM:BM-2
         ! inferred_party Info Noted N1@5 SH",
    );
}

#[test]
fn collect_and_prepaid_say_who_owes_when_no_bill_to_is_named() {
    for (method, owes) in [("CC", Some(("CONSIGNEE", "N1@4 CN"))), ("PP", Some(("SHIPPER", "N1@3 SH"))), ("MX", None)] {
        let to = owes.map_or(String::new(), |(name, _)| format!(" to={name}"));
        let note = owes.map_or(String::new(), |(_, place)| format!("\n! inferred_party Info Noted {place}"));
        check_210(
            &format!("B3**P1**{method}**20250110*100****TIEO~N1*SH*SHIPPER~N1*CN*CONSIGNEE~L3*****100~"),
            &format!("Invoice P1 Original 2025-01-10 1.00 USD{to} by=TIEO pro=P1{note}"),
        );
    }
}

#[test]
fn totals_of_a_freight_bill() {
    let bill = |b307: &str, l1: &str, l305: &str| format!("B3**P1**TP**20250110*{b307}****TIEO~LX*1~L1*1***{l1}~L3*****{l305}~");
    let good = "Invoice P1 Original 2025-01-10 1.00 USD by=TIEO pro=P1";
    check_210(&bill("100", "100", "100"), good);
    check_210(&bill("100", "100", ""), good);
    check_210(&bill("100", "90", "100"), &format!("{good}\n! out_of_balance Warning Noted B307@2 1.00\n? B307 1.00 0.90"));
    check_210(
        &bill("100", "100", "10000"),
        "! out_of_balance Error RecordSetAside L305@5 100.00
         ? L305 100.00 1.00",
    );
    // Charges of 1.20 of which 0.30 are prepaid, and 0.10 were advanced: 1.00 is due.
    check_210(&bill("100", "120", "120*10*30"), good);
    check_210(
        &bill("100", "120", "120*10*40"),
        "! out_of_balance Error RecordSetAside L305@5 1.20
         ! out_of_balance Warning Noted B307@2 1.00
         ? L305 1.20 1.00
         ? B307 1.00 1.20",
    );
    check_210(&bill("100", "ABC", "100"), "! bad_amount Error RecordSetAside L104@4 ABC");
}

#[test]
fn credits_and_corrections_of_freight_bills() {
    let bill = |b307: &str, b308: &str, n9: &str| format!("B3**P1**TP**20250110*{b307}*{b308}***TIEO~{n9}L3*****{b307}~");
    check_210(&bill("-100", "", "N9*CM*P1~"), "CreditMemo P1 Original 2025-01-10 -1.00 USD by=TIEO pro=P1 refs=CM:P1");
    check_210(
        &bill("-100", "", ""),
        "CreditMemo P1 Original 2025-01-10 -1.00 USD by=TIEO pro=P1
         ! odd_sign Warning Noted B307@2 -100",
    );
    check_210(
        &bill("100", "", "N9*CM*P1~"),
        "Invoice P1 Original 2025-01-10 1.00 USD by=TIEO pro=P1 refs=CM:P1
         ! odd_sign Warning Noted B307@2 100",
    );
    for (code, purpose, finding) in [
        ("CO", "Replace", "corrects_earlier"),
        ("RB", "Replace", "corrects_earlier"),
        ("CA", "Cancel", "corrects_earlier"),
        ("PD", "Duplicate", "corrects_earlier"),
        ("BD", "Original", "corrects_earlier"),
        ("ZZ", "Original", "bad_code"),
    ] {
        check_210(
            &bill("100", code, ""),
            &format!("Invoice P1 {purpose} 2025-01-10 1.00 USD by=TIEO pro=P1\n! {finding} Warning Noted B308@2 {code}"),
        );
    }
}

#[test]
fn what_a_freight_bill_cannot_lack_sets_it_aside() {
    for (body, expected) in [
        ("L3*****100~", "! missing_segment Error RecordSetAside B3@3 nothing"),
        ("B3****TP**20250110*100~", "! missing_element Error RecordSetAside B302@2"),
        ("B3**P1**TP***100~", "! missing_element Error RecordSetAside B306@2"),
        ("B3**P1**TP**20250110~", "! missing_element Error RecordSetAside B307@2"),
        ("B3**P1**TP**20250110*1.2.3~", "! bad_amount Error RecordSetAside B307@2 1.2.3"),
        ("B3**P1*X*PP*CC*20250110*0700**N~", "! bad_date Error RecordSetAside B309@2 N"),
        ("B3**P1**TP**20250110*100~C3*US~", "! bad_code Error RecordSetAside C301@3 US"),
    ] {
        check_210(body, expected);
    }
}

/// Verdict, invoices and failed controls of one file.
type Expected = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

#[test]
fn the_corpus_gives_the_verified_values() {
    let expected: &[Expected] = &[
        ("810/adobe-newline-term.edi", "accepted_with_findings", &["0013833070 160.00 USD"], &[]),
        ("810/ariba-abcmusic-a.edi", "accepted_with_findings", &["DO091003TESTINV01 365.96 USD"], &[]),
        ("810/ariba-abcmusic-b.edi", "accepted_with_findings", &["DO091003TESTINV01TAX 401.92 USD"], &[]),
        ("810/ariba-abcmusic-c.edi", "accepted_with_findings", &["DO091003TESTHDRINV01 411.92 USD"], &["TDS01 411.92 370.73"]),
        ("810/ariba-abcmusic-d.edi", "accepted_with_findings", &["DO091003TESTHDRINV02 646.92 USD"], &["TDS01 646.92 582.23"]),
        ("810/california-iso-manual.edi", "accepted", &["3662 2896035.30 USD"], &[]),
        ("810/california-iso.edi", "accepted", &["10429 213516.63 USD"], &[]),
        (
            "810/foodseller-simple.edi",
            "accepted_with_findings",
            &["00001 2554.38 USD", "00001 2554.38 USD"],
            &["TDS01 2554.38 1851.00"],
        ),
        (
            "810/moov-freight-bill.edi",
            "accepted_with_findings",
            &["654983115 1395.50 USD", "658089516 827.75 USD"],
            &["TDS01 1395.50 807.50"],
        ),
        ("810/sleep-country-tempur.edi", "accepted", &["3323399 56358.00 USD"], &[]),
        ("810/walmart-newline-term.edi", "accepted_with_findings", &["6463367 3875.30 USD"], &[]),
        ("810/x12-types-minimal-5010.edi", "accepted_with_findings", &["INV123 1.30 USD"], &["TDS01 1.30 50.00"]),
        ("210/cn-rail-usd.edi", "accepted", &["28066945 2754.33 USD"], &[]),
        ("210/db-schenker-period-term.edi", "held", &["210028835 46.40 USD"], &["GE02 24 1"]),
        ("210/mgctlyst-uneven-lines.edi", "accepted", &["09851270 659.40 USD"], &[]),
        (
            "210/ups-multi-pipe-term.edi",
            "held",
            &[
                "0000001808WW308 17.00 USD",
                "0000001502WW308 94.15 USD",
                "0000004045WW308 285.55 USD",
                "0000002063WW308 1056.47 USD",
                "0000004469WW318 21642.90 CAD",
            ],
            &["SE01 46 48"],
        ),
        ("210/wrapped-80-columns.edi", "accepted_with_findings", &["699751522 124.17 USD"], &[]),
        ("210/x12-types-minimal-5010.edi", "accepted_with_findings", &[], &[]),
        ("110/fedex-air-freight.edi", "held", &[], &["GE02 24 1"]),
    ];
    for (file, status, invoices, failed) in expected {
        let Some(bytes) = sample(file) else { return };
        let parsed = parse(&bytes, &Limits::default());
        assert_eq!(parsed.document.status.as_str(), *status, "{file}");
        let found: Vec<String> = parsed.document.invoices.iter().map(|held| format!("{} {}", held.number, held.amount)).collect();
        assert_eq!(found, *invoices, "{file}");
        let controls = parsed.document.controls.iter().filter(|control| !control.ok);
        let found: Vec<String> = controls.map(|held| format!("{} {} {}", held.name, held.claimed, held.computed)).collect();
        assert_eq!(found, *failed, "{file}");
    }
}

/// However a file is cut, its records are the same.
#[test]
fn chunks_give_the_same_records() {
    for file in ["810/ariba-abcmusic-b.edi", "810/moov-freight-bill.edi", "210/wrapped-80-columns.edi", "999/simple.edi"] {
        let Some(bytes) = sample(file) else { return };
        let whole = parse(&bytes, &Limits::default()).document;
        for size in [1, 61, 4096] {
            let (mut invoices, mut acknowledgments) = (Vec::new(), Vec::new());
            let mut sink = |record: Record<'_>| match record.into_owned() {
                Record::Invoice(invoice) => invoices.push(json(&invoice)),
                Record::Acknowledgment(acknowledgment) => acknowledgments.push(json(&acknowledgment)),
                _ => {}
            };
            let mut stream = Stream::new(&Limits::default());
            bytes.chunks(size).for_each(|chunk| stream.feed(chunk, &mut sink));
            stream.finish(&mut sink);
            assert_eq!(invoices, whole.invoices.iter().map(json).collect::<Vec<_>>(), "{file} in chunks of {size}");
            assert_eq!(acknowledgments, whole.acknowledgments.iter().map(json).collect::<Vec<_>>(), "{file} in chunks of {size}");
            assert!(!invoices.is_empty() || !acknowledgments.is_empty(), "{file}");
        }
    }
}

fn json(record: &impl serde::Serialize) -> serde_json::Value {
    serde_json::to_value(record).expect("a record")
}

#[test]
fn a_bill_knows_the_envelope_it_came_in() {
    let file = interchange("IN", "004010", &[("810", "BIG*20250110*INV-1~TDS*100~")]);
    let parsed = parse(file.as_bytes(), &Limits::default());
    let exchange = serde_json::to_value(&parsed.document.invoices[0].exchange).expect("an exchange");
    let expected = serde_json::json!({
        "sender": "SENDER", "receiver": "RECEIVER", "application_sender": "APPSENDER", "application_receiver": "APPRECEIVER",
        "interchange_control": "000000017", "group_control": "17", "set_control": "0001"
    });
    assert_eq!(exchange, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// Damage never panics, and whatever invoice still comes out has an amount that stands in the file.
    #[test]
    fn damaged_bills_never_panic(seed in any::<u64>(), at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in 0_usize..40) {
        let body = "B3**P1*BOL*TP**20250110*-12500*CO*20250109*035*TIEO~ITD*08*2*1*20250120*10*20250209*30*100~N9*CM*9~LX*1~L1*1**FR*-12500~L3*****-12500~";
        let goods = "BIG*20250110*INV*20250101*PO***CR*05**OI~ITD*08*3*2.5**10**30~IT1*1*99999999999*EA*99999999999999.99*TP~SAC*A*C310***99999999999999~\
                     TXI*ST*1.00~TDS*9223372036854775807*1*2*3~CTT*1*3~";
        let file = if seed % 2 == 0 { interchange("IM", "004010", &[("210", body)]) } else { interchange("IN", "005010", &[("810", goods)]) };
        let mut bytes = file.into_bytes();
        let index = 106 + at.index(bytes.len() - 106);
        bytes[index] = byte;
        let end = (index + cut).min(bytes.len());
        if seed % 3 == 0 { bytes.drain(index..end); }
        let parsed = parse(&bytes, &Limits::default());
        for invoice in &parsed.document.invoices {
            let digits = invoice.amount.minor.unsigned_abs().to_string();
            let (whole, decimals) = digits.split_at(digits.len().saturating_sub(2));
            let text = String::from_utf8_lossy(&bytes);
            prop_assert!(text.contains(&digits) || text.contains(&format!("{whole}.{decimals}")), "{digits} in {text}");
        }
    }
}
