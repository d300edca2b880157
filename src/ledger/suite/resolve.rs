//! Clearing exceptions: once per request, decided by version, within limits.

use super::{broken, engine, items, line, open, person, proposal, received, record, unapplied, with};
use crate::{
    domain::{Currency, ExceptionId, Level, LineAdjustmentKind, Location, PaymentId, Reason, Route, Source},
    ledger::{
        AboveAuthority, Action, Mandate, PostOutcome, Posting, Resolution, ResolveError, apply, match_key, resolve, return_key,
        waiting_key,
    },
    rules::Power,
    store::{
        Db, FileCounts, FileState, FileTotal, Kind, NewException, NewReturn, Recording, TotalKind,
        testing::{Fresh, World, on_both},
    },
};

pub(super) fn asked(key: String, level: Level, reason: Reason) -> NewException {
    let route = Route { queue: reason.default_queue().to_owned(), owner: None, due_hours: 24, rule: "default".to_owned() };
    NewException::new(key, level, reason, route, reason.title().to_owned())
}

/// A payment that the engine could not place, with its exception.
pub(super) async fn waiting(fresh: &Fresh, world: &World, sha256: &str, amount: i64) -> (PaymentId, ExceptionId) {
    let (_, payments) = received(fresh, world, sha256, &[amount]).await;
    let payment = payments[0].payment.id;
    let exceptions = fresh.db.transact(async |tx| {
        let mut new = asked(match_key(payment), Level::Payment, Reason::NoRemittance);
        (new.payment, new.customer) = (Some(payment), Some(world.customer));
        assert_eq!(tx.send_to_person(&[(payment, 1, None)]).await?, [payment]);
        assert!(tx.send_to_person(&[(payment, 1, None)]).await?.is_empty(), "version 1 is gone");
        tx.raise_exceptions(&[new], "engine").await
    });
    (payment, exceptions.await.expect("raised")[0])
}

pub(super) async fn act(
    db: &Db,
    mandate: &Mandate<'_>,
    id: ExceptionId,
    seen: Option<i64>,
    action: &Action,
    key: &str,
) -> Result<Resolution, ResolveError> {
    let mut tx = db.begin().await.expect("begin");
    let resolution = resolve(&mut tx, mandate, id, seen, action, key).await;
    match resolution {
        Ok(done) => {
            tx.commit().await.expect("commit");
            Ok(done)
        }
        Err(error) => {
            tx.rollback().await.expect("rollback");
            Err(error)
        }
    }
}

pub(super) const fn is_closed(resolution: &Result<Resolution, ResolveError>) -> bool {
    matches!(resolution, Ok(Resolution::Done { closed: true, .. }))
}

on_both! {
    async fn a_request_has_its_effect_once(fresh) {
        let world = World::new(fresh).await;
        let (payment, exception) = waiting(fresh, &world, "aa", 1_000).await;
        let ids = items(fresh, &world, &[("A", 600), ("B", 900)]).await;
        let ann = person(&world, "ann", "analyst");
        let part = Action::Apply { lines: vec![line(ids[0], 600)], on_account_minor: 0, customer: None, unrelated: None };
        let first = act(&fresh.db, &ann, exception, Some(1), &part, "form-1").await;
        let left = format!("payment {payment} posted; 4.00 USD left unapplied");
        assert!(matches!(&first, Ok(Resolution::Done { closed: false, answer, .. }) if *answer == left), "{first:?}");
        let again = act(&fresh.db, &ann, exception, Some(1), &part, "form-1").await;
        assert!(matches!(&again, Ok(Resolution::Replayed { by, recommended: false, .. }) if by == "ann"), "{again:?}");
        let other_action = Action::Apply { lines: vec![line(ids[0], 400)], on_account_minor: 0, customer: None, unrelated: None };
        let other_action = act(&fresh.db, &ann, exception, None, &other_action, "form-1").await;
        let (_, other) = waiting(fresh, &world, "bb", 600).await;
        let other_exception = act(&fresh.db, &ann, other, None, &part, "form-1").await;
        for reused in [other_action, other_exception] {
            assert!(matches!(&reused, Err(ResolveError::Refused(why)) if why.contains("another request")), "{reused:?}");
        }
        assert_eq!(unapplied(&fresh.db, payment).await, (400, "exception"));
        let rest = act(&fresh.db, &ann, exception, None, &Action::OnAccount { amount_minor: None, customer: None, unrelated: None }, "form-2").await;
        assert!(is_closed(&rest), "{rest:?}");
        assert_eq!((open(&fresh.db, &ids).await.as_slice(), unapplied(&fresh.db, payment).await), ([0, 900].as_slice(), (0, "posted")));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn the_loser_is_told_who_won_and_when(fresh) {
        let world = World::new(fresh).await;
        let (_, exception) = waiting(fresh, &world, "aa", 1_000).await;
        let on_account = Action::OnAccount { amount_minor: None, customer: None, unrelated: None };
        assert!(is_closed(&act(&fresh.db, &person(&world, "ann", "analyst"), exception, Some(1), &on_account, "a").await));
        fresh.pass_seconds(60);
        let lost = act(&fresh.db, &person(&world, "bob", "analyst"), exception, Some(1), &on_account, "b").await;
        let Err(ResolveError::Version { who, when }) = lost else { panic!("{lost:?}") };
        assert_eq!((who.as_str(), when.as_str()), ("ann", "2026-03-02T08:00:00.000Z"));
        assert!(matches!(act(&fresh.db, &person(&world, "bob", "analyst"), ExceptionId(99), None, &on_account, "c").await, Err(ResolveError::NotFound(_))));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn above_the_limit_is_a_recommendation_and_nothing_moves(fresh) {
        let world = World::new(fresh).await;
        let (payment, exception) = waiting(fresh, &world, "aa", 5_000).await;
        let refund = Action::RefundRequest { amount_minor: None };
        let asked = act(&fresh.db, &person(&world, "ann", "analyst"), exception, Some(1), &refund, "a").await;
        let Ok(Resolution::Recommended { exception: approval, above: AboveAuthority::Amount { limit_minor, amount_minor, .. } }) = asked else { panic!("{asked:?}") };
        assert_eq!((amount_minor, limit_minor, unapplied(&fresh.db, payment).await), (5_000, 1_000, (5_000, "exception")));
        let again = act(&fresh.db, &person(&world, "ann", "analyst"), exception, Some(1), &refund, "a").await;
        assert!(matches!(&again, Ok(Resolution::Replayed { recommended: true, .. })), "{again:?}");
        let row = fresh.db.read().await.unwrap().exception(approval).await.unwrap().expect("stored");
        assert_eq!((row.reason, row.queue.as_str(), row.details["recommended_by"].as_str()), (Reason::AboveAuthority, "approvals", Some("ann")));
        let kept: Action = serde_json::from_value(row.details["action"].clone()).expect("the request itself is kept");
        let granted = act(&fresh.db, &person(&world, "sue", "supervisor"), approval, Some(1), &kept, "b").await;
        assert!(is_closed(&granted), "{granted:?}");
        assert_eq!(unapplied(&fresh.db, payment).await, (0, "posted"));
        let first = fresh.db.read().await.unwrap().exception(exception).await.unwrap().expect("stored");
        assert!(!first.open, "what was asked is settled with it");
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    /// What is above every limit takes two people of the highest role; nobody grants what they recommended themselves.
    async fn two_of_the_highest_role_may_do_what_none_may_alone(fresh) {
        let world = World::new(fresh).await;
        let (payment, exception) = waiting(fresh, &world, "aa", 1_000).await;
        let ids = items(fresh, &world, &[("A", 9_000)]).await;
        let [ann, sue, sam] = [("ann", "analyst"), ("sue", "supervisor"), ("sam", "supervisor")].map(|(name, role)| person(&world, name, role));
        let granted = with(line(ids[0], 1_000), LineAdjustmentKind::Discount, 6_000, "agreed");
        let grant = Action::Apply { lines: vec![granted], on_account_minor: 0, customer: None, unrelated: None };
        let message = async |id| fresh.db.read().await.unwrap().exception(id).await.unwrap().expect("stored").message;
        let recommended = |resolution| match resolution {
            Ok(Resolution::Recommended { exception, .. }) => exception,
            other => panic!("{other:?}"),
        };
        let approval = recommended(act(&fresh.db, &ann, exception, None, &grant, "a").await);
        assert_eq!(message(approval).await, "ann recommends to discount 60.00 USD; the limit of analyst is 10.00 USD; no role may do so much alone, so two of the role supervisor have to agree");
        let own = act(&fresh.db, &ann, approval, None, &grant, "b").await;
        assert!(matches!(&own, Err(ResolveError::Refused(why)) if why.contains("somebody else")), "{own:?}");
        let first = recommended(act(&fresh.db, &sue, approval, None, &grant, "c").await);
        assert_eq!((first, message(first).await), (approval, "sue recommends to discount 60.00 USD; the limit of supervisor is 50.00 USD; another supervisor may grant it".to_owned()));
        let twice = act(&fresh.db, &sue, approval, None, &grant, "d").await;
        assert!(matches!(twice, Err(ResolveError::Refused(_))), "{twice:?}");
        let more = with(line(ids[0], 1_000), LineAdjustmentKind::Discount, 7_000, "agreed");
        let more = Action::Apply { lines: vec![more], on_account_minor: 0, customer: None, unrelated: None };
        let mut tx = fresh.db.begin().await.unwrap();
        let other = resolve(&mut tx, &sam, approval, None, &more, "e").await;
        tx.rollback().await.unwrap();
        assert!(matches!(other, Ok(Resolution::Recommended { .. })), "agreed was something else: {other:?}");
        let done = act(&fresh.db, &sam, approval, None, &grant, "f").await;
        assert!(is_closed(&done), "{done:?}");
        assert_eq!((open(&fresh.db, &ids).await, unapplied(&fresh.db, payment).await), (vec![2_000], (0, "posted")));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    /// Who may not move an amount at once may not move it in parts, and not by keeping it on account either.
    async fn a_limit_is_not_evaded_in_parts_or_on_account(fresh) {
        let world = World::new(fresh).await;
        let (payment, exception) = waiting(fresh, &world, "aa", 1_000).await;
        let ids = items(fresh, &world, &[("A", 400), ("B", 400)]).await;
        let cleo = person(&world, "cleo", "clerk");
        let part = |place: usize| Action::Apply { lines: vec![line(ids[place], 300)], on_account_minor: 0, customer: None, unrelated: None };
        let keep = |minor| Action::OnAccount { amount_minor: Some(minor), customer: None, unrelated: None };
        assert!(matches!(act(&fresh.db, &cleo, exception, None, &keep(501), "a").await, Ok(Resolution::Recommended { .. })));
        assert!(matches!(act(&fresh.db, &cleo, exception, None, &part(0), "b").await, Ok(Resolution::Done { .. })));
        for (action, key) in [(part(1), "c"), (keep(201), "d")] {
            let asked = act(&fresh.db, &cleo, exception, None, &action, key).await;
            let Ok(Resolution::Recommended { above: AboveAuthority::Amount { amount_minor, limit_minor: 500, .. }, .. }) = asked else { panic!("{asked:?}") };
            assert!([600, 501].contains(&amount_minor), "{amount_minor}");
        }
        assert!(matches!(act(&fresh.db, &cleo, exception, None, &keep(200), "e").await, Ok(Resolution::Done { .. })));
        assert_eq!(unapplied(&fresh.db, payment).await, (500, "exception"));
        let another = person(&world, "carl", "clerk");
        assert!(matches!(act(&fresh.db, &another, exception, None, &part(1), "f").await, Ok(Resolution::Done { .. })), "the limit is that of a person");
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn what_nobody_may_do_is_refused_and_not_recommended(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let file = world.file(&mut tx, "eur").await;
        let mut payments = world.payments(&mut tx, file, &[]).await;
        let id = tx.reserve_one(Kind::Payment).await.unwrap();
        payments.push(world.held_payment(file, 0, id, 900_000));
        (payments[0].payment.currency, payments[0].payment.state) = (Currency::EUR, crate::domain::PaymentState::Received);
        tx.record_payments(&payments).await.unwrap();
        let mut new = asked(match_key(PaymentId(id)), Level::Payment, Reason::NoRemittance);
        new.payment = Some(PaymentId(id));
        let exception = tx.raise_exceptions(&[new], "engine").await.unwrap()[0];
        tx.commit().await.unwrap();
        let refund = Action::RefundRequest { amount_minor: None };
        let refused = act(&fresh.db, &person(&world, "ann", "analyst"), exception, None, &refund, "a").await;
        assert!(matches!(&refused, Err(ResolveError::Refused(why)) if why.contains("nobody refund EUR") && why.contains("authority.toml")), "{refused:?}");
    }
}

on_both! {
    async fn a_short_payment_is_deducted_or_written_off_later(fresh) {
        let world = World::new(fresh).await;
        let (_, payments) = received(fresh, &world, "aa", &[900]).await;
        let payment = payments[0].payment.id;
        let ids = items(fresh, &world, &[("A", 1_000)]).await;
        let follow = fresh.db.transact(async |tx| {
            let wanted = proposal(vec![line(ids[0], 900)], 0);
            let posting = Posting { payment, version: 1, proposal: &wanted, decision: None, refund_minor: 0, note: None, owners: &[] };
            let outcomes = apply(tx, &engine(&world), &[posting]).await?;
            assert!(matches!(outcomes[..], [PostOutcome::Posted { .. }]));
            let mut new = asked(format!("payment:{}:short_paid", payment.0), Level::Payment, Reason::ShortPaid);
            (new.payment, new.open_item) = (Some(payment), Some(ids[0]));
            tx.raise_exceptions(&[new], "engine").await
        }).await.unwrap()[0];
        let ann = person(&world, "ann", "analyst");
        let unknown = Action::Deduct { item: ids[0], amount_minor: 60, reason_code: "NOSUCH".to_owned() };
        let unknown = act(&fresh.db, &ann, follow, Some(1), &unknown, "unknown").await;
        assert!(matches!(&unknown, Err(ResolveError::Refused(why)) if why.contains("NOSUCH") && why.contains("06, 59")), "{unknown:?}");
        let deduct = Action::Deduct { item: ids[0], amount_minor: 60, reason_code: "06".to_owned() };
        assert!(is_closed(&act(&fresh.db, &ann, follow, Some(1), &deduct, "a").await));
        assert_eq!(open(&fresh.db, &ids).await, [40]);
        fresh.db.transact(async |tx| {
            let mut new = asked(format!("payment:{}:short_paid", payment.0), Level::Payment, Reason::ShortPaid);
            (new.payment, new.open_item) = (Some(payment), Some(ids[0]));
            tx.raise_exceptions(&[new], "engine").await
        }).await.unwrap();
        let beyond = Action::WriteOff { item: ids[0], amount_minor: 41, reason: "small".to_owned() };
        assert!(matches!(act(&fresh.db, &ann, follow, None, &beyond, "b").await, Err(ResolveError::Refused(_))));
        let write_off = Action::WriteOff { item: ids[0], amount_minor: 40, reason: "small".to_owned() };
        assert!(is_closed(&act(&fresh.db, &ann, follow, None, &write_off, "c").await));
        assert_eq!((open(&fresh.db, &ids).await, unapplied(&fresh.db, payment).await), (vec![0], (0, "posted")));
        assert_eq!(broken(&fresh.db).await, [""; 0]);

        // Undone again: the cash waits for a decision, and somebody is asked.
        fresh.db.transact(async |tx| {
            let mut new = asked(format!("payment:{}:short_paid", payment.0), Level::Payment, Reason::ShortPaid);
            new.payment = Some(payment);
            tx.raise_exceptions(&[new], "engine").await
        }).await.unwrap();
        let undo = Action::Reverse { application: None, why: "wrong customer".to_owned() };
        assert!(is_closed(&act(&fresh.db, &ann, follow, None, &undo, "d").await));
        assert_eq!((open(&fresh.db, &ids).await, unapplied(&fresh.db, payment).await), (vec![1_000], (900, "exception")));
        let raised = fresh.db.read().await.unwrap().exception_by_key(&match_key(payment)).await.unwrap().expect("raised");
        assert!(raised.open);
        let refused = act(&fresh.db, &ann, raised.id, None, &Action::Close { note: "done".to_owned() }, "e").await;
        assert!(matches!(refused, Err(ResolveError::Refused(_))), "900 wait behind it: {refused:?}");
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn an_advice_is_linked_and_the_engine_looks_again(fresh) {
        let world = World::new(fresh).await;
        let (payment, _) = waiting(fresh, &world, "aa", 1_000).await;
        let (advice, exception) = fresh.db.transact(async |tx| {
            let file = world.file(tx, "advice").await;
            let advice = world.remittance(tx, file, 0, 1_000).await;
            tx.record_remittances(std::slice::from_ref(&advice)).await?;
            let mut new = asked(waiting_key(advice.id), Level::Remittance, Reason::RemittanceWithoutPayment);
            new.remittance = Some(advice.id);
            let ids = tx.raise_exceptions(&[new], "engine").await?;
            Ok((advice.id, ids[0]))
        }).await.unwrap();
        let link = Action::LinkRemittance { remittance: advice, payment };
        let done = act(&fresh.db, &person(&world, "ann", "analyst"), exception, Some(1), &link, "a").await;
        let Ok(Resolution::Done { match_again, .. }) = &done else { panic!("{done:?}") };
        assert_eq!(match_again.as_slice(), [payment]);
        let mut tx = fresh.db.begin().await.unwrap();
        assert!(!tx.exception(exception).await.unwrap().expect("stored").open);
        assert_eq!(tx.payment(payment).await.unwrap().expect("stored").remittance, Some(advice));
        tx.rollback().await.unwrap();

        // It was the wrong one: it waits again, and nothing but a person ties the two once more.
        let about = fresh.db.read().await.unwrap().exception_by_key(&match_key(payment)).await.unwrap().expect("open").id;
        let unlink = Action::UnlinkRemittance { why: "it announces another cheque".to_owned() };
        let done = act(&fresh.db, &person(&world, "bob", "analyst"), about, None, &unlink, "b").await;
        let Ok(Resolution::Done { closed: false, match_again, .. }) = &done else { panic!("{done:?}") };
        assert_eq!(match_again.as_slice(), [payment]);
        let again = act(&fresh.db, &person(&world, "bob", "analyst"), about, None, &unlink, "c").await;
        assert!(matches!(&again, Err(ResolveError::Refused(why)) if why.contains("no remittance")), "{again:?}");
        let mut tx = fresh.db.begin().await.unwrap();
        assert_eq!(tx.payment(payment).await.unwrap().expect("stored").remittance, None);
        let waiting = tx.remittance(advice).await.unwrap().expect("stored");
        assert_eq!((waiting.payment, waiting.state), (None, crate::domain::RemittanceState::Waiting));
        let asked = tx.exception(exception).await.unwrap().expect("stored");
        assert!(asked.open && asked.message.contains("bob took it off payment"), "{}", asked.message);
        assert_eq!(tx.advices_apart().await.unwrap(), [(advice, payment)]);
    }
}

on_both! {
    async fn held_files_and_duplicates_are_decided_by_a_person(fresh) {
        let world = World::new(fresh).await;
        let ann = person(&world, "ann", "senior");
        let mut exceptions = Vec::new();
        for sha256 in ["aa", "bb"] {
            exceptions.push(fresh.db.transact(async |tx| {
                let file = world.file(tx, sha256).await;
                let id = tx.reserve_one(Kind::Payment).await?;
                tx.record_payments(&[world.held_payment(file, 0, id, 500)]).await?;
                record(tx, file, FileState::Held, &[500]).await;
                let mut new = asked(crate::ledger::held_key(file), Level::File, Reason::FileHeld);
                new.file = Some(file);
                Ok((tx.raise_exceptions(&[new], "engine").await?[0], file, PaymentId(id)))
            }).await.unwrap());
        }
        let refused = act(&fresh.db, &ann, exceptions[0].0, None, &Action::Close { note: "never mind".to_owned() }, "a").await;
        assert!(matches!(refused, Err(ResolveError::Refused(_))));
        let released = act(&fresh.db, &ann, exceptions[0].0, None, &Action::ReleaseFile { why: "confirmed".to_owned() }, "b").await;
        assert!(matches!(&released, Ok(Resolution::Done { closed: true, released: Some(file), .. }) if *file == exceptions[0].1), "{released:?}");
        assert!(is_closed(&act(&fresh.db, &ann, exceptions[1].0, None, &Action::RejectFile { why: "a test".to_owned() }, "c").await));
        assert_eq!(unapplied(&fresh.db, exceptions[0].2).await, (500, "received"));
        assert_eq!(unapplied(&fresh.db, exceptions[1].2).await, (500, "void"));

        let (payment, exception) = waiting(fresh, &world, "cc", 500).await;
        let nothing = act(&fresh.db, &ann, exception, None, &Action::MarkDuplicate { of: None }, "n").await;
        assert!(matches!(nothing, Err(ResolveError::Refused(_))), "{nothing:?}");
        let clerk = person(&world, "cleo", "clerk");
        let other = Action::MarkDuplicate { of: Some(exceptions[1].2) };
        let void = act(&fresh.db, &clerk, exception, None, &other, "v").await;
        assert!(matches!(void, Err(ResolveError::Refused(_))), "{void:?}");
        let twice = Action::MarkDuplicate { of: Some(exceptions[0].2) };
        assert!(is_closed(&act(&fresh.db, &ann, exception, None, &twice, "d").await));
        assert_eq!(unapplied(&fresh.db, payment).await, (500, "void"));
        let no_payment = act(&fresh.db, &ann, exceptions[0].0, None, &twice, "e").await;
        assert!(matches!(no_payment, Err(ResolveError::Version { .. })), "it was decided before: {no_payment:?}");
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn refunds_in_parts_add_up_against_the_limit(fresh) {
        let world = World::new(fresh).await;
        let ann = person(&world, "ann", "analyst");
        let (payment, exception) = waiting(fresh, &world, "aa", 3_000).await;
        let below = act(&fresh.db, &ann, exception, None, &Action::RefundRequest { amount_minor: Some(-250) }, "below").await;
        assert!(matches!(&below, Err(ResolveError::Refused(why)) if why.starts_with("-2.50 USD")), "{below:?}");
        let part = Action::RefundRequest { amount_minor: Some(800) };
        assert!(matches!(act(&fresh.db, &ann, exception, None, &part, "a").await, Ok(Resolution::Done { closed: false, .. })));
        let above = act(&fresh.db, &ann, exception, None, &part, "b").await;
        assert!(matches!(above, Ok(Resolution::Recommended { above: AboveAuthority::Amount { power: Power::Refund, amount_minor: 1_600, .. }, .. })), "{above:?}");
        assert_eq!(unapplied(&fresh.db, payment).await, (2_200, "exception"));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn who_may_apply_nothing_decides_nothing(fresh) {
        let world = World::new(fresh).await;
        let eve = person(&world, "eve", "viewer");
        let (payment, exception) = waiting(fresh, &world, "aa", 300).await;
        for (action, key) in [(Action::MarkDuplicate { of: None }, "a"), (Action::OnAccount { amount_minor: None, customer: None, unrelated: None }, "b")] {
            let refused = act(&fresh.db, &eve, exception, None, &action, key).await;
            assert!(matches!(refused, Err(ResolveError::Refused(_))), "{refused:?}");
        }
        assert_eq!(unapplied(&fresh.db, payment).await, (300, "exception"));
    }
}

on_both! {
    async fn a_held_file_is_settled_from_any_matter_about_it(fresh) {
        let world = World::new(fresh).await;
        let ann = person(&world, "ann", "senior");
        let asked = fresh.db.transact(async |tx| {
            let file = world.file(tx, "aa").await;
            record(tx, file, FileState::Held, &[]).await;
            let (mut held, mut aside) = (
                asked(crate::ledger::held_key(file), Level::File, Reason::FileHeld),
                asked(format!("record:{file}:1"), Level::Record, Reason::RecordSetAside),
            );
            (held.file, aside.file) = (Some(file), Some(file));
            tx.raise_exceptions(&[held, aside], "engine").await
        });
        let asked = asked.await.unwrap();
        assert!(is_closed(&act(&fresh.db, &ann, asked[1], None, &Action::RejectFile { why: "sent again".to_owned() }, "a").await));
        let held = fresh.db.read().await.unwrap().exception(asked[0]).await.unwrap().unwrap();
        assert!(!held.open, "nobody is asked any more about a file that was decided");
    }
}

on_both! {
    async fn undoing_needs_the_powers_of_doing(fresh) {
        let world = World::new(fresh).await;
        let (payment, exception) = waiting(fresh, &world, "aa", 1_000).await;
        let ids = items(fresh, &world, &[("A", 400), ("B", 700)]).await;
        let ann = person(&world, "ann", "analyst");
        let deducted = with(line(ids[1], 400), LineAdjustmentKind::Deduction, 60, "06");
        let both = Action::Apply { lines: vec![line(ids[0], 400), deducted], on_account_minor: 0, customer: None, unrelated: None };
        assert!(matches!(act(&fresh.db, &ann, exception, None, &both, "a").await, Ok(Resolution::Done { .. })));
        let applied = fresh.db.read().await.unwrap().applications(payment).await.unwrap();
        let undo = |place: Option<usize>| Action::Reverse { application: place.map(|place| applied[place].id), why: "wrong".to_owned() };
        let cleo = person(&world, "cleo", "clerk");
        for (place, power, amount_minor, limit_minor, key) in
            [(None, Power::Apply, 800, 500, "b"), (Some(1), Power::Deduct, 60, 50, "c")]
        {
            let asked = act(&fresh.db, &cleo, exception, None, &undo(place), key).await;
            let Ok(Resolution::Recommended { above, .. }) = asked else { panic!("{asked:?}") };
            assert_eq!(above, AboveAuthority::Amount { power, amount_minor, limit_minor, currency: Currency::USD });
        }
        assert_eq!((open(&fresh.db, &ids).await, unapplied(&fresh.db, payment).await), (vec![0, 240], (200, "exception")));
        assert!(matches!(act(&fresh.db, &cleo, exception, None, &undo(Some(0)), "d").await, Ok(Resolution::Done { .. })));
        assert!(matches!(act(&fresh.db, &ann, exception, None, &undo(None), "e").await, Ok(Resolution::Done { .. })));
        assert_eq!((open(&fresh.db, &ids).await, unapplied(&fresh.db, payment).await), (vec![400, 700], (1_000, "exception")));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn a_recommendation_is_not_granted_after_the_payment_moved(fresh) {
        let world = World::new(fresh).await;
        let (payment, exception) = waiting(fresh, &world, "aa", 3_000).await;
        let (cleo, sue) = (person(&world, "cleo", "clerk"), person(&world, "sue", "supervisor"));
        let refund = Action::RefundRequest { amount_minor: Some(1_000) };
        let ask = async |key| match act(&fresh.db, &cleo, exception, None, &refund, key).await {
            Ok(Resolution::Recommended { exception, .. }) => exception,
            other => panic!("{other:?}"),
        };
        let approval = ask("a").await;
        assert!(matches!(act(&fresh.db, &person(&world, "sen", "analyst"), exception, None, &refund, "b").await, Ok(Resolution::Done { .. })));
        let stale = act(&fresh.db, &sue, approval, None, &refund, "c").await;
        assert!(matches!(&stale, Err(ResolveError::Refused(why)) if why.contains("was changed")), "{stale:?}");
        assert_eq!(unapplied(&fresh.db, payment).await, (2_000, "exception"), "refunded once");
        assert!(is_closed(&act(&fresh.db, &sue, approval, None, &Action::Close { note: "done already".to_owned() }, "d").await));
        assert_eq!(ask("e").await, approval, "asked again, it stands for the payment as it is now");
        assert!(is_closed(&act(&fresh.db, &sue, approval, None, &refund, "f").await));
        assert_eq!(unapplied(&fresh.db, payment).await, (1_000, "exception"));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

on_both! {
    async fn what_was_applied_long_ago_is_undone_by_whom_the_rules_name(fresh) {
        let world = World::new(fresh).await;
        let (payment, exception) = waiting(fresh, &world, "aa", 1_000).await;
        let ids = items(fresh, &world, &[("A", 400), ("B", 700)]).await;
        let part = |place: usize, minor| Action::Apply { lines: vec![line(ids[place], minor)], on_account_minor: 0, customer: None, unrelated: None };
        let later = |mandate: Mandate<'static>, days| Mandate { day: mandate.day + chrono::Days::new(days), ..mandate };
        let (ann, sue) = (person(&world, "ann", "analyst"), person(&world, "sue", "supervisor"));
        assert!(matches!(act(&fresh.db, &ann, exception, None, &part(0, 400), "a").await, Ok(Resolution::Done { .. })));
        assert!(matches!(act(&fresh.db, &later(ann, 20), exception, None, &part(1, 500), "b").await, Ok(Resolution::Done { .. })));
        let applied = fresh.db.read().await.unwrap().applications(payment).await.unwrap();
        let undo = |place: Option<usize>| Action::Reverse { application: place.map(|place| applied[place].id), why: "wrong".to_owned() };

        let asked = act(&fresh.db, &later(ann, 31), exception, None, &undo(None), "c").await;
        let Ok(Resolution::Recommended { exception: approval, above }) = asked else { panic!("{asked:?}") };
        assert_eq!(above, AboveAuthority::Age { age_days: 31, limit_days: 30, amount_minor: 900, currency: Currency::USD }, "the oldest counts");
        assert_eq!((open(&fresh.db, &ids).await, unapplied(&fresh.db, payment).await), (vec![0, 200], (100, "exception")));
        let row = fresh.db.read().await.unwrap().exception(approval).await.unwrap().expect("stored");
        assert_eq!(row.message, "ann recommends to undo what was applied 31 days ago; the limit of analyst is 30 days");
        assert!(matches!(act(&fresh.db, &later(ann, 31), exception, None, &undo(Some(1)), "d").await, Ok(Resolution::Done { .. })), "11 days old");

        let nobody = act(&fresh.db, &later(sue, 366), exception, None, &undo(Some(0)), "e").await;
        assert!(matches!(&nobody, Err(ResolveError::Refused(why)) if why.contains("2026-03-02, 366 days ago") && why.contains("unapply_days")), "{nobody:?}");
        assert!(matches!(act(&fresh.db, &later(sue, 365), exception, None, &undo(Some(0)), "f").await, Ok(Resolution::Done { .. })));
        assert_eq!((open(&fresh.db, &ids).await, unapplied(&fresh.db, payment).await), (vec![400, 700], (1_000, "exception")));
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}

/// Bank returns that name no payment, each with its exception, in the order given.
async fn unclear_returns(fresh: &Fresh, world: &World, returns: &[(i64, Currency)]) -> Vec<(i64, ExceptionId)> {
    let stored = fresh.db.transact(async |tx| {
        let file = world.file(tx, "returns").await;
        let ids = tx.reserve(Kind::BankReturn, returns.len()).await?;
        let (mut new, mut exceptions, mut totals) = (Vec::new(), Vec::new(), Vec::new());
        for (seq, (id, (amount_minor, currency))) in (0_u32..).zip(ids.iter().zip(returns)) {
            let source = Source { file, location: Location::default() };
            new.push(NewReturn {
                id: *id,
                source,
                seq,
                position: seq + 1,
                currency: *currency,
                amount_minor: *amount_minor,
                code: "R01".to_owned(),
                original_trace: None,
                trace: None,
                payer_name: None,
                seller: Some(world.seller),
                held: false,
            });
            let mut exception = asked(return_key(*id), Level::Record, Reason::PaymentReturned);
            (exception.file, exception.amount) = (Some(file), Some((*amount_minor, *currency)));
            exceptions.push(exception);
            totals.push(FileTotal { kind: TotalKind::Return, currency: *currency, records: 1, amount_minor: *amount_minor });
        }
        tx.record_returns(&new).await?;
        let counts = FileCounts { returns: returns.len() as u64, ..FileCounts::default() };
        let totals = totals.into_iter().fold(Vec::<FileTotal>::new(), |mut sums, total| {
            match sums.iter_mut().find(|sum| sum.currency == total.currency) {
                Some(sum) => (sum.records, sum.amount_minor) = (sum.records + 1, sum.amount_minor + total.amount_minor),
                None => sums.push(total),
            }
            sums
        });
        let recording = Recording {
            file,
            state: FileState::Recorded,
            format: "nacha",
            verdict: "accepted",
            sender: None,
            receiver: None,
            counts,
            totals,
        };
        assert!(tx.record_file(&recording).await?);
        Ok(ids.into_iter().zip(tx.raise_exceptions(&exceptions, "engine").await?).collect())
    });
    stored.await.expect("stored")
}

on_both! {
    async fn a_person_names_the_payment_that_came_back(fresh) {
        let world = World::new(fresh).await;
        let (payment, exception) = waiting(fresh, &world, "aa", 1_000).await;
        let (other, other_exception) = waiting(fresh, &world, "bb", 400).await;
        let ids = items(fresh, &world, &[("A", 900)]).await;
        let (cleo, ann, sue) = (person(&world, "cleo", "clerk"), person(&world, "ann", "analyst"), person(&world, "sue", "supervisor"));
        let part = Action::Apply { lines: vec![line(ids[0], 900)], on_account_minor: 0, customer: None, unrelated: None };
        assert!(matches!(act(&fresh.db, &ann, exception, None, &part, "apply").await, Ok(Resolution::Done { .. })));
        let returns = unclear_returns(fresh, &world, &[(1_000, Currency::USD), (5_000, Currency::USD), (300, Currency::USD), (10, Currency::EUR)]).await;
        let names = |payment| Action::ReturnedPayment { payment };

        for (place, payment, why) in [
            (1, payment, "of which only 10.00 USD is left"), (3, payment, "is in USD, its return in EUR"), (0, PaymentId(99), "does not exist"),
        ] {
            let refused = act(&fresh.db, &ann, returns[place].1, None, &names(payment), &format!("refused-{place}")).await;
            assert!(matches!(&refused, Err(ResolveError::Refused(sentence)) if sentence.contains(why)), "{refused:?}");
        }
        let elsewhere = act(&fresh.db, &ann, other_exception, None, &names(other), "elsewhere").await;
        assert!(matches!(&elsewhere, Err(ResolveError::Refused(why)) if why.contains("no bank return")), "{elsewhere:?}");
        let late = Mandate { day: world.day + chrono::Days::new(31), ..ann };
        let late = act(&fresh.db, &late, returns[0].1, None, &names(payment), "late").await;
        assert!(matches!(&late, Ok(Resolution::Recommended { above: AboveAuthority::Age { age_days: 31, .. }, .. })), "{late:?}");

        let asked = act(&fresh.db, &cleo, returns[0].1, None, &names(payment), "a").await;
        let Ok(Resolution::Recommended { exception: approval, above }) = asked else { panic!("{asked:?}") };
        assert_eq!(above.amount(), (1_000, Currency::USD));
        assert_eq!((open(&fresh.db, &ids).await, unapplied(&fresh.db, payment).await), (vec![0], (100, "exception")));
        assert!(is_closed(&act(&fresh.db, &sue, approval, None, &names(payment), "b").await), "granted");
        assert!(matches!(act(&fresh.db, &sue, approval, None, &names(payment), "b").await, Ok(Resolution::Replayed { .. })));
        assert_eq!((open(&fresh.db, &ids).await, unapplied(&fresh.db, payment).await), (vec![900], (0, "returned")));
        let mut tx = fresh.db.begin().await.unwrap();
        let tied = tx.bank_return(returns[0].0).await.unwrap().expect("stored");
        assert_eq!((tied.payment, tied.state.as_str()), (Some(payment), "posted"));
        for settled in [returns[0].1, exception] {
            assert!(!tx.exception(settled).await.unwrap().expect("stored").open, "nothing is left to ask of {settled}");
        }
        tx.rollback().await.unwrap();
        let again = act(&fresh.db, &ann, returns[2].1, None, &names(payment), "c").await;
        assert!(matches!(&again, Err(ResolveError::Refused(why)) if why.contains("is returned")), "{again:?}");
        assert_eq!(broken(&fresh.db).await, [""; 0]);

        // A part comes back: what is left waits for a person, and the last exception about it cannot just be closed.
        assert!(is_closed(&act(&fresh.db, &ann, returns[2].1, None, &names(other), "d").await));
        assert_eq!(unapplied(&fresh.db, other).await, (100, "exception"));
        let refused = act(&fresh.db, &ann, other_exception, None, &Action::Close { note: "done".to_owned() }, "e").await;
        assert!(matches!(refused, Err(ResolveError::Refused(_))), "1.00 waits behind it: {refused:?}");
        assert_eq!(broken(&fresh.db).await, [""; 0]);
    }
}
