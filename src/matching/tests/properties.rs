//! Over random ledgers and payments: what holds for every decision, whatever it decides.

use proptest::prelude::*;

use super::world::{Paying, World, pay, today};
use crate::domain::{AccountKey, Currency, ItemStatus, OpenItem, Permits};
use crate::matching::{Case, Snapshot, decide};

/// An item: number, amount in tens of cents (small, so that amounts collide), open share, currency, closed, owner.
type ItemSpec = (u32, i64, u8, bool, bool, bool);

fn world(items: &[ItemSpec]) -> World {
    let mut world = World::acme();
    world.customer("C2", "Bright Foods LLC");
    for (number, amount, share, euro, closed, second) in items {
        // Two letters over few numbers, so that cores collide.
        let letter = if number % 2 == 0 { "INV-" } else { "A" };
        let text = format!("{letter}{:05}", number / 2);
        if world.items.iter().any(|item| item.number == text) {
            continue;
        }
        let owner = world.customers[usize::from(*second)].id;
        let item = world.item(&text, *amount * 10);
        item.customer = owner;
        item.open_minor = item.amount_minor * i64::from(*share) / 10;
        item.currency = if *euro { Currency::EUR } else { Currency::USD };
        if *closed || item.open_minor == 0 {
            item.status = ItemStatus::Closed;
            item.open_minor = 0;
            item.closed_date = Some(today());
        }
    }
    world
}

/// A line: reference number, form of the reference, net in tens of cents, without amount.
type LineSpec = (u32, u8, i64, bool);

fn paying(lines: &[LineSpec], extra: i64, unknown: bool) -> Paying {
    let amount: i64 = lines.iter().map(|(_, _, net, _)| net * 10).sum::<i64>() + extra;
    let mut paying = pay(amount.max(0));
    for (number, form, net, bare) in lines {
        let text = match form {
            0 => format!("INV-{:05}", number / 2),
            1 => format!("A{:05}", number / 2),
            2 => format!("{}", number / 2),
            3 => format!("{:05}", number / 2),
            _ => format!("INVOICE {}", number / 2),
        };
        paying = paying.with(|line| {
            line.reference = text;
            line.net_minor = (!bare).then_some(net * 10);
        });
    }
    if unknown { paying.by_unknown() } else { paying }
}

fn items() -> impl Strategy<Value = Vec<ItemSpec>> {
    let amount = prop_oneof![4 => 1i64..60, 1 => -30i64..-1];
    let item = (
        0u32..24,
        amount,
        prop_oneof![3 => Just(10u8), 1 => 0u8..10],
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.15),
        any::<bool>(),
    );
    prop::collection::vec(item, 0..14)
}

fn lines() -> impl Strategy<Value = Vec<LineSpec>> {
    prop::collection::vec((0u32..24, 0u8..5, -5i64..60, prop::bool::weighted(0.2)), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, ..ProptestConfig::default() })]

    /// Cash is accounted for, items are taken once and no further than they are open (checked by `decide` of the world); posted lines are open items in
    /// the payment's currency, and a posting never takes more than the payment.
    #[test]
    fn a_posting_moves_only_what_came_and_what_is_open(items in items(), lines in lines(), extra in -20i64..200, unknown in any::<bool>()) {
        let world = world(&items);
        let paying = paying(&lines, extra, unknown);
        let outcome = world.decide(&paying);
        if outcome.posts() {
            let proposal = &outcome.decision.proposals[0];
            let positive: i64 = proposal.lines.iter().map(|line| line.cash_minor).sum();
            prop_assert!(positive <= paying.payment.amount_minor);
            for line in &proposal.lines {
                let item: &OpenItem = world.items.iter().find(|item| item.id == line.item).expect("a known item");
                prop_assert_eq!(item.currency, paying.payment.currency);
                prop_assert_eq!(item.status, ItemStatus::Open);
            }
        } else {
            prop_assert!(outcome.decision.evidence.why_not.is_some());
        }
    }

    /// The same ledger fed in any order, and fed in two steps, gives the same bytes.
    #[test]
    fn the_order_of_feeding_does_not_show(items in items(), lines in lines(), seed in any::<u64>()) {
        let world = world(&items);
        let paying = paying(&lines, 0, seed % 2 == 0);
        let case = Case { payment: &paying.payment, remittance: paying.remittance.as_ref(), today: today(), permits: &Permits::default() };
        let first = decide(&case, &world.snapshot(), super::rules());
        let mut shuffled = Snapshot::default();
        let mut order: Vec<usize> = (0..world.items.len()).collect();
        order.sort_by_key(|index| (*index as u64 + 1).wrapping_mul(seed | 1).rotate_left(17));
        for index in &order {
            // Fed once with other values, then brought up to date in place.
            let mut stale = world.items[*index].clone();
            stale.number.push('X');
            stale.open_minor = stale.amount_minor;
            stale.status = ItemStatus::Open;
            stale.po = Some("PO-99".to_owned());
            shuffled.upsert_item(&stale);
        }
        for customer in world.customers.iter().rev() {
            let mut stale = customer.clone();
            stale.name = "Another Name".to_owned();
            stale.accounts = vec![AccountKey("stale".to_owned())];
            shuffled.upsert_customer(&stale);
            shuffled.upsert_customer(customer);
        }
        for index in order {
            shuffled.upsert_item(&world.items[index]);
        }
        let second = decide(&case, &shuffled, super::rules());
        prop_assert_eq!(serde_json::to_string(&first).expect("a decision is JSON"), serde_json::to_string(&second).expect("a decision is JSON"));
    }
}
