//! What a cash-application specialist wants to see posted, and what not.

use super::world::{World, coded, day, pay, today};
use crate::domain::Reason;

fn with_terms(world: &mut World, number: &str, amount: i64, issued: i64) {
    let item = world.item(number, amount);
    item.issue_date = day(issued);
    item.entered_date = day(issued);
    item.terms.discount_percent = "2".parse().ok();
    item.terms.discount_days = Some(10);
}

#[test]
fn references_and_amounts_that_agree_post() {
    let mut world = World::acme();
    world.item("INV-001001", 100_000);
    world.item("INV-001002", 50_000);
    let lines = [("INV-001001", 100_000), ("INV-001002", 50_000)];
    for (first, second) in
        [("INV-001001", "INV-001002"), ("inv001001", "INV 001002"), ("1001", "INVOICE NO. INV-001002"), ("INV-1001", "001002")]
    {
        world.decide(&pay(150_000).line(first, 100_000).line(second, 50_000)).posted(&lines);
    }
}

#[test]
fn a_decision_says_what_it_stood_on() {
    let mut world = World::acme();
    world.item("INV-001001", 100_000);
    world
        .decide(&pay(100_000).line("INV-001001", 100_000))
        .posted(&[("INV-001001", 100_000)])
        .says("Sum: 1000.00 = INV-001001 1000.00")
        .says("at byte 600")
        .says("post.reference-amount");
}

#[test]
fn a_discount_within_terms_and_grace_is_granted() {
    let mut world = World::acme();
    with_terms(&mut world, "INV-1001", 100_000, -10);
    let taken = |discount: i64| {
        pay(100_000 - discount).with(|line| {
            line.reference = "INV-1001".to_owned();
            line.gross_minor = Some(100_000);
            line.discount_minor = Some(discount);
            line.net_minor = Some(100_000 - discount);
        })
    };
    let outcome = world.decide(&taken(2_000)).posted(&[("INV-1001", 98_000)]);
    assert_eq!(outcome.adjustments(), ["Discount 2000 terms"]);
    let unsaid = world.decide(&pay(98_000).line("INV-1001", 98_000)).posted(&[("INV-1001", 98_000)]);
    assert_eq!(unsaid.adjustments(), ["Discount 2000 terms"]);
    let large = world.decide(&taken(5_000)).posted_with(&[Reason::UnearnedDiscount], &[("INV-1001", 95_000)]);
    assert_eq!(large.adjustments(), ["Discount 2000 terms", "Deduction 3000 unearned_discount"]);
}

#[test]
fn a_late_discount_becomes_a_deduction() {
    let mut world = World::acme();
    with_terms(&mut world, "INV-1001", 100_000, -40);
    let outcome = world
        .decide(&pay(98_000).with(|line| {
            line.reference = "INV-1001".to_owned();
            line.discount_minor = Some(2_000);
            line.net_minor = Some(98_000);
        }))
        .posted_with(&[Reason::UnearnedDiscount], &[("INV-1001", 98_000)]);
    assert_eq!(outcome.adjustments(), ["Deduction 2000 unearned_discount"]);
}

#[test]
fn a_coded_short_payment_closes_the_item_with_a_deduction() {
    let mut world = World::acme();
    world.item("INV-1001", 100_000);
    let outcome = world
        .decide(&pay(90_000).with(|line| {
            line.reference = "INV-1001".to_owned();
            line.gross_minor = Some(100_000);
            line.net_minor = Some(90_000);
            line.adjustments = vec![coded(-10_000, "04")];
        }))
        .posted_with(&[Reason::DeductionToValidate], &[("INV-1001", 90_000)]);
    assert_eq!(outcome.adjustments(), ["Deduction 10000 04"]);
}

#[test]
fn an_adjustment_line_belongs_to_the_line_before_it() {
    let mut world = World::acme();
    world.item("INV-1001", 100_000);
    world.item("INV-1002", 50_000);
    let outcome = world
        .decide(
            &pay(140_000)
                .line("INV-1001", 100_000)
                .with(|line| {
                    line.reference = "DM4711".to_owned();
                    line.qualifier = "ZZ".to_owned();
                    line.net_minor = Some(-10_000);
                    line.adjustments = vec![coded(-10_000, "04")];
                })
                .line("INV-1002", 50_000),
        )
        .posted_with(&[Reason::DeductionToValidate], &[("INV-1001", 90_000), ("INV-1002", 50_000)]);
    assert_eq!(outcome.adjustments(), ["Deduction 10000 04"]);
}

#[test]
fn an_outer_adjustment_that_names_a_credit_memo_uses_it() {
    let mut world = World::acme();
    world.item("INV-1001", 100_000);
    world.item("CM-55", -10_000);
    let mut adjustment = coded(-10_000, "CM");
    adjustment.reference = Some("CM-55".to_owned());
    world
        .decide(
            &pay(90_000)
                .with(|line| {
                    line.qualifier = String::new();
                    line.net_minor = Some(-10_000);
                    line.adjustments = vec![adjustment];
                })
                .line("INV-1001", 100_000),
        )
        .posted(&[("CM-55", -10_000), ("INV-1001", 100_000)]);
}

#[test]
fn an_uncoded_short_payment_leaves_the_rest_open() {
    let mut world = World::acme();
    world.item("INV-1001", 100_000);
    world.item("INV-1002", 50_000);
    let outcome = world
        .decide(&pay(130_000).line("INV-1001", 80_000).line("INV-1002", 50_000))
        .posted_with(&[Reason::ShortPaid], &[("INV-1001", 80_000), ("INV-1002", 50_000)]);
    assert!(outcome.adjustments().is_empty());
}

#[test]
fn cash_beyond_all_lines_stays_unapplied() {
    let mut world = World::acme();
    world.item("INV-1001", 100_000);
    let outcome =
        world.decide(&pay(105_000).line("INV-1001", 100_000)).posted_with(&[Reason::Overpaid], &[("INV-1001", 100_000)]);
    assert_eq!(outcome.decision.proposals[0].unapplied_minor, 5_000);
    world.item("INV-1002", 5_000);
    world.decide(&pay(105_000).line("INV-1001", 100_000)).held(Reason::Ambiguous).says("INV-1002");
}

#[test]
fn an_advice_that_does_not_add_up_never_posts() {
    let mut world = World::acme();
    world.item("INV-1001", 100_000);
    world.item("INV-1002", 50_000);
    world
        .decide(&pay(140_000).line("INV-1001", 100_000).line("INV-1002", 50_000))
        .held(Reason::RemittanceOutOfBalance)
        .says("100.00 more");
    let mut paying = pay(100_000).line("INV-1001", 100_000);
    if let Some(remittance) = &mut paying.remittance {
        remittance.balanced = Some(false);
    }
    world.decide(&paying).held(Reason::RemittanceOutOfBalance);
}

#[test]
fn an_item_that_is_already_closed_blocks() {
    let mut world = World::acme();
    world.closed("INV-1001", 100_000);
    world.item("INV-1002", 100_000);
    world.decide(&pay(100_000).line("INV-1001", 100_000)).held(Reason::AlreadyPaid);
    world.decide(&pay(200_000).line("INV-1001", 100_000).line("INV-1002", 100_000)).held(Reason::AlreadyPaid);
    world.decide(&pay(100_000).line("1001", 100_000)).held(Reason::AlreadyPaid);
}

#[test]
fn an_item_that_is_not_entered_yet_does_not_exist() {
    let mut world = World::acme();
    world.item("INV-1001", 100_000).entered_date = day(1);
    world.decide(&pay(100_000).line("INV-1001", 100_000)).held(Reason::ReferenceNotFound);
}

#[test]
fn two_items_that_answer_equally_well_are_ambiguous() {
    let mut world = World::acme();
    world.item("SI-2026-00123", 10_000);
    world.item("SI-2025-00123", 10_000);
    let outcome = world.decide(&pay(10_000).line("123", 10_000)).held(Reason::Ambiguous);
    assert_eq!(outcome.decision.proposals.len(), 2, "a person is offered both");
    world.items[1].amount_minor = 20_000;
    world.items[1].open_minor = 20_000;
    world.decide(&pay(10_000).line("00123", 10_000)).posted(&[("SI-2026-00123", 10_000)]);
}

#[test]
fn an_order_stands_for_all_its_items() {
    let mut world = World::acme();
    for (number, amount) in [("INV-1", 10_000), ("INV-2", 20_000), ("INV-3", 30_000)] {
        world.item(number, amount).po = Some("PO-4500017".to_owned());
    }
    world.decide(&pay(60_000).line("PO4500017", 60_000)).posted(&[("INV-1", 10_000), ("INV-2", 20_000), ("INV-3", 30_000)]);
    world.decide(&pay(20_000).line("PO 4500017", 20_000)).posted(&[("INV-2", 20_000)]);
}

#[test]
fn lines_without_amounts_post_when_the_sum_says_so() {
    let mut world = World::acme();
    for (number, amount) in [("INV-1001", 10_017), ("INV-1002", 20_023), ("INV-1003", 30_031)] {
        with_terms(&mut world, number, amount, -5);
    }
    let named = |amount| {
        pay(amount).with(|line| line.reference = "INV-1001".to_owned()).with(|line| line.reference = "INV-1003".to_owned())
    };
    world.decide(&named(40_048)).posted(&[("INV-1001", 10_017), ("INV-1003", 30_031)]);
    // 2 % of 100.17 and of 300.31: 2.00 and 6.01.
    let net = world.decide(&named(40_048 - 801)).posted(&[("INV-1001", 9_817), ("INV-1003", 29_430)]);
    assert_eq!(net.adjustments(), ["Discount 200 terms", "Discount 601 terms"]);
    world.decide(&named(35_000)).held(Reason::ShortPaid);
    world.decide(&named(99_999)).held(Reason::Overpaid);
}

#[test]
fn references_in_text_post_when_they_take_all_the_cash() {
    let mut world = World::acme();
    world.item("INV-1001", 10_017);
    world.item("INV-1002", 20_023);
    world.decide(&pay(30_040).text("PAYMENT INV-1001, INV-1002 THANK YOU")).posted(&[("INV-1001", 10_017), ("INV-1002", 20_023)]);
    world.decide(&pay(10_017).text("INV#INV-1001 DATED 20260201")).posted(&[("INV-1001", 10_017)]);
    assert!(!world.decide(&pay(50_000).text("INV-1001 INV-1002")).posts(), "something is missing from the text");
}

#[test]
fn a_line_that_moves_nothing_is_left_out() {
    let mut world = World::acme();
    world.item("INV-1001", 10_000);
    world
        .decide(&pay(10_000).line("INV-1001", 10_000).with(|line| {
            line.reference = "998877".to_owned();
            line.gross_minor = Some(5_000);
            line.net_minor = Some(0);
        }))
        .posted(&[("INV-1001", 10_000)]);
}

#[test]
fn one_item_named_twice_is_paid_once_with_both_amounts() {
    let mut world = World::acme();
    world.item("INV-1001", 10_000);
    world.decide(&pay(10_000).line("INV-1001", 6_000).line("INV-1001", 4_000)).posted(&[("INV-1001", 10_000)]);
    let outcome = world.decide(&pay(20_000).line("INV-1001", 10_000).line("INV-1001", 10_000));
    assert_eq!(outcome.lines(), [("INV-1001", 10_000)], "what the item cannot take stays unapplied");
}

#[test]
fn an_amount_alone_posts_only_when_one_item_has_it_and_chance_is_low() {
    let mut world = World::acme();
    world.item("INV-1001", 123_457);
    world.item("INV-1002", 98_711);
    world.decide(&pay(123_457)).posted(&[("INV-1001", 123_457)]);
    world.item("INV-1003", 123_457);
    world.decide(&pay(123_457)).held(Reason::Ambiguous);
}

#[test]
fn a_statement_that_is_paid_in_full_clears_the_account() {
    let mut world = World::acme();
    world.item("INV-1001", 123_457);
    world.item("INV-1002", 98_711).due_date = today();
    world.item("CM-1", -3_000);
    let all = 123_457 + 98_711 - 3_000;
    world.decide(&pay(all)).posted(&[("CM-1", -3_000), ("INV-1001", 123_457), ("INV-1002", 98_711)]);
}

#[test]
fn lists_of_endings_and_ranges_in_text_are_read() {
    let mut world = World::acme();
    for number in 10_043..10_050 {
        world.item(&format!("INV-{number:06}"), i64::from(number) * 7 + 13);
    }
    let amount = |number: i64| number * 7 + 13;
    let lines = |numbers: &[i64]| numbers.iter().map(|number| (format!("INV-{number:06}"), amount(*number))).collect::<Vec<_>>();
    for (text, numbers) in [
        ("INV 010044/45/46", vec![10_044, 10_045, 10_046]),
        ("INV-010044, 046, 048", vec![10_044, 10_046, 10_048]),
        ("INV-010044-046", vec![10_044, 10_045, 10_046]),
        ("INV-010044 THRU INV-010047", vec![10_044, 10_045, 10_046, 10_047]),
        ("RECHNUNGEN 10044 BIS 10046", vec![10_044, 10_045, 10_046]),
        ("INV-010044-046", vec![10_044, 10_046]),
        ("PMT INV-01 0044 & inv/010 045", vec![10_044, 10_045]),
    ] {
        let total = numbers.iter().map(|number| amount(*number)).sum();
        let outcome = world.decide(&pay(total).text(text));
        let expected = lines(&numbers);
        let expected: Vec<(&str, i64)> = expected.iter().map(|(number, amount)| (number.as_str(), *amount)).collect();
        assert_eq!(outcome.lines(), expected, "{text}\n{}", outcome.text());
        assert!(outcome.posts(), "{text}\n{}", outcome.text());
    }
}

#[test]
fn a_slip_posts_only_where_amount_and_payer_make_up_for_it() {
    let mut world = World::acme();
    world.item("INV-010443", 123_457);
    world.item("INV-010773", 98_765);
    for slip in ["INV-010433", "INV-01044", "INV-0104433", "1NV-O1O443", "INV-014043"] {
        world.decide(&pay(123_457).line(slip, 123_457)).posted(&[("INV-010443", 123_457)]);
        assert!(!world.decide(&pay(122_000).line(slip, 122_000)).posts() || slip == "1NV-O1O443", "{slip} with another amount");
        // An amount that no other item has, to the cent, says whose number it is.
        assert!(world.decide(&pay(123_457).by_unknown().line(slip, 123_457)).posts(), "{slip} from nobody");
    }
    // A round amount, or one that more items have, does not.
    let mut round = World::acme();
    round.item("INV-010443", 123_000);
    let unknown = |minor| pay(minor).by_unknown().line("INV-010433", minor);
    assert!(!round.decide(&unknown(123_000)).posts(), "a round amount");
    world.item("INV-018899", 123_457);
    world.decide(&pay(123_457).line("INV-010433", 123_457)).posted(&[("INV-010443", 123_457)]);
    world.item("INV-010499", 123_457);
    assert!(!world.decide(&pay(123_457).line("INV-010433", 123_457)).posts(), "another item of the amount is two slips away");
}

#[test]
fn a_line_that_names_nothing_is_paid_by_its_amount_beside_one_that_is_named() {
    let mut world = World::acme();
    world.item("INV-010443", 123_457);
    world.item("INV-010773", 98_765);
    let paying = pay(222_222).line("INV-010443", 123_457).line("5550001", 98_765);
    world.decide(&paying).posted(&[("INV-010443", 123_457), ("INV-010773", 98_765)]);
    world.decide(&pay(98_765).line("5550001", 98_765)).posted(&[("INV-010773", 98_765)]);
    let outcome = world.decide(&pay(98_765).line("INV-010774", 98_765));
    assert_eq!(outcome.lines(), [("INV-010773", 98_765)], "one slip away");
    let outcome = world.decide(&pay(98_765).line("INV-024680", 98_765)).held(Reason::ReferenceNotFound);
    assert_eq!(outcome.lines(), [("INV-010773", 98_765)], "a number of ours that is not known is no other item");
    world.item("INV-010999", 98_765);
    assert!(!world.decide(&paying).posts(), "two items have the amount");
}

#[test]
fn cash_beyond_the_items_named_goes_to_the_one_set_of_items_that_explains_it() {
    let mut world = World::acme();
    for (number, amount, due) in
        [("INV-010443", 123_457, -9), ("INV-010773", 98_765, -9), ("INV-011201", 45_113, -3), ("INV-011377", 77_771, 20)]
    {
        world.item(number, amount).due_date = day(due);
    }
    let forgotten = pay(123_457 + 98_765).line("INV-010443", 123_457);
    world.decide(&forgotten).posted(&[("INV-010443", 123_457), ("INV-010773", 98_765)]);
    // The bank cut the text; the rest is all that is due.
    let cut = pay(123_457 + 98_765 + 45_113).text("INV-010443, INV-0");
    world.decide(&cut).posted(&[("INV-010443", 123_457), ("INV-010773", 98_765), ("INV-011201", 45_113)]);
    world.item("INV-011500", 98_765).due_date = day(30);
    world.decide(&forgotten).held(Reason::Ambiguous).says("several sets of open items");
}

#[test]
fn credits_alone_pay_nothing() {
    let mut world = World::acme();
    world.item("INV-010443", 123_457);
    world.item("CM-77", -20_000);
    world.decide(&pay(50_000).line("CM-77", -20_000)).held(Reason::CreditMemoOpen);
}

#[test]
fn a_statement_between_two_days_passes_over_what_is_in_dispute() {
    let mut world = World::acme();
    world.item("INV-1", 90_071).open_minor = 12_003;
    world.items[0].due_date = day(-40);
    for (number, amount, due) in
        [("INV-2", 123_457, -9), ("INV-3", 98_765, -8), ("INV-4", 45_113, -7), ("INV-5", 61_223, -6), ("INV-6", 51_907, -3)]
    {
        world.item(number, amount).due_date = day(due);
    }
    world.item("INV-7", 77_771).due_date = day(20);
    let lines = [("INV-2", 123_457), ("INV-3", 98_765), ("INV-4", 45_113), ("INV-5", 61_223), ("INV-6", 51_907)];
    world.decide(&pay(lines.iter().map(|(_, amount)| amount).sum())).posted(&lines);
}

#[test]
fn a_statement_ends_where_the_cash_does() {
    let mut world = World::acme();
    for (number, amount) in
        [("INV-1", 30_011), ("INV-2", 40_022), ("INV-3", 50_033), ("INV-4", 61_044), ("INV-5", 72_055), ("INV-6", 83_066)]
    {
        world.item(number, amount).due_date = day(-10);
    }
    let first_five = [("INV-1", 30_011), ("INV-2", 40_022), ("INV-3", 50_033), ("INV-4", 61_044), ("INV-5", 72_055)];
    world.decide(&pay(253_165)).posted(&first_five);
    world.item("INV-7", 30_011).due_date = day(-5);
    assert!(!world.decide(&pay(253_165)).posts(), "an equal item outside leaves open which one is paid");
}

#[test]
fn less_than_an_item_and_a_credit_leave_is_a_short_payment_of_the_item() {
    let mut world = World::acme();
    world.item("INV-010443", 123_457);
    world.item("CM-77001", -20_000);
    let text = pay(90_000).text("INV-010443 LESS CM-77001");
    world.decide(&text).posted_with(&[Reason::ShortPaid], &[("CM-77001", -20_000), ("INV-010443", 110_000)]);
    world.item("INV-010555", 60_000);
    assert!(!world.decide(&pay(90_000).text("INV-010443 INV-010555 LESS CM-77001")).posts(), "which of two is paid less?");
}

#[test]
fn deductions_and_discounts_beyond_their_share_are_left_to_a_person() {
    let mut world = World::acme();
    world.item("INV-010443", 500_000).terms.discount_percent = Some(2.into());
    let deducting = |net: i64| {
        pay(net).with(|line| {
            line.reference = "INV-010443".to_owned();
            line.net_minor = Some(net);
            line.adjustments.push(coded(net - 500_000, "01"));
        })
    };
    assert!(world.decide(&deducting(250_000)).posts());
    world.decide(&deducting(1)).held(Reason::DeductionToValidate).says("more than 50 %");
    let discounted = pay(250_000).with(|line| {
        line.reference = "INV-010443".to_owned();
        line.net_minor = Some(250_000);
        line.discount_minor = Some(250_000);
    });
    world.decide(&discounted).held(Reason::UnearnedDiscount).says("more than 5 %");
}
