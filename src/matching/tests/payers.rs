//! Who paid, and for whom that is allowed.

use super::world::{World, pay};
use crate::domain::{AccountKey, Reason};

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
