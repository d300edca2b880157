//! 812: announced deductions and credits, their reasons and references, and what sets them aside.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing, reason = "a test may stop")]

mod support;

use std::fmt::Write as _;

use support::{assert_told, interchange, sample, told};
use tieout_parsers::{Limits, Options, Parsed, Status, parse, parse_with, x12::Bare};

fn read(parsed: &Parsed<'_>) -> String {
    let mut text = String::new();
    for announced in &parsed.document.remittances {
        assert_eq!((announced.total, &announced.trace), (None, &None), "no money is announced");
        let date = announced.date.map_or(String::new(), |date| date.to_string());
        let names = [&announced.payer, &announced.payee].map(|party| party.name.as_deref().unwrap_or("?"));
        write!(text, "{date} {} to {}", names[0], names[1]).expect("text grows");
        let references = announced.references.iter().map(|held| format!(" {}:{}", held.qualifier, held.value));
        writeln!(text, "{}", references.collect::<String>()).expect("text grows");
        for line in &announced.lines {
            assert_eq!((line.net, line.gross, line.action.as_deref()), (None, None, Some("AJ")), "nothing is paid");
            write!(text, "- {} {} po {}", line.qualifier, line.reference, line.po.as_deref().unwrap_or("")).expect("text grows");
            for held in &line.adjustments {
                write!(text, " {} for {} by {}", held.amount, held.reason, held.reference.as_deref().unwrap_or(""))
                    .expect("text");
            }
            let references = line.references.iter().map(|held| format!(" {}:{}", held.qualifier, held.value));
            writeln!(text, "{}", references.collect::<String>()).expect("text grows");
        }
    }
    assert!(parsed.document.payments.is_empty(), "an adjustment is no payment");
    text + &told(parsed)
}

fn check(body: &str, expected: &str) {
    let file = interchange("CD", "004010", &[("812", body)]);
    assert_told(&read(&parse(file.as_bytes(), &Limits::default())), expected, body);
}

#[test]
fn an_announced_deduction_names_what_it_is_for() {
    check(
        "BCD*20260310*DM-77*I*25050*D*20260201*A1*V9**P1***BM*B1~CUR*BY*USD~N9*DP*12~N1*BY*MERROW FOODS*92*77~N3*STREET~\
         N1*SE*KESTREL MOTOR FREIGHT~CDD*04*D*1*20050~LIN*1*UP*1~N9*IV*A2~N9*PO*P2~N9*BM*B2~CDD*01*D*2*5000~SAC*A*B000~",
        "2026-03-10 MERROW FOODS to KESTREL MOTOR FREIGHT DP:12 VN:V9 BM:B1
         - IV A2 po P2 -200.50 USD for 04 by DM-77 BM:B2
         - IV A1 po P1 -50.00 USD for 01 by DM-77",
    );
    // Credits are positive; without lines the header is the line; an order or another number stands where no invoice does.
    check("BCD*20260310*CM-1**100*C****P9~", "2026-03-10 ? to ?\n-   po  1.00 USD for  by CM-1");
    check("BCD*20260310*CM-1**100*C****20260101*P9***CT*C5~", "2026-03-10 ? to ? CT:C5\n- CT C5 po P9 1.00 USD for  by CM-1");
    check(
        "BCD*20260310*DM-1**50*D**A1~CDD*04*D**100~CDD*05*C**50~CDD*06*D****2*EA*.01~",
        "2026-03-10 ? to ?\n- IV A1 po  -1.00 USD for 04 by DM-1\n- IV A1 po  0.50 USD for 05 by DM-1\n- IV A1 po",
    );
}

#[test]
fn what_does_not_add_up_is_told_and_what_is_unreadable_set_aside() {
    check(
        "BCD*20260310*DM-1**300*D**A1~CDD*04*D**100~CDD*05*D**150~",
        "2026-03-10 ? to ?
         - IV A1 po  -1.00 USD for 04 by DM-1
         - IV A1 po  -1.50 USD for 05 by DM-1
         ! out_of_balance Warning Noted BCD04@2 -3.00
         ? BCD04 -3.00 -2.50",
    );
    for (body, expected) in [
        ("N1*BY*X~", "! missing_segment Error RecordSetAside BCD@3 nothing"),
        ("BCD*20260310***300*D~", "! missing_element Error RecordSetAside BCD02@2"),
        ("BCD*20260310*DM-1***D~", "! missing_element Error RecordSetAside BCD04@2"),
        ("BCD*20260310*DM-1**300*X~", "! bad_code Error RecordSetAside BCD05@2 X"),
        ("BCD*20260310*DM-1**300*D~BCD*20260310*DM-2**300*D~", "! unknown_segment Error RecordSetAside BCD@3 another"),
        (
            "BCD*20260310*DM-1**300*D~CDD*04*D**x~",
            "! bad_amount Error RecordSetAside CDD04@3 x\n! missing_element Error RecordSetAside CDD04@3 x",
        ),
        (
            "BCD*20260310*DM-1**300*D~CDD*04***300~",
            "! missing_element Error RecordSetAside CDD02@3\n! missing_element Error RecordSetAside CDD04@3 300",
        ),
        ("BCD*20260310*DM-1**300*D~CDD*04*D~", "! missing_element Error RecordSetAside CDD04@3"),
    ] {
        check(body, expected);
    }
    let limits = Limits { remittance_lines_max: 1, ..Limits::default() };
    let body = "BCD*20260310*DM-1**300*D~CDD*04*D**100~CDD*04*D**200~";
    let file = interchange("CD", "004010", &[("812", body)]);
    let parsed = parse(file.as_bytes(), &limits);
    assert!(parsed.document.remittances.is_empty() && told(&parsed).contains("limit_reached"), "{parsed:?}");
}

#[test]
fn the_adjustment_of_the_corpus_has_no_amount_and_is_set_aside() {
    let Some(bytes) = sample("812/bare-full-loops.edi") else { return };
    let parsed = parse_with(&bytes, &Options { bare: Bare::recognise(&bytes), ..Options::default() });
    assert_eq!(parsed.document.status, Status::AcceptedWithFindings, "{:?}", parsed.findings);
    assert!(parsed.document.remittances.is_empty());
    assert!(told(&parsed).contains("! missing_element Error RecordSetAside BCD04@2"));
}
