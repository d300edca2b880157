//! Random sequences of everything that moves money. After each sequence every promise must hold.
//!
//! What it proves: no order of receiving, applying, reversing, returning, marking, releasing and resolving loses or doubles a cent
//! or leaves the books out of balance. How: proptest draws the steps (and prints the smallest failing sequence); each step is
//! applied as far as the ledger allows it, refusals are fine, and `check` is the oracle.

use proptest::{prelude::*, test_runner::TestRunner};

use super::{broken, engine, items, line, person, proposal, received, with};
use crate::{
    domain::{
        Currency, ExceptionId, Level, LineAdjustmentKind, Location, OpenItemId, PaymentId, Proposal, Reason, Route, Source,
    },
    ledger::{
        AboveAuthority, Action, Posting, Refusal, ResolveError, apply, mark_duplicate, match_key, resolve, reverse_application,
        reverse_payment, take_back,
    },
    store::{
        FileCounts, FileState, Kind, NewException, NewReturn, Recording, Tx,
        testing::{Fresh, World},
    },
};

/// A step; numbers choose among what exists.
#[derive(Clone, Debug)]
enum Step {
    Receive(Vec<i64>),
    Invoice(i64),
    Apply { payment: usize, items: Vec<(usize, i64)>, write_off: i64, on_account: bool },
    ReversePayment(usize),
    ReverseApplication(usize, usize),
    Return(usize, i64),
    Duplicate(usize, usize),
    Resolve(usize, usize, i64),
}

fn step() -> impl Strategy<Value = Step> {
    let amount = 1_i64..2_000;
    let index = 0_usize..8;
    prop_oneof![
        2 => prop::collection::vec(amount.clone(), 1..4).prop_map(Step::Receive),
        2 => (-800_i64..2_000).prop_map(Step::Invoice),
        5 => (index.clone(), prop::collection::vec((index.clone(), 1_i64..1_200), 0..4), -40_i64..140, any::<bool>())
            .prop_map(|(payment, items, write_off, on_account)| Step::Apply { payment, items, write_off, on_account }),
        1 => index.clone().prop_map(Step::ReversePayment),
        1 => (index.clone(), index.clone()).prop_map(|(payment, application)| Step::ReverseApplication(payment, application)),
        1 => (index.clone(), amount.clone()).prop_map(|(payment, amount)| Step::Return(payment, amount)),
        1 => (index.clone(), index.clone()).prop_map(|(payment, of)| Step::Duplicate(payment, of)),
        3 => (index.clone(), index, amount).prop_map(|(exception, item, amount)| Step::Resolve(exception, item, amount)),
    ]
}

/// What a sequence has made so far.
struct Run<'a> {
    fresh: &'a Fresh,
    world: World,
    payments: Vec<PaymentId>,
    items: Vec<OpenItemId>,
    made: usize,
}

fn pick<T: Copy>(from: &[T], index: usize) -> Option<T> {
    (!from.is_empty()).then(|| from[index % from.len()])
}

impl Run<'_> {
    fn name(&mut self, what: &str) -> String {
        self.made += 1;
        format!("{what}-{}", self.made)
    }

    async fn step(&mut self, step: &Step) -> anyhow::Result<()> {
        let mut tx = match step {
            Step::Receive(amounts) => {
                let name = self.name("file");
                let (_, payments) = received(self.fresh, &self.world, &name, amounts).await;
                self.payments.extend(payments.iter().map(|new| new.payment.id));
                return Ok(());
            }
            Step::Invoice(amount) => {
                let number = self.name("INV");
                self.items.extend(items(self.fresh, &self.world, &[(&number, *amount)]).await);
                return Ok(());
            }
            _ => self.fresh.db.begin().await?,
        };
        match self.move_money(&mut tx, step).await {
            Ok(()) => {
                self.ask_about_what_waits(&mut tx).await?;
                tx.commit().await
            }
            Err(error) if error.is::<Refusal>() || error.is::<AboveAuthority>() => tx.rollback().await,
            Err(error) => Err(error),
        }
    }

    async fn move_money(&mut self, tx: &mut Tx, step: &Step) -> anyhow::Result<()> {
        let ann = person(&self.world, "ann", "analyst");
        match step {
            Step::Receive(_) | Step::Invoice(_) => {}
            Step::Apply { payment, items, write_off, on_account } => {
                let Some(payment) = pick(&self.payments, *payment) else { return Ok(()) };
                self.apply(tx, payment, items, *write_off, *on_account).await?;
            }
            Step::ReversePayment(payment) => {
                let Some(payment) = pick(&self.payments, *payment) else { return Ok(()) };
                reverse_payment(tx, &ann, payment, "random").await?;
            }
            Step::ReverseApplication(payment, application) => {
                let Some(payment) = pick(&self.payments, *payment) else { return Ok(()) };
                let ids: Vec<_> = tx.applications(payment).await?.iter().map(|application| application.id).collect();
                let Some(application) = pick(&ids, *application) else { return Ok(()) };
                reverse_application(tx, &ann, application, "random").await?;
            }
            Step::Return(payment, amount_minor) => {
                let Some(payment) = pick(&self.payments, *payment) else { return Ok(()) };
                let bank_return = self.bank_return(tx, *amount_minor).await?;
                take_back(tx, &engine(&self.world), bank_return, payment).await?;
            }
            Step::Duplicate(payment, of) => {
                let Some(payment) = pick(&self.payments, *payment) else { return Ok(()) };
                let Some(of) = pick(&self.payments, *of) else { return Ok(()) };
                mark_duplicate(tx, &ann, payment, of).await?;
            }
            Step::Resolve(exception, item, amount) => self.resolve(tx, *exception, *item, *amount).await?,
        }
        Ok(())
    }

    async fn apply(
        &self,
        tx: &mut Tx,
        payment: PaymentId,
        wanted: &[(usize, i64)],
        write_off: i64,
        on_account: bool,
    ) -> anyhow::Result<()> {
        let row = tx.payment(payment).await?.expect("it was stored");
        let (mut lines, mut left) = (Vec::new(), row.unapplied_minor);
        for (index, amount) in wanted {
            let Some(item) = pick(&self.items, *index) else { continue };
            let open = tx.open_items(&[item]).await?[0].open_minor;
            let cash = if open < 0 { -(amount.min(&-open)) } else { *amount.min(&open).min(&left.max(0)) };
            left -= cash;
            let kind = if amount % 2 == 0 { LineAdjustmentKind::WriteOff } else { LineAdjustmentKind::Deduction };
            lines.push(if write_off == 0 { line(item, cash) } else { with(line(item, cash), kind, write_off, "06") });
        }
        let kept = if on_account { left.max(0) } else { 0 };
        let made = Proposal { on_account_minor: kept, ..proposal(lines, left.max(0) - kept) };
        let posting =
            Posting { payment, version: row.version, proposal: &made, decision: None, refund_minor: 0, note: None, owners: &[] };
        apply(tx, &engine(&self.world), &[posting]).await?;
        Ok(())
    }

    async fn bank_return(&mut self, tx: &mut Tx, amount_minor: i64) -> anyhow::Result<i64> {
        let name = self.name("returns");
        let file = self.world.file(tx, &name).await;
        let id = tx.reserve_one(Kind::BankReturn).await?;
        let source = Source { file, location: Location::default() };
        let code = "R01".to_owned();
        let new = NewReturn {
            id,
            source,
            seq: 0,
            position: 1,
            currency: Currency::USD,
            amount_minor,
            code,
            original_trace: None,
            trace: None,
            payer_name: None,
            seller: None,
            held: false,
        };
        tx.record_returns(&[new]).await?;
        let counts = FileCounts { returns: 1, ..FileCounts::default() };
        let recording = Recording {
            file,
            state: FileState::Recorded,
            format: "nacha",
            verdict: "accepted",
            sender: None,
            receiver: None,
            counts,
            totals: Vec::new(),
        };
        tx.record_file(&recording).await?;
        Ok(id)
    }

    async fn resolve(&mut self, tx: &mut Tx, exception: usize, item: usize, amount: i64) -> anyhow::Result<()> {
        let open: Vec<ExceptionId> = tx
            .exceptions(&crate::store::ExceptionFilter { open: Some(true), ..Default::default() })
            .await?
            .iter()
            .map(|row| row.id)
            .collect();
        let (Some(exception), Some(item)) = (pick(&open, exception), pick(&self.items, item)) else { return Ok(()) };
        let action = match amount % 7 {
            0 => Action::OnAccount { amount_minor: None, customer: Some(self.world.customer), unrelated: None },
            1 => Action::RefundRequest { amount_minor: Some(amount) },
            2 => Action::WriteOff { item, amount_minor: amount % 60, reason: "small".to_owned() },
            3 => Action::Deduct { item, amount_minor: amount % 90, reason_code: "59".to_owned() },
            4 => Action::Reverse { application: None, why: "random".to_owned() },
            5 => Action::Close { note: "random".to_owned() },
            _ => Action::Apply { lines: vec![line(item, amount)], on_account_minor: 0, customer: None, unrelated: None },
        };
        let key = self.name("form");
        match resolve(tx, &person(&self.world, "ann", "analyst"), exception, None, &action, &key).await {
            Ok(_) => Ok(()),
            Err(ResolveError::Other(error)) => Err(error),
            Err(refused) => Err(Refusal(refused.to_string()).into()),
        }
    }

    /// What the pipeline does: a payment that waits for a person has an open exception.
    async fn ask_about_what_waits(&self, tx: &mut Tx) -> anyhow::Result<()> {
        let mut unseen = Vec::new();
        for payment in tx.payments(&self.payments).await? {
            let open = tx
                .exceptions(&crate::store::ExceptionFilter { open: Some(true), payment: Some(payment.id), ..Default::default() })
                .await?;
            if payment.state == crate::domain::PaymentState::Exception && open.is_empty() {
                let route =
                    Route { queue: "cash_application".to_owned(), owner: None, due_hours: 24, rule: "default".to_owned() };
                let mut new = NewException::new(
                    match_key(payment.id),
                    Level::Payment,
                    Reason::NoRemittance,
                    route,
                    "What is it for?".to_owned(),
                );
                new.payment = Some(payment.id);
                unseen.push(new);
            }
        }
        tx.raise_exceptions(&unseen, "engine").await?;
        Ok(())
    }
}

async fn run(fresh: &Fresh, steps: &[Step]) -> Vec<String> {
    let world = World::new(fresh).await;
    let mut run = Run { fresh, world, payments: Vec::new(), items: Vec::new(), made: 0 };
    for step in steps {
        run.step(step).await.expect("a step either moves money or is refused");
    }
    broken(&fresh.db).await
}

fn always_green(cases: u32, postgres: bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let mut runner = TestRunner::new(ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() });
    let steps = prop::collection::vec(step(), 5..40);
    let outcome = runner.run(&steps, |steps| {
        let found = runtime.block_on(async {
            let fresh = if postgres { Fresh::postgres().await? } else { Fresh::sqlite().await };
            let found = run(&fresh, &steps).await;
            fresh.close().await;
            Some(found)
        });
        prop_assert_eq!(found.unwrap_or_default(), Vec::<String>::new());
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{failure}");
    }
}

#[test]
fn random_sequences_keep_every_promise_on_sqlite() {
    always_green(24, false);
}

#[test]
fn random_sequences_keep_every_promise_on_postgres() {
    always_green(4, true);
}
