//! Less came than the items named are open for, or more, and the payer wrote no amounts.

use super::world::{Paying, World, day, pay};
use crate::domain::{AccountKey, Reason};

fn three() -> World {
    let mut world = World::acme();
    world.item("INV-010443", 123_457);
    world.item("INV-010555", 60_013);
    world.item("INV-010777", 80_101);
    world
}

const THREE: &str = "INV-010443 INV-010555 INV-010777";

#[test]
fn a_difference_too_small_to_be_pursued_is_borne_by_the_largest_item() {
    let world = three();
    let lines = [("INV-010443", 123_360), ("INV-010555", 60_013), ("INV-010777", 80_101)];
    let outcome = world.decide(&pay(263_474).text(THREE)).posted(&lines);
    assert_eq!(outcome.adjustments(), ["WriteOff 97 tolerance"]);
    assert!(!world.decide(&pay(263_470).text(THREE)).posts(), "1.01 is pursued");
}

#[test]
fn which_of_several_items_was_paid_short_is_proposed_and_not_decided() {
    let world = three();
    let outcome = world.decide(&pay(203_500).text(THREE)).held(Reason::ShortPaid).says("which of them is paid short is not said");
    assert_eq!(outcome.decision.proposals.len(), 2, "one of them cannot bear the shortfall: {}", outcome.text());
    assert_eq!(outcome.lines(), [("INV-010443", 123_457), ("INV-010555", 60_013), ("INV-010777", 20_030)], "{}", outcome.text());
    assert_eq!(outcome.decision.proposals[0].unapplied_minor, 0);
}

#[test]
fn the_gross_that_the_payer_writes_stands_for_a_number_of_its_own() {
    let world = three();
    let paying = |gross: i64| {
        pay(50_000).with(|line| {
            line.reference = "8796095".to_owned();
            line.gross_minor = Some(gross);
            line.net_minor = Some(50_000);
        })
    };
    world.decide(&paying(60_013)).posted_with(&[Reason::ShortPaid], &[("INV-010555", 50_000)]);
    world.decide(&paying(60_014)).held(Reason::ReferenceNotFound);
}

#[test]
fn numbers_cut_alike_are_two_lines_where_their_gross_differs() {
    let mut world = World::acme();
    world.item("INV-090689", 130_077);
    world.item("INV-090691", 103_111);
    let line = |amount: i64| {
        move |line: &mut crate::domain::RemittanceLine| {
            line.reference = "INV-0906".to_owned();
            line.gross_minor = Some(amount);
            line.net_minor = Some(amount);
        }
    };
    let paying = pay(233_188).with(line(130_077)).with(line(103_111));
    world.decide(&paying).posted(&[("INV-090689", 130_077), ("INV-090691", 103_111)]);
}

#[test]
fn what_is_left_unnamed_is_looked_for_less_discounts_where_these_were_taken() {
    let mut world = three();
    for item in &mut world.items {
        item.issue_date = day(-5);
        item.terms.discount_percent = "2".parse().ok();
        item.terms.discount_days = Some(10);
    }
    let cut = pay(120_988 + 58_813 + 78_499).text("INV-010443, INV-010777, INV-0");
    let outcome = world.decide(&cut).posted(&[("INV-010443", 120_988), ("INV-010555", 58_813), ("INV-010777", 78_499)]);
    assert_eq!(outcome.adjustments().len(), 3, "{}", outcome.text());
}

#[test]
fn an_order_for_equal_items_leaves_open_which_of_them_is_paid_beside_what_is_forgotten() {
    let mut world = three();
    for number in ["INV-010801", "INV-010802"] {
        world.item(number, 40_000).po = Some("4500059778".to_owned());
    }
    let paying = pay(123_457 + 40_000 + 60_013).text("INV-010443 4500059778");
    world.decide(&paying).held(Reason::Ambiguous).says("may be other items as well");
}

#[test]
fn items_of_one_due_day_come_before_sums_of_anything() {
    let mut world = World::acme();
    for (number, amount) in (0..50).zip((0..).map(|n: i64| 100_003 + n * n * 97)) {
        world.item(&format!("INV-02{number:04}"), amount).due_date = day(number);
    }
    for (number, amount) in [("INV-030001", 61_219), ("INV-030002", 47_351), ("INV-030003", 88_807)] {
        world.item(number, amount).due_date = day(70);
    }
    let lines = [("INV-030001", 61_219), ("INV-030003", 88_807)];
    world.decide(&pay(150_026)).posted(&lines);
}

#[test]
fn much_more_than_the_items_named_may_be_an_item_that_was_not() {
    let world = three();
    let paying = |amount: i64| pay(amount).line("INV-010443", 123_457);
    world.decide(&paying(128_457)).posted_with(&[Reason::Overpaid], &[("INV-010443", 123_457)]);
    world.decide(&paying(150_000)).held(Reason::Overpaid).says("more than 20 % of what the items named take");
}

#[test]
fn what_is_missing_may_be_a_credit_that_is_not_named() {
    let mut world = three();
    let short = pay(103_500).text("INV-010443");
    world.decide(&short).posted_with(&[Reason::ShortPaid], &[("INV-010443", 103_500)]);
    world.item("CM-77001", -19_958);
    world.decide(&short).held(Reason::ShortPaid).says("the payer wrote no amounts");
}

#[test]
fn what_is_charged_back_is_no_tolerance() {
    let mut world = three();
    // The customer whose overlay charges back is known by its account alone.
    world.customer("EXAMPLE-MART", "EXAMPLE MART LLC").accounts.push(AccountKey("mart".to_owned()));
    let of_mart = |mut paying: Paying| {
        paying.payment.payer.account = Some(AccountKey("mart".to_owned()));
        paying.payment.payer.name = None;
        paying
    };
    world.item("INV-020443", 50_000);
    world.item("INV-020555", 60_000);
    let paying = |text: &str, amount: i64| of_mart(pay(amount).line(text, amount));
    let outcome =
        world.decide(&paying("INV-020443", 49_000)).posted_with(&[Reason::DeductionToValidate], &[("INV-020443", 49_000)]);
    assert_eq!(outcome.adjustments(), ["Deduction 1000 unknown"]);
    assert!(!world.decide(&paying("INV-020434", 49_000)).posts(), "a slip in the number and a difference prove nothing together");
    let both = of_mart(pay(109_000).text("INV-020443 INV-020555"));
    world.decide(&both).held(Reason::ShortPaid).says("which of them is paid short is not said");
}

#[test]
fn what_is_explained_in_full_is_not_explained_once_more_by_discounts() {
    let mut world = three();
    for item in &mut world.items {
        item.issue_date = day(-5);
        item.terms.discount_percent = "2".parse().ok();
        item.terms.discount_days = Some(10);
    }
    // What the discounts of the two would leave.
    world.item("INV-010999", 3_669);
    let paying = pay(123_457 + 60_013).text("INV-010443 INV-010555");
    world.decide(&paying).posted(&[("INV-010443", 123_457), ("INV-010555", 60_013)]);
}

#[test]
fn an_item_that_is_named_and_left_out_is_not_made_up_for_by_one_that_is_not() {
    let mut world = World::acme();
    world.item("INV-010443", 123_457).po = Some("4500059778".to_owned());
    world.item("INV-010555", 60_013);
    world.item("INV-010777", 50_000);
    let paying = pay(123_457 + 50_000).text("INV-010443 4500059778 INV-010555");
    world.decide(&paying).held(Reason::ShortPaid).says("the items named are open for 1834.70, 1734.57 came");
}
