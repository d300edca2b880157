//! What rare amounts tell where numbers and names are damaged, and what they do not.

use super::world::{Paying, World, day, pay};
use crate::domain::{Currency, PaymentId, PaymentState, Reason};

fn acme() -> World {
    let mut world = World::acme();
    world.item("INV-010443", 123_457);
    world.item("INV-020773", 98_765);
    world
}

#[test]
fn a_total_ties_an_advice_to_cash_that_says_who_paid() {
    let mut world = acme();
    let mut paying = pay(123_457).line("INV-010443", 123_457);
    paying.payment.payer.name = Some("TREASURY 310".to_owned());
    let apart = |paying: &mut Paying| {
        if let Some(remittance) = &mut paying.remittance {
            remittance.source.file.0 += 1;
            remittance.trace = None;
            remittance.payer.name = Some("Acme Industrial Supply Inc.".to_owned());
        }
    };
    apart(&mut paying);
    world.decide(&paying).posted(&[("INV-010443", 123_457)]);
    // Less than is open is no amount that agrees.
    let mut short = pay(120_000).line("INV-010443", 120_000);
    short.payment.payer.name = Some("TREASURY 310".to_owned());
    apart(&mut short);
    world.decide(&short).held(Reason::Ambiguous).says("names another payer");
    // Items of somebody else are not the payer's because a total agrees.
    world.customer("C2", "Bright Foods LLC");
    world.item("BF-5", 55_551);
    let mut other = pay(55_551).line("BF-5", 55_551);
    other.payment.payer.name = Some("TREASURY 310".to_owned());
    apart(&mut other);
    assert!(!world.decide(&other).posts());
}

#[test]
fn customers_that_share_a_name_are_told_apart_by_a_rare_amount() {
    let mut world = World::default();
    for (code, name, minor) in
        [("C1", "Chesapeake Building Materials, LLC", 123_457), ("C2", "Chesapeake Building Services, Inc.", 100_000)]
    {
        world.customer(code, name);
        world.item(&format!("{code}-77"), minor);
    }
    let by_name = |minor| pay(minor).by_name("CHESAPEAKE BUILD");
    world.decide(&by_name(123_457)).posted(&[("C1-77", 123_457)]);
    assert_eq!(world.decide(&by_name(100_000)).held(Reason::UnidentifiedPayer).lines(), [("C2-77", 100_000)], "a round amount");
}

#[test]
fn a_payment_that_names_nothing_waits_while_an_earlier_one_of_its_amount_does() {
    let mut world = acme();
    world.decide(&pay(123_457)).posted(&[("INV-010443", 123_457)]);
    let mut earlier = pay(123_457).payment;
    earlier.id = PaymentId(7);
    earlier.value_date = day(-3);
    earlier.trace = Some("071000010000007".to_owned());
    earlier.state = PaymentState::Exception;
    world.earlier.push((earlier.clone(), None));
    world.decide(&pay(123_457)).held(Reason::DuplicatePayment).says("still waits");
    world.earlier[0].0.state = PaymentState::Posted;
    world.decide(&pay(123_457)).posted(&[("INV-010443", 123_457)]);
    earlier.currency = Currency::parse("EUR").expect("a currency");
    world.earlier[0].0 = earlier;
    world.decide(&pay(123_457)).posted(&[("INV-010443", 123_457)]);
}

#[test]
fn a_number_of_several_parts_with_a_slip_is_read_as_a_whole() {
    let mut world = World::acme();
    for (number, minor) in [("2511-20497-2", 335_372), ("2511-16675-3", 121_862), ("2511-34870-4", 81_321)] {
        world.item(number, minor);
    }
    let paying = pay(416_693).text("INV 2511-20947-2, 2511-34870-4");
    world.decide(&paying).posted(&[("2511-20497-2", 335_372), ("2511-34870-4", 81_321)]);
}

#[test]
fn everything_that_is_due_leaves_out_what_a_waiting_payment_names() {
    let mut world = World::acme();
    for (at, minor) in [(1, 123_457), (2, 98_765), (3, 45_679), (4, 77_777), (5, 31_131)] {
        world.item(&format!("INV-1000{at}"), minor).due_date = day(at);
    }
    let due = pay(123_457 + 98_765 + 77_777 + 31_131);
    assert!(!world.decide(&due).posts() || world.decide(&due).lines().len() == 4);
    let mut waiting = pay(40_000).text("INV-10003").payment;
    waiting.id = PaymentId(7);
    waiting.state = PaymentState::Exception;
    world.earlier.push((waiting, None));
    let lines = [("INV-10001", 123_457), ("INV-10002", 98_765), ("INV-10004", 77_777), ("INV-10005", 31_131)];
    world.decide(&due).posted(&lines).says("post.past-due-clears");
}

#[test]
fn what_comes_near_is_proposed_where_nothing_adds_up() {
    let mut world = World::acme();
    world.item("CM-030001", -10_101).due_date = day(1);
    world.item("INV-020773", 98_765).due_date = day(2);
    world.item("INV-010443", 123_457).due_date = day(3);
    let lines = |minor| {
        world
            .decide(&pay(minor))
            .held(Reason::NoRemittance)
            .lines()
            .into_iter()
            .map(|(number, _)| number.to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(123_457 - 10_101), ["CM-030001", "INV-010443"], "less a credit");
    assert_eq!(lines(98_700), ["INV-020773"], "but for a few cents");
    assert_eq!(lines(90_000), ["INV-020773"], "the one that lacks least");
}

#[test]
fn from_nobody_what_has_the_amount_is_proposed() {
    let world = acme();
    let outcome = world.decide(&pay(98_765).by_unknown()).held(Reason::UnidentifiedPayer);
    assert_eq!(outcome.lines(), [("INV-020773", 98_765)]);
    assert!(world.decide(&pay(98_766).by_unknown()).held(Reason::UnidentifiedPayer).lines().is_empty());
}
