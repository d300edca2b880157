//! The same money is applied once; two payments that only look alike stay two.

use super::world::{World, day, pay};
use crate::domain::{FileId, PaymentId, PaymentState, Reason};

fn acme() -> World {
    let mut world = World::acme();
    world.item("INV-1001", 100_000);
    world.item("INV-1002", 100_000);
    world
}

#[test]
fn the_same_trace_from_another_file_is_the_same_money() {
    let mut world = acme();
    let paying = pay(100_000).line("INV-1001", 100_000);
    let mut earlier = paying.clone();
    earlier.payment.id = PaymentId(50);
    earlier.payment.source.file = FileId(9);
    earlier.payment.trace = Some("71000010000123".to_owned());
    world.earlier = vec![(earlier.payment.clone(), None)];
    world.decide(&paying).held(Reason::DuplicatePayment).says("repeats payment P50");
    world.earlier[0].0.state = PaymentState::Returned;
    world.decide(&paying).posted(&[("INV-1001", 100_000)]);
    world.earlier[0].1 = earlier.remittance;
    world.decide(&paying).held(Reason::DuplicatePayment).says("that the bank took back");
}

#[test]
fn the_same_debt_paid_twice_is_a_duplicate_even_with_another_trace() {
    let mut world = acme();
    let paying = pay(100_000).line("INV-1001", 100_000);
    let mut earlier = paying.clone();
    earlier.payment.id = PaymentId(50);
    earlier.payment.value_date = day(-20);
    earlier.payment.trace = Some("555".to_owned());
    world.earlier = vec![(earlier.payment, earlier.remittance)];
    world.decide(&paying).held(Reason::DuplicatePayment);
}

#[test]
fn the_first_of_two_equal_payments_stays_good() {
    let mut world = acme();
    let paying = pay(100_000).line("INV-1001", 100_000);
    let mut later = paying.clone();
    later.payment.id = PaymentId(500);
    later.payment.source.file = FileId(99);
    world.earlier = vec![(later.payment, later.remittance), (paying.payment.clone(), paying.remittance.clone())];
    world.decide(&paying).posted(&[("INV-1001", 100_000)]);
}

#[test]
fn true_twins_stay_two() {
    let mut world = acme();
    let first = pay(100_000).line("INV-1001", 100_000);
    let mut second = pay(100_000).line("INV-1002", 100_000);
    second.payment.id = PaymentId(101);
    second.payment.seq = 1;
    second.payment.trace = Some("071000010000124".to_owned());
    world.earlier = vec![(first.payment.clone(), first.remittance.clone())];
    world.decide(&second).posted(&[("INV-1002", 100_000)]);
    // One file, one trace, other references: a bank that gives a batch one number.
    second.payment.trace.clone_from(&first.payment.trace);
    world.decide(&second).posted(&[("INV-1002", 100_000)]);
}

#[test]
fn a_second_report_without_a_trace_is_recognised_by_payer_amount_and_day() {
    let mut world = acme();
    let mut paying = pay(100_000).line("INV-1001", 100_000);
    paying.payment.trace = None;
    let mut earlier = pay(100_000);
    earlier.payment.id = PaymentId(50);
    earlier.payment.source.file = FileId(9);
    world.earlier = vec![(earlier.payment, None)];
    world.decide(&paying).held(Reason::DuplicatePayment);
    world.earlier[0].0.value_date = day(-3);
    world.decide(&paying).posted(&[("INV-1001", 100_000)]);
}

#[test]
fn one_that_has_posted_counts_whatever_its_id() {
    let mut world = acme();
    let paying = pay(100_000).line("INV-1001", 100_000);
    let mut later = paying.clone();
    later.payment.id = PaymentId(500);
    later.payment.source.file = FileId(99);
    later.payment.state = PaymentState::Posted;
    world.earlier = vec![(later.payment, later.remittance)];
    world.decide(&paying).held(Reason::DuplicatePayment);
}
