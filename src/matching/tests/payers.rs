//! Who paid, and for whom that is allowed.

use super::world::{Paying, World, pay};
use crate::domain::{AccountKey, Payer, Payment, PaymentId, Reason};

fn acme() -> World {
    let mut world = World::acme();
    world.item("INV-1001", 100_000);
    world
}

#[test]
fn an_unknown_payer_whose_references_and_amounts_are_exact_posts() {
    acme().decide(&pay(100_000).by_unknown().line("INV-1001", 100_000)).posted(&[("INV-1001", 100_000)]);
    acme().decide(&pay(100_000).by_name("APEX BILL PAY").line("INV-1001", 100_000)).posted(&[("INV-1001", 100_000)]);
}

#[test]
fn an_unknown_payer_with_a_weaker_reference_is_held() {
    acme().decide(&pay(100_000).by_unknown().line("1001", 100_000)).held(Reason::UnidentifiedPayer);
    acme().decide(&pay(80_000).by_unknown().line("INV-1001", 80_000)).held(Reason::UnidentifiedPayer);
}

#[test]
fn a_payer_known_as_someone_else_is_held() {
    let mut world = acme();
    world.customer("C2", "Bright Foods LLC");
    world.decide(&pay(100_000).by_name("BRIGHT FOODS").line("INV-1001", 100_000)).held(Reason::ThirdPartyPayer);
}

#[test]
fn a_parent_pays_for_its_child() {
    let mut world = World::default();
    world.customer("P", "Northern Holdings Group Inc.").accounts.push(AccountKey("acme".to_owned()));
    let parent = world.customers[0].id;
    world.customer("C", "Northern Valley Foods LLC").parent = Some(parent);
    world.item("INV-1001", 100_000);
    world.decide(&pay(100_000).line("INV-1001", 100_000)).posted(&[("INV-1001", 100_000)]);
}

#[test]
fn names_are_known_as_banks_cut_them() {
    let mut world = World::default();
    world.customer("C1", "Chesapeake Building Materials, LLC");
    world.item("INV-1001", 100_000);
    world.customer("C2", "Bright Foods LLC");
    for name in ["CHESAPEAKE BUILD", "CHESAPEAKE BUILDING MA", "CHESAPEAKE BUILDING MATERIALS LLC", "ORIG:CHESAPEAKE BUILD"] {
        // The core of a number posts only with a payer known by more than the number.
        world.decide(&pay(100_000).by_name(name).line("1001", 100_000)).posted(&[("INV-1001", 100_000)]);
    }
}

#[test]
fn a_beginning_that_several_names_share_needs_a_reference_to_tell_them_apart() {
    let mut world = World::default();
    world.customer("C1", "Chesapeake Building Materials, LLC");
    world.item("INV-1001", 100_000);
    world.customer("C2", "Chesapeake Building Services, Inc.");
    world.decide(&pay(100_000).by_name("CHESAPEAKE BUILD").line("1001", 100_000)).posted(&[("INV-1001", 100_000)]);
    world.decide(&pay(100_000).by_name("CHESAPEAKE BUILD")).held(Reason::UnidentifiedPayer);
    world.decide(&pay(90_000).by_name("BUILDING CHESAPEAKE").line("1001", 90_000)).held(Reason::UnidentifiedPayer);
}

#[test]
fn empty_names_identify_nobody() {
    let mut world = World::default();
    world.customer("C1", "");
    world.item("INV-1001", 100_000);
    world.decide(&pay(100_000).by_name("")).held(Reason::UnidentifiedPayer);
    world.decide(&pay(100_000).by_name("...")).held(Reason::UnidentifiedPayer);
}

#[test]
fn a_long_name_with_a_slip_is_the_name_where_no_other_comes_near() {
    let mut world = World::default();
    world.customer("C1", "Chesapeake Building Materials, LLC");
    world.item("INV-1001", 100_000);
    for name in ["CHESAPEKAE BUILDING MATERIALS LLC", "ORIG:CHESAPEAKE BUILDING MATERIELS"] {
        world.decide(&pay(100_000).by_name(name).line("1001", 100_000)).posted(&[("INV-1001", 100_000)]);
    }
    world.customer("C2", "Chesapeake Building Materiels, LLC");
    world.decide(&pay(100_000).by_name("CHESAPEKAE BUILDING MATERIALS").line("1001", 100_000)).held(Reason::UnidentifiedPayer);
}

/// Whoever may drop an advice must not name itself the payer of other people's money.
#[test]
fn the_cash_says_who_paid_and_not_the_advice() {
    let mut world = acme();
    world.customer("C2", "Bright Foods LLC").accounts.push(AccountKey("bright".to_owned()));
    world.item("INV-3003", 55_551);
    let mut paying = pay(55_551).line("INV-3003", 55_551);
    let claimed =
        Payer { name: Some("Bright Foods LLC".to_owned()), account: Some(AccountKey("bright".to_owned())), ..Payer::default() };
    paying.remittance.iter_mut().for_each(|remittance| remittance.payer = claimed.clone());
    world.decide(&paying).held(Reason::ThirdPartyPayer);
    paying.payment.payer = Payer::default();
    world.decide(&paying).posted(&[("INV-3003", 55_551)]);
}

#[test]
fn a_customer_code_in_the_text_says_who_paid() {
    let mut world = World::default();
    world.customer("KD-70017", "Acme Industrial Supply Inc.");
    world.item("INV-1001", 123_457);
    world.item("INV-1002", 77_773);
    world.decide(&pay(123_457).by_unknown().text("ACCT KD70017")).posted(&[("INV-1001", 123_457)]);
    world.decide(&pay(123_457).by_unknown().text("ACCT KD70018")).held(Reason::UnidentifiedPayer);
}

#[test]
fn lines_that_need_no_help_vouch_for_the_payer_of_those_that_do() {
    let mut world = acme();
    world.item("INV-2002", 70_007);
    let beside = pay(170_007).by_unknown().line("INV-1001", 100_000).line("2002", 70_007);
    world.decide(&beside).posted(&[("INV-1001", 100_000), ("INV-2002", 70_007)]);
    world.decide(&pay(70_007).by_unknown().line("2002", 70_007)).held(Reason::UnidentifiedPayer);
}

/// What the ledger has shown supports a customer; it makes strangers of nobody, and a payment taken back teaches nothing.
#[test]
fn whoever_paid_three_times_from_an_account_is_known_by_it() {
    let mut world = World::default();
    world.customer("C1", "Acme Industrial Supply Inc.");
    world.item("INV-1001", 123_457);
    let paid = [world.item("INV-1", 1).id, world.item("INV-2", 2).id, world.item("INV-3", 3).id];
    world.customer("C2", "Bright Foods LLC");
    world.item("INV-3003", 55_551);
    let of_another = world.item("INV-4", 4).id;
    let from_account = |mut paying: Paying| {
        paying.payment.payer = Payer { account: Some(AccountKey("habit".to_owned())), ..Payer::default() };
        paying.remittance.iter_mut().for_each(|remittance| remittance.payer = Payer::default());
        paying
    };
    let earlier = |number: i64| Payment { id: PaymentId(number), ..from_account(pay(1)).payment };
    let habit = |times: usize| {
        let mut snapshot = world.snapshot();
        for (item, number) in paid.iter().zip(100..).take(times) {
            snapshot.learn(&earlier(number), None, &[*item]);
        }
        snapshot
    };
    let unnamed = from_account(pay(123_457));
    world.decide_on(&habit(0), &unnamed).held(Reason::UnidentifiedPayer);
    world.decide_on(&habit(2), &unnamed).held(Reason::UnidentifiedPayer);
    world.decide_on(&habit(3), &unnamed).posted(&[("INV-1001", 123_457)]);
    let for_another = from_account(pay(55_551).line("INV-3003", 55_551));
    world.decide_on(&habit(3), &for_another).posted(&[("INV-3003", 55_551)]);
    let mut processor = habit(3);
    processor.learn(&earlier(200), None, &[of_another]);
    world.decide_on(&processor, &unnamed).held(Reason::UnidentifiedPayer);
    let mut taken_back = habit(3);
    taken_back.learn(&earlier(100), None, &[]);
    world.decide_on(&taken_back, &unnamed).held(Reason::UnidentifiedPayer);
}
