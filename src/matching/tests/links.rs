//! Advice and cash that came apart find each other, or wait.

use super::world::{Paying, World, day, pay};
use crate::domain::{FileId, PaymentId, PaymentState, Remittance, RemittanceId, RemittanceState};
use crate::matching::{link, link_remittance};

fn apart(paying: Paying, id: i64) -> Remittance {
    let mut remittance = paying.line("INV-1001", 100_000).remittance.expect("the line made an advice");
    remittance.id = RemittanceId(id);
    remittance.source.file = FileId(77);
    remittance.payment = None;
    remittance.state = RemittanceState::Waiting;
    remittance.total_minor = Some(100_000);
    remittance.payer.name = Some("Acme Industrial Supply Inc.".to_owned());
    remittance
}

#[test]
fn trace_and_total_tie_an_advice_to_its_cash_both_ways() {
    let paying = pay(100_000);
    let mut snapshot = World::acme().snapshot();
    let remittance = apart(pay(100_000), 1);
    snapshot.add_waiting_remittance(remittance.clone());
    snapshot.saw_payment(&paying.payment, None);
    let found = link(&paying.payment, &snapshot).expect("trace and total agree");
    assert_eq!(found.to, RemittanceId(1));
    assert!(found.evidence.iter().any(|item| item.field == "trace" && item.level == "exact"));
    assert_eq!(link_remittance(&remittance, &snapshot).map(|link| link.to), Some(PaymentId(100)));
    snapshot.forget_waiting_remittance(RemittanceId(1));
    assert!(link(&paying.payment, &snapshot).is_none());
}

#[test]
fn the_end_of_a_trace_and_the_total_are_enough() {
    let mut snapshot = World::acme().snapshot();
    let mut remittance = apart(pay(100_000), 1);
    remittance.trace = Some("000123".to_owned());
    snapshot.add_waiting_remittance(remittance);
    assert!(link(&pay(100_000).payment, &snapshot).is_some());
}

#[test]
fn a_total_and_a_name_tie_only_when_no_other_advice_does_as_well() {
    let mut snapshot = World::acme().snapshot();
    let mut remittance = apart(pay(100_000), 1);
    remittance.trace = None;
    snapshot.add_waiting_remittance(remittance.clone());
    assert!(link(&pay(100_000).payment, &snapshot).is_some());
    remittance.id = RemittanceId(2);
    snapshot.add_waiting_remittance(remittance);
    assert!(link(&pay(100_000).payment, &snapshot).is_none(), "two advices fit equally well");
}

#[test]
fn a_payment_that_names_items_itself_takes_an_advice_only_by_its_trace() {
    let mut snapshot = World::acme().snapshot();
    let mut remittance = apart(pay(100_000), 1);
    snapshot.add_waiting_remittance(remittance.clone());
    let paying = pay(100_000).text("INV-20077");
    assert!(link(&paying.payment, &snapshot).is_some(), "the trace ties them");
    remittance.trace = None;
    snapshot.add_waiting_remittance(remittance);
    assert!(link(&paying.payment, &snapshot).is_none());
    assert!(link(&pay(100_000).payment, &snapshot).is_some());
}

#[test]
fn another_trace_another_total_and_another_month_keep_them_apart() {
    for change in [
        |advice: &mut Remittance| advice.trace = Some("99999999".to_owned()),
        |advice: &mut Remittance| advice.total_minor = Some(99_999),
        |advice: &mut Remittance| advice.date = Some(day(-60)),
        |advice: &mut Remittance| advice.seller = Some(crate::domain::SellerId(2)),
    ] {
        let mut snapshot = World::acme().snapshot();
        let mut remittance = apart(pay(100_000), 1);
        change(&mut remittance);
        snapshot.add_waiting_remittance(remittance);
        assert!(link(&pay(100_000).payment, &snapshot).is_none());
    }
}

#[test]
fn an_advice_that_numbers_itself_is_tied_by_total_and_payer_under_any_trace() {
    let mut remittance = apart(pay(100_000), 1);
    remittance.trace = Some("RA-4711".to_owned());
    for (tag, total, linked) in
        [("UNH", 100_000, true), ("CdtTrfTxInf", 100_000, true), ("UNH", 99_999, false), ("ST", 100_000, false)]
    {
        remittance.source.location.tag = Some(tieout_parsers::Tag::new(tag.as_bytes()));
        remittance.total_minor = Some(total);
        let mut snapshot = World::acme().snapshot();
        snapshot.add_waiting_remittance(remittance.clone());
        assert_eq!(link(&pay(100_000).payment, &snapshot).is_some(), linked, "{tag} {total}");
    }
    remittance.source.location.tag = Some(tieout_parsers::Tag::new(b"UNH"));
    remittance.payer.name = None;
    let mut snapshot = World::acme().snapshot();
    snapshot.add_waiting_remittance(remittance);
    assert!(link(&pay(100_000).payment, &snapshot).is_none(), "a total alone is too little");
}

#[test]
fn a_linked_advice_says_what_tied_it() {
    let mut world = World::acme();
    world.item("INV-1001", 100_000);
    let mut paying = pay(100_000);
    paying.remittance = Some(apart(pay(100_000), 1));
    world.decide(&paying).posted(&[("INV-1001", 100_000)]).says("came apart from its cash");
}

#[test]
fn payments_that_are_done_never_crowd_out_the_one_that_waits() {
    let mut snapshot = World::acme().snapshot();
    let waiting = pay(100_000);
    for id in 500..1_700 {
        let mut done = waiting.payment.clone();
        done.id = PaymentId(id);
        done.trace = None;
        done.state = PaymentState::Posted;
        snapshot.saw_payment(&done, None);
    }
    snapshot.saw_payment(&waiting.payment, None);
    let mut remittance = apart(pay(100_000), 1);
    remittance.trace = None;
    assert_eq!(link_remittance(&remittance, &snapshot).map(|link| link.to), Some(PaymentId(100)));
}

#[test]
fn an_advice_tied_by_total_and_name_alone_is_doubted_where_the_amount_is_owed_twice() {
    let mut world = World::acme();
    world.item("INV-1001", 100_000);
    let mut paying = pay(100_000);
    let mut remittance = apart(pay(100_000), 1);
    remittance.trace = None;
    paying.remittance = Some(remittance);
    world.decide(&paying).posted(&[("INV-1001", 100_000)]);
    world.item("INV-2002", 100_000);
    world.decide(&paying).held(crate::domain::Reason::Ambiguous).says("more than once");
}

#[test]
fn an_advice_tied_by_its_total_alone_pays_nothing_for_somebody_else() {
    let mut world = World::acme();
    world.item("INV-1001", 100_000);
    let mut paying = pay(100_000).by_name("TREASURY 310");
    let mut remittance = apart(pay(100_000), 1);
    remittance.trace = None;
    paying.remittance = Some(remittance);
    world.decide(&paying).held(crate::domain::Reason::Ambiguous).says("names another payer");
}
