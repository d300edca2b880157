//! Payments, their advices and bank returns.

use crate::{
    domain::{Currency, PaymentId, PaymentState, RemittanceId, RemittanceState},
    store::{
        PaymentChange,
        testing::{World, on_both},
    },
};

on_both! {
    async fn a_file_of_payments_comes_back_as_it_went_in(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let file = world.file(&mut tx, "aa").await;
        let payments = world.payments(&mut tx, file, &vec![100; 1_234]).await;
        let ids: Vec<_> = payments.iter().map(|new| new.payment.id).collect();
        let stored = tx.payments(&ids).await.unwrap();
        assert!(stored.iter().zip(&payments).all(|(stored, new)| *stored == new.payment));
        let part = tx.payments_of_file(file, 500, 510).await.unwrap();
        assert_eq!(part.iter().map(|payment| payment.seq).collect::<Vec<_>>(), (500..510).collect::<Vec<_>>());
        assert_eq!(tx.payment(ids[7]).await.unwrap().as_ref(), Some(&stored[7]));
        assert_eq!(tx.payments_by_trace("T7").await.unwrap().len(), 1);
        assert_eq!(tx.count_payments_of_file(file).await.unwrap(), 1_234);
        assert_eq!(tx.receipts_of_file(file).await.unwrap(), [(Some(world.seller), Currency::USD, 123_400)]);
        let again = tx.record_payments(&payments[..1]).await;
        assert!(again.is_err(), "(file, seq) is the key of a payment");
    }
}

on_both! {
    async fn a_change_applies_to_the_version_it_was_decided_on(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let file = world.file(&mut tx, "aa").await;
        let id = world.payments(&mut tx, file, &[100]).await[0].payment.id;
        let change = PaymentChange { id, version: 1, unapplied_minor: 40, state: PaymentState::Exception, customer: Some(world.customer), touches: 1 };
        tx.change_payments(std::slice::from_ref(&change)).await.unwrap();
        let error = tx.change_payments(&[change]).await.expect_err("version 1 is gone");
        assert!(crate::store::wants_retry(&error));
        let stored = tx.payment(id).await.unwrap().expect("stored");
        assert_eq!((stored.version, stored.unapplied_minor, stored.payer.customer), (2, 40, Some(world.customer)));
        let beyond = PaymentChange { id, version: 2, unapplied_minor: 101, state: PaymentState::Exception, customer: None, touches: 0 };
        let error = tx.change_payments(&[beyond]).await.expect_err("more than came in");
        assert!(crate::store::violated_constraint(&error).is_some_and(|name| name.contains("payment_unapplied")), "{error:#}");
    }
}

on_both! {
    async fn an_advice_is_linked_once(fresh) {
        let world = World::new(fresh).await;
        let mut tx = fresh.db.begin().await.unwrap();
        let file = world.file(&mut tx, "aa").await;
        let payments = world.payments(&mut tx, file, &[100, 100]).await;
        let advice = world.remittance(&mut tx, file, 0, 100).await;
        tx.record_remittances(std::slice::from_ref(&advice)).await.unwrap();
        assert_eq!(tx.waiting_remittances().await.unwrap(), std::slice::from_ref(&advice));
        let (first, second) = (payments[0].payment.id, payments[1].payment.id);
        tx.link_remittances(&[(advice.id, first)]).await.unwrap();
        let linked = tx.remittance(advice.id).await.unwrap().expect("stored");
        assert_eq!((linked.payment, linked.state), (Some(first), RemittanceState::Linked));
        assert_eq!(tx.payment(first).await.unwrap().expect("stored").remittance, Some(advice.id));
        assert_eq!(tx.remittances_of_payments(&[first, second]).await.unwrap(), [linked]);
        assert!(tx.link_remittances(&[(advice.id, second)]).await.is_err());
        assert!(tx.link_remittances(&[(RemittanceId(99), PaymentId(99))]).await.is_err());
    }
}
