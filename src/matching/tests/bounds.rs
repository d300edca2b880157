//! Absurd ledgers and advices end as an exception that says which bound was met. Work without a bound would not end here at all; how
//! long the bounded work takes is measured elsewhere.

use super::world::{World, pay};
use crate::domain::{Reason, RemittanceLine};

#[test]
fn ten_thousand_lines_on_one_advice() {
    let mut world = World::acme();
    let mut paying = pay(10_000 * 100);
    for index in 0..10_000 {
        paying = if index == 0 { paying.line("INV-0", 100) } else { paying };
        if let Some(remittance) = &mut paying.remittance {
            let line = RemittanceLine { reference: format!("INV-{index}"), net_minor: Some(100), ..RemittanceLine::default() };
            remittance.lines.push(line);
        }
    }
    world.item("INV-1", 100);
    world.decide(&paying).held(Reason::Ambiguous).says("a bound of the search was met: the advice has 10001 lines");
}

#[test]
fn four_thousand_lines_are_still_matched() {
    let mut world = World::acme();
    let mut paying = pay(4_000 * 1_000);
    for index in 0..4_000 {
        world.item(&format!("INV-{:06}", 100_000 + index), 1_000);
        paying = paying.line(&format!("{}", 100_000 + index), 1_000);
    }
    let outcome = world.decide(&paying);
    assert!(outcome.posts(), "{:?}", outcome.decision.evidence.why_not);
    assert_eq!(outcome.lines().len(), 4_000);
}

#[test]
fn a_hundred_thousand_equal_items_of_one_customer() {
    let mut world = World::acme();
    for index in 0..100_000 {
        world.item(&format!("INV-{index:06}"), 10_000).po = Some("PO-1001".to_owned());
    }
    let snapshot = world.snapshot();
    let rules = super::rules();
    let decide = |paying: &super::world::Paying| {
        let case = crate::matching::Case {
            payment: &paying.payment,
            remittance: paying.remittance.as_ref(),
            today: super::world::today(),
            permits: &crate::domain::Permits::default(),
        };
        crate::matching::decide(&case, &snapshot, rules)
    };
    for paying in [pay(10_000), pay(10_000).line("PO-1001", 10_000), pay(50_000).text("PO-1001")] {
        let decision = decide(&paying);
        let why = decision.evidence.why_not.unwrap_or_default();
        assert!(matches!(decision.outcome, crate::domain::Outcome::Hold { .. }), "{why}");
        assert!(why.contains("a bound of the search was met"), "{why}");
    }
    let exact = decide(&pay(10_000).line("INV-000777", 10_000));
    assert_eq!(exact.outcome, crate::domain::Outcome::Post, "one exact number among many equal amounts is no riddle");
}

#[test]
fn a_reference_of_a_megabyte() {
    let mut world = World::acme();
    world.item("INV-1001", 10_000);
    let long = "INV-1001 ".repeat(120_000);
    let outcome = world.decide(&pay(10_000).line(&long, 10_000)).held(Reason::Ambiguous).says("a bound of the search was met");
    assert!(outcome.text().len() < 4_000, "the evidence does not repeat a megabyte");
    let text = world.decide(&pay(10_000).text(&long));
    assert!(text.text().len() < 4_000);
}

#[test]
fn a_text_of_numbers_among_thousands_of_items() {
    let mut world = World::acme();
    for index in 0..4_000 {
        world.item(&format!("INV-{}", 100_000 + index), 1_000 + index);
    }
    let words: Vec<String> = (0..300).map(|index| (70_000_000 + index * 7_919).to_string()).collect();
    let outcome = world.decide(&pay(123).text(&words.join(" "))).held(Reason::Ambiguous);
    let why = outcome.decision.evidence.why_not.as_deref().unwrap_or_default();
    assert!(why.contains("a bound of the search was met: more than 200000 items"), "{why}");
}

#[test]
fn many_lines_with_several_candidates_each() {
    let mut world = World::acme();
    let mut paying = pay(600 * 1_000);
    for index in 0..600 {
        world.item(&format!("A{index:05}7"), 1_000);
        world.item(&format!("B{index:05}7"), 1_000);
        paying = paying.line(&format!("{index:05}7"), 1_000);
    }
    let outcome = world.decide(&paying).held(Reason::Ambiguous);
    assert!(outcome.decision.evidence.why_not.as_deref().unwrap_or_default().contains("a bound of the search was met"));
}
