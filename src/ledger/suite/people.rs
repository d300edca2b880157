//! What people may do with money between customers, and what they let go: refused, limited, followed up and kept in the audit.

use super::{
    broken, engine, items, line, open, person, proposal, received, record,
    resolve::{act, asked, is_closed, waiting},
    unapplied, with,
};
use crate::{
    domain::{Currency, CustomerId, ExceptionId, Level, LineAdjustmentKind, Location, OpenItemId, Reason, Source},
    ledger::{AboveAuthority, Action, PostOutcome, Posting, Resolution, ResolveError, apply, held_key, return_key},
    rules::Power,
    store::{
        Db, FileState, Kind, NewCustomer, NewReturn,
        testing::{Fresh, World, on_both},
    },
};

/// Another customer, in the family of `parent` where one is named, with an invoice.
async fn other(fresh: &Fresh, world: &World, code: &str, parent: Option<&str>, amount: i64) -> (CustomerId, OpenItemId) {
    let new = NewCustomer {
        code: code.to_owned(),
        name: code.to_owned(),
        aliases: Vec::new(),
        parent_code: parent.map(str::to_owned),
        country: "US".to_owned(),
        currency: Currency::USD,
        terms: "N30".to_owned(),
        seller_codes: vec!["S01".to_owned()],
        accounts: Vec::new(),
        originator_id: None,
        portfolio_owner: None,
    };
    let mut tx = fresh.db.begin().await.expect("begin");
    let customer = tx.upsert_customers(&[new], "erp").await.expect("a customer")[code];
    let mut row = world.invoice(&format!("OF-{code}"), amount);
    row.customer = customer;
    let item = tx.upsert_open_items(&[row], "csv").await.expect("an item")[0].item.expect("taken");
    tx.commit().await.expect("commit");
    (customer, item)
}

fn pays(item: OpenItemId, cash_minor: i64, unrelated: Option<&str>) -> Action {
    Action::Apply {
        lines: vec![line(item, cash_minor)],
        on_account_minor: 0,
        customer: None,
        unrelated: unrelated.map(str::to_owned),
    }
}

fn refused(resolution: &Result<Resolution, ResolveError>, part: &str) -> bool {
    matches!(resolution, Err(ResolveError::Refused(why)) if why.contains(part))
}

async fn audited(db: &Db, action: &str) -> Vec<String> {
    let mut tx = db.read().await.expect("read");
    let rows = tx.unsealed_audit(1_000).await.expect("rows");
    rows.into_iter().filter(|row| row.event.action == action).map(|row| row.event.detail).collect()
}

on_both! {
    async fn money_of_one_customer_pays_a_stranger_only_on_purpose(fresh) {
        let world = World::new(fresh).await;
        let (payment, exception) = waiting(fresh, &world, "aa", 1_000).await;
        let (_, kin) = other(fresh, &world, "KIN", Some("C1"), 300).await;
        let (stranger, strange) = other(fresh, &world, "STRANGER", None, 500).await;
        let ann = person(&world, "ann", "analyst");
        let slip = act(&fresh.db, &ann, exception, None, &pays(strange, 500, None), "a").await;
        assert!(refused(&slip, "item OF-STRANGER is of STRANGER, the money of C1") && refused(&slip, "--unrelated"), "{slip:?}");
        assert_eq!((unapplied(&fresh.db, payment).await, open(&fresh.db, &[strange]).await), ((1_000, "exception"), vec![500]));

        for (action, key) in [(pays(kin, 300, None), "b"), (pays(strange, 500, Some("they share a truck")), "c")] {
            let done = act(&fresh.db, &ann, exception, None, &action, key).await;
            assert!(matches!(done, Ok(Resolution::Done { .. })), "{done:?}");
        }
        let told = audited(&fresh.db, "between_customers").await;
        assert_eq!(
            told,
            [
                "item OF-KIN is of KIN, the money of C1: both of the family of C1",
                "item OF-STRANGER is of STRANGER, the money of C1, and no relation is known: they share a truck",
            ]
        );
        let keep = |customer, unrelated: Option<&str>| Action::OnAccount { amount_minor: None, customer, unrelated: unrelated.map(str::to_owned) };
        let elsewhere = act(&fresh.db, &ann, exception, None, &keep(Some(stranger), None), "d").await;
        assert!(refused(&elsewhere, "what is kept on account is of STRANGER"), "{elsewhere:?}");
        assert!(is_closed(&act(&fresh.db, &ann, exception, None, &keep(Some(stranger), Some("they asked for it")), "e").await));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    /// A credit of somebody else is money of somebody else.
    async fn a_credit_of_a_stranger_pays_nothing_by_a_slip(fresh) {
        let world = World::new(fresh).await;
        let (payment, exception) = waiting(fresh, &world, "aa", 700).await;
        let ids = items(fresh, &world, &[("A", 1_000)]).await;
        let (_, credit) = other(fresh, &world, "STRANGER", None, -300).await;
        let lines = vec![line(ids[0], 1_000), line(credit, -300)];
        let both = |unrelated| Action::Apply { lines: lines.clone(), on_account_minor: 0, customer: None, unrelated };
        let ann = person(&world, "ann", "analyst");
        let slip = act(&fresh.db, &ann, exception, None, &both(None), "a").await;
        assert!(refused(&slip, "item OF-STRANGER is of STRANGER"), "{slip:?}");
        assert!(is_closed(&act(&fresh.db, &ann, exception, None, &both(Some("a merger".to_owned())), "b").await));
        assert_eq!((unapplied(&fresh.db, payment).await, open(&fresh.db, &[ids[0], credit]).await), ((0, "posted"), vec![0, 0]));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn cash_of_nobody_known_is_kept_on_no_account(fresh) {
        let world = World::new(fresh).await;
        let (payment, exception) = waiting(fresh, &world, "aa", 1_000).await;
        let nobody = fresh.db.transact(async |tx| {
            let mut new = asked(format!("payment:{}:question", payment.0), Level::Payment, Reason::UnidentifiedPayer);
            new.payment = Some(payment);
            tx.raise_exceptions(&[new], "engine").await
        });
        let nobody = nobody.await.unwrap()[0];
        let ann = person(&world, "ann", "analyst");
        let keep = |customer| Action::OnAccount { amount_minor: None, customer, unrelated: None };
        let slip = act(&fresh.db, &ann, nobody, None, &keep(None), "a").await;
        assert!(refused(&slip, "--customer"), "{slip:?}");
        assert!(is_closed(&act(&fresh.db, &ann, nobody, None, &keep(Some(world.customer)), "b").await));
        assert!(!fresh.db.read().await.unwrap().exception(exception).await.unwrap().unwrap().open);
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    /// A part is taken off only where cash of the payment stands, and a deduction is followed up whoever took it.
    async fn a_person_takes_off_what_the_payment_short_paid_and_somebody_validates_it(fresh) {
        let world = World::new(fresh).await;
        let (_, exception) = waiting(fresh, &world, "aa", 900).await;
        let ids = items(fresh, &world, &[("A", 1_000), ("B", 400)]).await;
        let ann = person(&world, "ann", "analyst");
        let deduct = |item| Action::Deduct { item, amount_minor: 60, reason_code: "06".to_owned() };
        let write_off = Action::WriteOff { item: ids[1], amount_minor: 60, reason: "small".to_owned() };
        for (action, key) in [(deduct(ids[1]), "a"), (write_off, "b"), (deduct(ids[0]), "c")] {
            let slip = act(&fresh.db, &ann, exception, None, &action, key).await;
            assert!(refused(&slip, "no cash of payment"), "{slip:?}");
        }
        assert_eq!(open(&fresh.db, &ids).await, [1_000, 400]);
        let part = pays(ids[0], 800, None);
        assert!(matches!(act(&fresh.db, &ann, exception, None, &part, "d").await, Ok(Resolution::Done { .. })));
        assert!(matches!(act(&fresh.db, &ann, exception, None, &deduct(ids[0]), "e").await, Ok(Resolution::Done { .. })));
        assert_eq!(open(&fresh.db, &ids).await, [140, 400]);
        let mut tx = fresh.db.read().await.unwrap();
        let all = tx.exceptions(&Default::default()).await.unwrap();
        let follow: Vec<_> = all.iter().filter(|row| row.reason == Reason::DeductionToValidate).collect();
        let [one] = follow.as_slice() else { panic!("{follow:?}") };
        assert_eq!((one.open, one.queue.as_str(), one.amount_minor, one.open_item), (true, "deductions", Some(60), Some(ids[0])));
        assert!(one.message.contains("ann took 0.60 USD off A under code 06"), "{}", one.message);
        tx.rollback().await.unwrap();
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

/// A deduction of 60 that the engine took and somebody has to validate.
async fn to_validate(fresh: &Fresh, world: &World) -> ExceptionId {
    let (_, payments) = received(fresh, world, "de", &[940]).await;
    let payment = payments[0].payment.id;
    let ids = items(fresh, world, &[("D", 1_000)]).await;
    let deducted = with(line(ids[0], 940), LineAdjustmentKind::Deduction, 60, "06");
    let raised = fresh.db.transact(async |tx| {
        let wanted = proposal(vec![deducted.clone()], 0);
        let posting =
            Posting { payment, version: 1, proposal: &wanted, decision: None, refund_minor: 0, note: None, owners: &[] };
        let outcomes = apply(tx, &engine(world), &[posting]).await?;
        assert!(matches!(outcomes[..], [PostOutcome::Posted { .. }]));
        let mut new = asked(format!("payment:{}:deduction_to_validate", payment.0), Level::Payment, Reason::DeductionToValidate);
        (new.payment, new.seller, new.customer) = (Some(payment), Some(world.seller), Some(world.customer));
        new.amount = Some((940, Currency::USD));
        tx.raise_exceptions(&[new], "engine").await
    });
    raised.await.expect("raised")[0]
}

on_both! {
    /// To close the follow-up of a deduction is to grant it: that takes its authority and a reason, and a second person may lend it.
    async fn letting_a_deduction_go_takes_the_authority_to_grant_it(fresh) {
        let world = World::new(fresh).await;
        let exception = to_validate(fresh, &world).await;
        let close = |note: &str| Action::Close { note: note.to_owned() };
        let (ann, cleo) = (person(&world, "ann", "analyst"), person(&world, "cleo", "clerk"));
        let silent = act(&fresh.db, &ann, exception, None, &close(""), "a").await;
        assert!(refused(&silent, "--note"), "{silent:?}");
        let asked = act(&fresh.db, &cleo, exception, None, &close("they sent a photo"), "b").await;
        let Ok(Resolution::Recommended { exception: approval, above }) = asked else { panic!("{asked:?}") };
        assert_eq!(above, AboveAuthority::Amount { power: Power::Deduct, amount_minor: 60, limit_minor: 50, currency: Currency::USD });
        let is_open = async |id| fresh.db.read().await.unwrap().exception(id).await.unwrap().unwrap().open;
        assert!(is_open(exception).await);
        assert!(is_closed(&act(&fresh.db, &ann, approval, None, &close("they sent a photo"), "c").await));
        assert!(!is_open(exception).await && !is_open(approval).await, "what was recommended is done");
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    /// Routing rules may ask for seller, customer and portfolio, whoever raises the matter.
    async fn what_a_person_raises_is_routed_by_seller_customer_and_portfolio(fresh) {
        let world = World::new(fresh).await;
        let exception = to_validate(fresh, &world).await;
        let close = Action::Close { note: "please".to_owned() };
        let asked = act(&fresh.db, &person(&world, "cleo", "clerk"), exception, None, &close, "a").await;
        let Ok(Resolution::Recommended { exception: approval, .. }) = asked else { panic!("{asked:?}") };
        let approval = fresh.db.read().await.unwrap().exception(approval).await.unwrap().unwrap();
        assert_eq!(approval.owner.as_deref(), Some("kim"));
    }
}

on_both! {
    async fn a_recommendation_to_let_go_is_declined_by_closing_it_alone(fresh) {
        let world = World::new(fresh).await;
        let exception = to_validate(fresh, &world).await;
        let close = |note: &str| Action::Close { note: note.to_owned() };
        let asked = act(&fresh.db, &person(&world, "cleo", "clerk"), exception, None, &close("please"), "a").await;
        let Ok(Resolution::Recommended { exception: approval, .. }) = asked else { panic!("{asked:?}") };
        assert!(is_closed(&act(&fresh.db, &person(&world, "ann", "analyst"), approval, None, &close("no: charge it back"), "b").await));
        assert!(fresh.db.read().await.unwrap().exception(exception).await.unwrap().unwrap().open);
    }
}

on_both! {
    /// The bank took money and nobody said which: until then the cash counts, and to forget that is above a clerk.
    async fn a_return_that_nobody_tied_is_not_closed_in_passing(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let file = world.file(&mut tx, "re").await;
        record(&mut tx, file, FileState::Recorded, &[]).await;
        let id = tx.reserve_one(Kind::BankReturn).await.unwrap();
        let returned = NewReturn {
            id,
            source: Source { file, location: Location::default() },
            seq: 0,
            position: 1,
            currency: Currency::USD,
            amount_minor: 700,
            code: "R01".to_owned(),
            original_trace: None,
            trace: None,
            seller: None,
            payer_name: None,
            held: false,
        };
        tx.record_returns(&[returned]).await.unwrap();
        let exception = tx.raise_exceptions(&[asked(return_key(id), Level::Record, Reason::PaymentReturned)], "engine").await.unwrap()[0];
        tx.commit().await.unwrap();
        let close = |note: &str| Action::Close { note: note.to_owned() };
        let (ann, cleo) = (person(&world, "ann", "analyst"), person(&world, "cleo", "clerk"));
        let silent = act(&fresh.db, &ann, exception, None, &close(" "), "a").await;
        assert!(refused(&silent, "--note"), "{silent:?}");
        let above = act(&fresh.db, &cleo, exception, None, &close("not ours"), "b").await;
        assert!(matches!(above, Ok(Resolution::Recommended { .. })), "{above:?}");
        assert!(is_closed(&act(&fresh.db, &ann, exception, None, &close("of the years before"), "c").await));
    }
}

on_both! {
    async fn a_held_file_counts_within_the_limit_of_whoever_lets_it(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let file = world.file(&mut tx, "aa").await;
        let id = tx.reserve_one(Kind::Payment).await.unwrap();
        tx.record_payments(&[world.held_payment(file, 0, id, 900)]).await.unwrap();
        record(&mut tx, file, FileState::Held, &[900]).await;
        let mut new = asked(held_key(file), Level::File, Reason::FileHeld);
        new.file = Some(file);
        let exception = tx.raise_exceptions(&[new], "engine").await.unwrap()[0];
        tx.commit().await.unwrap();
        let release = Action::ReleaseFile { why: "the bank confirmed it".to_owned() };
        let asked = act(&fresh.db, &person(&world, "cleo", "clerk"), exception, None, &release, "a").await;
        let Ok(Resolution::Recommended { exception: approval, above }) = asked else { panic!("{asked:?}") };
        assert_eq!(above, AboveAuthority::Amount { power: Power::Apply, amount_minor: 900, limit_minor: 500, currency: Currency::USD });
        let held = fresh.db.read().await.unwrap().file(file).await.unwrap().unwrap();
        assert_eq!(held.state, FileState::Held);
        let granted = act(&fresh.db, &person(&world, "ann", "analyst"), approval, None, &release, "b").await;
        assert!(matches!(&granted, Ok(Resolution::Done { released: Some(released), .. }) if *released == file), "{granted:?}");
        assert!(!fresh.db.read().await.unwrap().exception(exception).await.unwrap().unwrap().open);
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}
