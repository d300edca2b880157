//! Applying in bulk: what passes is posted to the cent, what does not changes nothing.

use super::{Rules, broken, engine, items, line, open, person, proposal, received, unapplied, with};
use crate::{
    domain::{Currency, CustomerId, LineAdjustmentKind, OpenItemId, PaymentId, Proposal},
    ledger::{AboveAuthority, PostOutcome, Posting, apply},
    rules::Power,
    store::{
        Db, NewOpenItem,
        testing::{Fresh, World, on_both},
    },
};

fn posting(payment: PaymentId, proposal: &Proposal) -> Posting<'_> {
    Posting { payment, version: 1, proposal, decision: None, refund_minor: 0, note: None, owners: &[] }
}

async fn post(db: &Db, world: &World, postings: &[Posting<'_>]) -> Vec<PostOutcome> {
    let mut tx = db.begin().await.expect("begin");
    let outcomes = apply(&mut tx, &engine(world), postings).await.expect("applied");
    tx.commit().await.expect("commit");
    outcomes
}

async fn setting(fresh: &Fresh, amounts: &[i64], open: &[(&str, i64)]) -> (World, Vec<PaymentId>, Vec<OpenItemId>) {
    let world = World::new(fresh).await;
    let (_, payments) = received(fresh, &world, "aa", amounts).await;
    let ids = items(fresh, &world, open).await;
    (world, payments.iter().map(|new| new.payment.id).collect(), ids)
}

on_both! {
    async fn cash_discount_deduction_and_write_off_close_items(fresh) {
        let (world, payments, ids) = setting(fresh, &[98_000, 50_000], &[("A", 100_000), ("B", 40_000), ("C", 20_000), ("CM", -9_800)]).await;
        let first = proposal(vec![with(line(ids[0], 98_000), LineAdjustmentKind::Discount, 200, "terms")], 0);
        let lines = vec![
            with(with(line(ids[1], 39_500), LineAdjustmentKind::Deduction, 300, "06"), LineAdjustmentKind::Deduction, 200, "59"),
            with(line(ids[2], 19_950), LineAdjustmentKind::WriteOff, 50, "tolerance"),
            line(ids[3], -9_800),
        ];
        let second = Proposal { on_account_minor: 350, customer: Some(world.customer), ..proposal(lines, 0) };
        let outcomes = post(&fresh.db, &world, &[posting(payments[0], &first), posting(payments[1], &second)]).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, PostOutcome::Posted { unapplied_minor: 0, .. })), "{outcomes:?}");
        assert_eq!(open(&fresh.db, &ids).await, [1_800, 0, 0, 0]);
        assert_eq!(unapplied(&fresh.db, payments[1]).await, (0, "posted"));
        let made = fresh.db.read().await.unwrap().standing_applications(payments[1]).await.unwrap();
        assert_eq!(made.iter().map(|application| application.cash_minor).collect::<Vec<_>>(), [39_500, 19_950, -9_800, 350]);
        assert_eq!((made[0].deduction_minor, made[0].reason.as_str()), (500, "06+59"));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn a_circuit_breaker_adds_up_what_the_engine_gives_away_in_a_day_and_a_month(fresh) {
        let amounts = [100; 7];
        let open_items = [("A", 500), ("B", 500), ("C", 500), ("D", 500), ("E", 500), ("F", 400), ("G", 500)];
        let (world, payments, ids) = setting(fresh, &amounts, &open_items).await;
        let proposals: Vec<_> = ids
            .iter()
            .zip(&open_items)
            .map(|(item, (_, amount))| proposal(vec![with(line(*item, 100), LineAdjustmentKind::Deduction, amount - 100, "59")], 0))
            .collect();
        let on = |place: usize| posting(payments[place], &proposals[place]);
        let at = |days: u64| World { day: world.day + chrono::Days::new(days), ..world };
        let stopped = |outcome: &PostOutcome| match outcome {
            PostOutcome::Refused(why) => why.split(' ').next().unwrap_or_default().to_owned(),
            PostOutcome::Posted { .. } => "posted".to_owned(),
            other => panic!("{other:?}"),
        };
        let first = post(&fresh.db, &world, &[on(0), on(1), on(2)]).await;
        assert_eq!(first.iter().map(stopped).collect::<Vec<_>>(), ["posted", "posted", "breaker.deduct-day"], "900 a day");
        let second = post(&fresh.db, &at(1), &[on(2)]).await;
        assert_eq!(second.iter().map(stopped).collect::<Vec<_>>(), ["posted"], "another day");
        let third = post(&fresh.db, &at(2), &[on(3), on(5)]).await;
        assert_eq!(third.iter().map(stopped).collect::<Vec<_>>(), ["breaker.deduct-month", "posted"], "1,500 a month");
        let next_month = post(&fresh.db, &at(31), &[on(4)]).await;
        assert_eq!(next_month.iter().map(stopped).collect::<Vec<_>>(), ["posted"]);
        // People are asked for each amount, and not for their sum.
        let mut tx = fresh.db.begin().await.expect("begin");
        let outcomes = apply(&mut tx, &person(&world, "ann", "analyst"), &[on(3), on(6)]).await.expect("applied");
        assert!(outcomes.iter().all(|outcome| matches!(outcome, PostOutcome::Posted { .. })), "{outcomes:?}");
        tx.commit().await.expect("commit");
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn a_stale_posting_changes_nothing_and_its_neighbours_go_on(fresh) {
        let (world, payments, ids) = setting(fresh, &[100, 100, 100, 100], &[("A", 100), ("B", 100)]).await;
        let (to_a, to_b) = (proposal(vec![line(ids[0], 100)], 0), proposal(vec![line(ids[1], 100)], 0));
        let old = Posting { version: 7, ..posting(payments[3], &to_b) };
        let batch = [posting(payments[0], &to_a), posting(payments[1], &to_a), posting(payments[2], &to_b), old, posting(payments[2], &to_b)];
        let outcomes = post(&fresh.db, &world, &batch).await;
        let posted: Vec<_> = outcomes.iter().map(|outcome| matches!(outcome, PostOutcome::Posted { .. })).collect();
        assert_eq!(posted, [true, false, true, false, false]);
        assert!(outcomes[1..].iter().all(|outcome| matches!(outcome, PostOutcome::Posted { .. } | PostOutcome::Stale(_))), "{outcomes:?}");
        assert_eq!(open(&fresh.db, &ids).await, [0, 0]);
        assert_eq!(unapplied(&fresh.db, payments[1]).await, (100, "received"));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn a_proposal_that_contradicts_itself_is_refused(fresh) {
        let (world, payments, ids) = setting(fresh, &[100], &[("A", 100), ("CM", -50)]).await;
        let missing = proposal(vec![line(ids[0], 90)], 0);
        let excess = proposal(vec![line(ids[0], 100)], 1);
        let nothing = proposal(Vec::new(), 100);
        let negative = Proposal { on_account_minor: -10, ..proposal(vec![line(ids[0], 100)], 10) };
        let stranger = proposal(vec![line(OpenItemId(99), 100)], 0);
        let from_credit = Proposal { on_account_minor: 150, ..proposal(vec![line(ids[1], -50)], 0) };
        let uneven = proposal(vec![crate::domain::ProposalLine { applied_minor: 50, ..line(ids[0], 100) }], 0);
        for refused in [missing, excess, nothing, negative, stranger, from_credit, uneven] {
            let outcomes = post(&fresh.db, &world, &[posting(payments[0], &refused)]).await;
            assert!(matches!(outcomes[0], PostOutcome::Refused(_)), "{refused:?}: {outcomes:?}");
        }
        let reopening = proposal(vec![line(ids[0], 150), line(ids[0], -50)], 0);
        let wrong_side = proposal(vec![line(ids[1], 100)], 0);
        for stale in [reopening, wrong_side] {
            let outcomes = post(&fresh.db, &world, &[posting(payments[0], &stale)]).await;
            assert!(matches!(outcomes[0], PostOutcome::Stale(_)), "{stale:?}: {outcomes:?}");
        }
        assert_eq!(open(&fresh.db, &ids).await, [100, -50]);
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    /// The limit counts what was granted on the item before: it is not exceeded in several steps either.
    async fn nobody_exceeds_a_limit_at_once_or_in_steps(fresh) {
        let (world, payments, ids) = setting(fresh, &[100, 100, 100], &[("A", 1_000)]).await;
        let granting = |amount| proposal(vec![with(line(ids[0], 100), LineAdjustmentKind::WriteOff, amount, "tolerance")], 0);
        let (at_once, step) = (granting(101), granting(60));
        let outcomes = post(&fresh.db, &world, &[posting(payments[0], &at_once)]).await;
        let above = PostOutcome::AboveAuthority(AboveAuthority::Amount { power: Power::WriteOff, amount_minor: 101, limit_minor: 100, currency: Currency::USD });
        assert_eq!(outcomes, [above]);
        let outcomes = post(&fresh.db, &world, &[posting(payments[0], &step), posting(payments[1], &step)]).await;
        assert!(matches!(outcomes[..], [PostOutcome::Posted { .. }, PostOutcome::AboveAuthority(AboveAuthority::Amount { amount_minor: 120, .. })]), "{outcomes:?}");
        let outcomes = post(&fresh.db, &world, &[posting(payments[2], &step)]).await;
        assert!(matches!(outcomes[..], [PostOutcome::AboveAuthority(AboveAuthority::Amount { amount_minor: 120, .. })]), "{outcomes:?}");
        let mut tx = fresh.db.begin().await.unwrap();
        let outcomes = apply(&mut tx, &person(&world, "ann", "analyst"), &[posting(payments[2], &step)]).await.unwrap();
        assert!(matches!(outcomes[..], [PostOutcome::Posted { .. }]), "an analyst may grant more: {outcomes:?}");
    }
}

on_both! {
    /// A customer may have a cap of its own: the lower of it and the limit of whoever acts counts, also in steps.
    async fn the_cap_of_a_customer_counts_for_everybody(fresh) {
        let (world, payments, _) = setting(fresh, &[100, 100], &[]).await;
        let item = capped_item(fresh, &world).await;
        let granting = |amount| proposal(vec![with(line(item, 100), LineAdjustmentKind::WriteOff, amount, "tolerance")], 0);
        for mandate in [engine(&world), person(&world, "sue", "supervisor")] {
            let mut tx = fresh.db.begin().await.unwrap();
            let (beyond, within) = (granting(71), granting(40));
            let outcomes = apply(&mut tx, &mandate, &[posting(payments[0], &beyond)]).await.unwrap();
            assert!(matches!(outcomes[..], [PostOutcome::AboveAuthority(AboveAuthority::Amount { amount_minor: 71, limit_minor: 70, .. })]), "{outcomes:?}");
            let outcomes = apply(&mut tx, &mandate, &[posting(payments[0], &within), posting(payments[1], &within)]).await.unwrap();
            assert!(matches!(outcomes[..], [PostOutcome::Posted { .. }, PostOutcome::AboveAuthority(AboveAuthority::Amount { amount_minor: 80, limit_minor: 70, .. })]), "{outcomes:?}");
            tx.rollback().await.unwrap();
        }
    }
}

/// An invoice over 10.00 of a customer whose code the rules cap.
async fn capped_item(fresh: &Fresh, world: &World) -> OpenItemId {
    let mut tx = fresh.db.begin().await.unwrap();
    let new = crate::store::NewCustomer {
        code: "CAPPED".to_owned(),
        name: "Capped".to_owned(),
        aliases: Vec::new(),
        parent_code: None,
        country: "US".to_owned(),
        currency: Currency::USD,
        terms: "N30".to_owned(),
        seller_codes: vec!["S01".to_owned()],
        accounts: Vec::new(),
        originator_id: None,
        portfolio_owner: None,
    };
    let customer = tx.upsert_customers(&[new], "erp").await.unwrap()["CAPPED"];
    let item = NewOpenItem { customer, ..world.invoice("C", 1_000) };
    let stored = tx.upsert_open_items(&[item], "csv").await.unwrap();
    tx.commit().await.unwrap();
    stored[0].item.expect("an item")
}

on_both! {
    /// Between decision and lock an item may have become that of another customer: whether the payer pays for it is to be asked again.
    async fn an_item_that_went_to_another_customer_asks_for_another_decision(fresh) {
        let (world, payments, ids) = setting(fresh, &[100], &[("A", 100)]).await;
        let wanted = proposal(vec![line(ids[0], 100)], 0);
        let mut tx = fresh.db.begin().await.unwrap();
        for (owner, posts) in [(CustomerId(world.customer.0 + 1), false), (world.customer, true)] {
            let owners = [(ids[0], owner)];
            let outcomes = apply(&mut tx, &engine(&world), &[Posting { owners: &owners, ..posting(payments[0], &wanted) }]).await.unwrap();
            let found = match &outcomes[0] {
                PostOutcome::Posted { .. } => true,
                PostOutcome::Stale(why) => !why.contains("another customer now"),
                other => panic!("{other:?}"),
            };
            assert_eq!(found, posts, "{outcomes:?}");
        }
    }
}

on_both! {
    /// Between decision and lock an item may have become one in another currency, or be of another seller after all.
    async fn cash_pays_no_item_of_another_seller_or_of_another_currency_than_was_seen(fresh) {
        let (world, payments, _) = setting(fresh, &[100], &[]).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let sellers = std::collections::BTreeMap::from([("S02".to_owned(), "Gadget Works".to_owned())]);
        let seller = tx.upsert_sellers(&sellers).await.unwrap()["S02"];
        let rows = [NewOpenItem { seller, ..world.invoice("F", 100) }, NewOpenItem { currency: Currency::EUR, ..world.invoice("E", 100) }];
        let stored = tx.upsert_open_items(&rows, "csv").await.unwrap();
        let (foreign, euro) = (proposal(vec![line(stored[0].item.unwrap(), 100)], 0), proposal(vec![line(stored[1].item.unwrap(), 100)], 0));
        for mandate in [engine(&world), person(&world, "sue", "supervisor")] {
            let outcomes = apply(&mut tx, &mandate, &[posting(payments[0], &foreign)]).await.unwrap();
            assert!(matches!(&outcomes[..], [PostOutcome::Refused(why)] if why.contains("another seller")), "{outcomes:?}");
        }
        let outcomes = apply(&mut tx, &engine(&world), &[posting(payments[0], &euro)]).await.unwrap();
        assert!(matches!(&outcomes[..], [PostOutcome::Stale(why)] if why.contains("EUR now")), "{outcomes:?}");
    }
}

on_both! {
    async fn another_currency_goes_through_clearing(fresh) {
        let (world, payments, _) = setting(fresh, &[11_000], &[]).await;
        let euro = NewOpenItem { currency: Currency::EUR, ..world.invoice("E", 10_000) };
        let stored = fresh.db.transact(async |tx| tx.upsert_open_items(std::slice::from_ref(&euro), "csv").await).await.unwrap();
        let item = stored[0].item.expect("an item");
        let across = proposal(vec![crate::domain::ProposalLine { applied_minor: 10_000, ..line(item, 11_000) }], 0);
        let little = proposal(vec![crate::domain::ProposalLine { applied_minor: 10_000, ..line(item, 400) }], 10_600);
        let mut tx = fresh.db.begin().await.unwrap();
        let above = apply(&mut tx, &person(&world, "cleo", "clerk"), &[posting(payments[0], &little)]).await.unwrap();
        tx.rollback().await.unwrap();
        let limit = PostOutcome::AboveAuthority(AboveAuthority::Amount { power: Power::Apply, amount_minor: 10_000, limit_minor: 500, currency: Currency::EUR });
        assert_eq!(above, [limit], "4.00 USD in cash must not close 100.00 EUR");
        let outcomes = post(&fresh.db, &world, &[posting(payments[0], &across)]).await;
        assert!(matches!(outcomes[..], [PostOutcome::Posted { .. }]), "{outcomes:?}");
        assert_eq!(open(&fresh.db, &[item]).await, [0]);
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    /// A chunk of the size the pipeline uses, in few statements.
    async fn five_hundred_payments_post_in_one_go(fresh) {
        let open_items: Vec<_> = (0..1_000).map(|number| (format!("INV-{number}"), 60)).collect();
        let open_items: Vec<_> = open_items.iter().map(|(number, amount)| (number.as_str(), *amount)).collect();
        let (world, payments, ids) = setting(fresh, &[120; 500], &open_items).await;
        let proposals: Vec<_> = ids.chunks(2).map(|pair| proposal(vec![line(pair[0], 60), line(pair[1], 60)], 0)).collect();
        let postings: Vec<_> = payments.iter().zip(&proposals).map(|(payment, proposal)| posting(*payment, proposal)).collect();
        let outcomes = post(&fresh.db, &world, &postings).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, PostOutcome::Posted { .. })));
        assert!(open(&fresh.db, &ids).await.iter().all(|open| *open == 0));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    /// Many writers want the same items: each cent is applied once, whoever wins.
    async fn racing_writers_never_apply_a_cent_twice(fresh) {
        let (world, payments, ids) = setting(fresh, &[100; 12], &[("A", 250), ("B", 450)]).await;
        let racing: Vec<_> = payments.chunks(3).map(|own| {
            let (db, own, ids, day) = (fresh.db.clone(), own.to_vec(), ids.clone(), world.day);
            tokio::spawn(async move {
                let mandate = crate::ledger::Mandate { actor: "engine", role: "engine", person: false, day, policy: &Rules, agreed: None };
                let mut posted = 0;
                for (turn, payment) in own.into_iter().enumerate() {
                    let lines = if turn % 2 == 0 { vec![line(ids[0], 50), line(ids[1], 50)] } else { vec![line(ids[1], 60), line(ids[0], 40)] };
                    let wanted = proposal(lines, 0);
                    let outcomes = {
                        let (wanted, mandate) = (&wanted, &mandate);
                        let work = |mut tx| async move {
                            let outcomes = apply(&mut tx, mandate, &[posting(payment, wanted)]).await?;
                            Ok((tx, outcomes))
                        };
                        db.write(work).await.unwrap()
                    };
                    posted += i64::from(matches!(outcomes[0], PostOutcome::Posted { .. }));
                }
                posted
            })
        }).collect();
        let mut posted = 0;
        for writer in racing {
            posted += writer.await.unwrap();
        }
        let left: i64 = open(&fresh.db, &ids).await.iter().sum();
        assert_eq!(left, 700 - posted * 100);
        assert!(posted >= 5, "most of what is open finds its cash: {posted}");
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}
