//! Who paid, and for whom that is allowed.

use super::world::{Paying, World, pay};
use crate::domain::{AccountKey, ApplicationId, Lesson, Payer, Payment, PaymentId, Reason, Revocation, SignKind};
use crate::matching::FactState;

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
    // Where two come near, the reference tells which of them it is, and an amount that many items may have does not.
    world.customer("C2", "Chesapeake Building Materiels, LLC");
    let paying = pay(100_000).by_name("CHESAPEKAE BUILDING MATERIALS");
    world.decide(&paying).held(Reason::UnidentifiedPayer);
    world.decide(&paying.line("1001", 100_000)).posted(&[("INV-1001", 100_000)]);
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
            snapshot.learn(&earlier(number), None, &[Lesson::of_engine(*item)]);
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
    processor.learn(&earlier(200), None, &[Lesson::of_engine(of_another)]);
    world.decide_on(&processor, &unnamed).held(Reason::UnidentifiedPayer);
    let mut taken_back = habit(3);
    taken_back.learn(&earlier(100), None, &[]);
    world.decide_on(&taken_back, &unnamed).held(Reason::UnidentifiedPayer);
}

/// A revoke tells the same whether it comes before or after what it revokes, takes nothing from the proof that a sign is mixed, and only people
/// teach a fact again.
#[test]
fn a_revoke_counts_in_whatever_order_it_is_read() {
    let mut world = World::default();
    let customer = world.customer("C1", "Acme Industrial Supply Inc.").id;
    world.item("INV-1001", 123_457);
    let paid: Vec<_> = (1..=6).map(|number| world.item(&format!("INV-{number}"), number).id).collect();
    world.customer("C2", "Bright Foods LLC");
    let of_another = world.item("INV-9", 9).id;
    let account = Payer { account: Some(AccountKey("habit".to_owned())), ..Payer::default() };
    let payment = |number: i64| Payment { id: PaymentId(number), payer: account.clone(), ..pay(1).payment };
    let mut unnamed = pay(123_457);
    unnamed.payment.payer = account.clone();
    let revocation = |for_good, until| {
        let (kind, sign) = (SignKind::Account, "habit".to_owned());
        [Revocation { kind, sign, customer, for_good, until: ApplicationId(until) }]
    };
    let both_ways = |lessons: &[(i64, Lesson)], revocations: &[Revocation]| {
        let (mut before, mut after) = (world.snapshot(), world.snapshot());
        before.revoke(revocations);
        for (number, lesson) in lessons {
            before.learn(&payment(*number), None, &[*lesson]);
            after.learn(&payment(*number), None, &[*lesson]);
        }
        after.revoke(revocations);
        assert_eq!(before.learned_facts(), after.learned_facts());
        assert_eq!(world.decide_on(&before, &unnamed).decision, world.decide_on(&after, &unnamed).decision);
        before
    };
    let by_engine: Vec<_> = paid.iter().zip(100..).map(|(item, number)| (number, Lesson::of_engine(*item))).collect();
    let by_person = |from: i64| -> Vec<_> {
        let lesson = |place: i64| Lesson {
            item: paid[usize::try_from(place).expect("small")],
            by_person: Some(ApplicationId(from + place)),
        };
        (0..3).map(|place| (200 + place, lesson(place))).collect()
    };
    let state = |snapshot: &crate::matching::Snapshot| snapshot.learned_facts().iter().map(|fact| fact.state).collect::<Vec<_>>();

    let known = both_ways(&by_engine, &[]);
    assert_eq!(state(&known), [FactState::InUse]);
    world.decide_on(&known, &unnamed).posted(&[("INV-1001", 123_457)]);
    let off = both_ways(&by_engine, &revocation(false, 50));
    assert_eq!(state(&off), [FactState::Revoked]);
    world.decide_on(&off, &unnamed).held(Reason::UnidentifiedPayer);
    // Three by people: before the revoke, with one of them before, and after it.
    for (from, expected) in [(10, FactState::Revoked), (50, FactState::Revoked), (51, FactState::InUse)] {
        let told = both_ways(&[by_engine.clone(), by_person(from)].concat(), &revocation(false, 50));
        assert_eq!(state(&told), [expected], "from application {from}");
    }
    let good = both_ways(&by_person(51), &revocation(true, 50));
    assert_eq!(state(&good), [FactState::RevokedForGood]);
    world.decide_on(&good, &unnamed).held(Reason::UnidentifiedPayer);
    // A revoke of the one does not make the account the other's.
    let stray: Vec<_> = (300..303).map(|number| (number, Lesson::of_engine(of_another))).collect();
    let mixed = both_ways(&[by_engine.clone(), stray].concat(), &revocation(false, 50));
    assert_eq!(state(&mixed), [FactState::Revoked, FactState::Mixed]);
    // Taken back, a payment teaches nothing again either.
    let mut again = both_ways(&by_person(51), &revocation(false, 50));
    again.learn(&payment(200), None, &[]);
    assert_eq!(state(&again), [FactState::Revoked]);
    assert_eq!(again.learned_facts()[0].payments, [PaymentId(201), PaymentId(202)]);
}
