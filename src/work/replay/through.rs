//! A world through the store: imported, recorded, decided, posted and taken back as production does it, by the same functions and jobs.
//!
//! Only where the rows come from differs: from lines of a world and not from the reader of a file. What the lines of a file were is archived all the
//! same, so that `check` finds it.

use std::{
    collections::{BTreeMap, HashMap},
    io::Write,
    time::Instant,
};

use anyhow::Context as _;
use tieout_parsers::Status;

use super::{
    Tally,
    event::{Event, What},
    label::Label,
    record::{self, Made, TakenBack},
    world::{Day, World},
};
use crate::{
    clock::Clock,
    domain::{FileId, OpenItemId, PaymentId, Remittance},
    ledger::{Action, Mandate, Resolution, match_key},
    store::{FileCounts, FileState, FileTotal, Kind, NewArrival, NewPayment, NewReturn, Recording, TotalKind, Tx},
    work::{
        engine::Engine,
        exceptions::Raiser,
        master_data::{Import, Stored},
        parse_job::match_jobs,
    },
};

/// The role of whoever imports, and books what is labelled.
const ROLE: &str = "supervisor";
/// The door that files of a world come by.
const DOOR: &str = "replay";
/// Payments whose decisions are read at once.
const BLOCK: usize = 1_000;

/// What a replay through the store is asked for.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub world: &'a World,
    /// With labels, each day's held payments are booked as labelled once the day is over.
    pub labels: Option<&'a HashMap<String, Label>>,
    /// Who imports and books.
    pub user: &'a str,
    /// Payments that are told in words.
    pub told: &'a [String],
}

impl Engine {
    /// Lives through a world on a fresh database and writes one JSON line for each payment and return. `progress` is told the events so far.
    pub async fn live(&self, asked: Asked<'_>, out: &mut dyn Write, progress: &mut dyn FnMut(u64)) -> anyhow::Result<Tally> {
        let Asked { world, labels, user, told } = asked;
        let by_name = world.items_by_name();
        let (mut tally, mut done) = (Tally::default(), 0);
        self.settle_in(world, &self.mandate_of(user, ROLE)).await.context("importing the world")?;
        for day in world.days() {
            let engine = self.on(Clock::business_day(day.day)).await?;
            let mandate = engine.mandate_of(user, ROLE);
            engine.enter(day, &mandate).await.with_context(|| format!("entering the items of {}", day.day))?;
            let began = Instant::now();
            for file in day.files() {
                engine.bring(world, file).await.with_context(|| format!("bringing a file of {}", day.day))?;
                engine.run_until_idle().await?;
                done += file.len() as u64;
                progress(done);
            }
            tally.took += began.elapsed();
            if let Some(labels) = labels {
                engine
                    .teach(day, labels, &by_name, &mandate)
                    .await
                    .with_context(|| format!("booking the labels of {}", day.day))?;
            }
        }
        self.seal_audit().await?;
        self.tell_world(world, told, &mut tally, out).await?;
        Ok(tally)
    }

    /// Customers and rates, before anything happens.
    pub(in crate::work) async fn settle_in(&self, world: &World, mandate: &Mandate<'_>) -> anyhow::Result<()> {
        let import = Import { mandate, files: &[], looks_again: false };
        let stored = self.import_customers(&import, &world.customer_rows).await?;
        all_new(&stored, world.customer_rows.len())?;
        if !world.rates.is_empty() {
            self.import_rates(&import, &world.rates).await?;
        }
        let mut tx = self.db.read().await?;
        let known = tx.customers_changed_since(0).await?.0;
        tx.rollback().await?;
        let same = known.iter().zip(&world.customers).all(|(stored, ours)| (stored.id, &stored.code) == (ours.id, &ours.code));
        anyhow::ensure!(same && known.len() == world.customers.len(), "the store numbers customers in another order");
        Ok(())
    }

    /// The items of a day, as the ERP's export of that morning has them.
    pub(in crate::work) async fn enter(&self, day: Day<'_>, mandate: &Mandate<'_>) -> anyhow::Result<()> {
        if day.items.is_empty() {
            return Ok(());
        }
        let (stored, unknown) =
            self.import_open_items(&Import { mandate, files: &[], looks_again: false }, day.items, false).await?;
        anyhow::ensure!(unknown.is_empty(), "{} items name what is not known", unknown.len());
        all_new(&stored, day.items.len())
    }

    /// Archives and records a file of the world in one transaction, and makes its jobs.
    pub(in crate::work) async fn bring(&self, world: &World, events: &[Event]) -> anyhow::Result<()> {
        let Some(file) = events.first().map(|event| event.file) else { return Ok(()) };
        let rows = Rows::of(events);
        let text: String = events.iter().map(|event| world.line(event)).collect();
        let archived = self.archive.take(&mut text.as_bytes())?;
        let arrival = NewArrival {
            sha256: &archived.sha256,
            name: &format!("{file}.jsonl"),
            size_bytes: archived.size_bytes,
            door: DOOR,
            key: &archived.sha256,
            business_day: self.clock.today(),
            format_forced: None,
        };
        let mut tx = self.db.begin().await?;
        let received = tx.receive_file(&arrival).await?;
        anyhow::ensure!(received.file == file, "{file} of the world is file {} of the store", received.file);
        rows.record(&mut tx, file).await?;
        let directory = self.directory(&mut tx).await?;
        let raiser = Raiser { rules: &self.rules, directory: &directory };
        self.make_live(
            &mut tx,
            &raiser,
            file,
            match_jobs(file, rows.payments.len() as u64, rows.waiting(), !rows.returns.is_empty()),
        )
        .await?;
        tx.commit().await
    }

    /// The day is over: a person books what was held.
    async fn teach(
        &self,
        day: Day<'_>,
        labels: &HashMap<String, Label>,
        by_name: &BTreeMap<&str, OpenItemId>,
        mandate: &Mandate<'_>,
    ) -> anyhow::Result<()> {
        for (name, id) in day.payments() {
            let Some(label) = labels.get(name) else { continue };
            let mut tx = self.db.read().await?;
            let payment = tx.payment(id).await?;
            let items = tx.open_items(&label.items(by_name)).await?.into_iter().map(|item| (item.id, item)).collect();
            let exception = tx.exception_by_key(&match_key(id)).await?;
            tx.rollback().await?;
            let Some(lines) = payment.and_then(|payment| label.booking(&payment, by_name, &items)) else { continue };
            let exception = exception.with_context(|| format!("{name} waits, and no exception says so"))?;
            let unrelated = Some("the label of the world says so".to_owned());
            let action = Action::Apply { lines, on_account_minor: 0, customer: None, unrelated };
            let key = format!("{DOOR}:{id}");
            let resolved = self.resolve(mandate, exception.id, Some(exception.version), &action, &key).await;
            match resolved.with_context(|| format!("booking what {name} paid"))? {
                Resolution::Done { .. } => {}
                other => anyhow::bail!("what {name} paid could not be booked: {other:?}"),
            }
        }
        self.run_until_idle().await
    }

    /// Reads back what became of everything.
    async fn tell_world(&self, world: &World, told: &[String], tally: &mut Tally, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut tx = self.db.read().await?;
        let mut made: HashMap<PaymentId, Vec<Made>> = HashMap::new();
        let ids: Vec<PaymentId> = world.payments().map(|(_, payment)| payment.id).collect();
        for block in ids.chunks(BLOCK) {
            for (stored, stands) in tx.decisions_of_payments(block).await? {
                let posted = stored.decision.posts() && stands;
                tally.refused += u64::from(stored.decision.posts() && !stands);
                made.entry(stored.payment).or_default().push(Made { decision: stored.decision, posted });
            }
        }
        let mut returns = Vec::new();
        for event in &world.events {
            if let What::Return { name, .. } = &event.what {
                let stored = tx.bank_returns_of_file(event.file).await?;
                returns.push(TakenBack { name, original: stored.first().and_then(|stored| stored.payment) });
            }
        }
        tx.rollback().await?;
        record::write(out, world, &returns, |id| made.get(&id).map_or(&[], Vec::as_slice))?;
        tally.count(made.values().map(Vec::as_slice), &returns);
        let last = |id| Some(made.get(&id)?.last()?.decision.clone());
        tally.told = told.iter().map(|name| world.tell(name, last)).collect();
        Ok(())
    }
}

/// Rows that a file brings.
struct Rows {
    payments: Vec<NewPayment>,
    remittances: Vec<Remittance>,
    returns: Vec<NewReturn>,
}

impl Rows {
    fn of(events: &[Event]) -> Self {
        let mut rows = Self { payments: Vec::new(), remittances: Vec::new(), returns: Vec::new() };
        for event in events {
            match &event.what {
                What::Payment { new, advice, .. } => {
                    rows.payments.push((**new).clone());
                    rows.remittances.extend(advice.as_deref().cloned());
                }
                What::Advice(remittance) => rows.remittances.push((**remittance).clone()),
                What::Return { returned, .. } => rows.returns.push((**returned).clone()),
            }
        }
        rows
    }

    /// Advices that came without their payment.
    fn waiting(&self) -> usize {
        self.remittances.iter().filter(|remittance| remittance.payment.is_none()).count()
    }

    async fn record(&self, tx: &mut Tx, file: FileId) -> anyhow::Result<()> {
        reserve(tx, Kind::Payment, self.payments.iter().map(|new| new.payment.id.0)).await?;
        reserve(tx, Kind::Remittance, self.remittances.iter().map(|remittance| remittance.id.0)).await?;
        reserve(tx, Kind::BankReturn, self.returns.iter().map(|returned| returned.id)).await?;
        tx.record_payments(&self.payments).await?;
        tx.record_returns(&self.returns).await?;
        tx.record_remittances(&self.remittances).await?;
        let lines = self.remittances.iter().map(|remittance| remittance.lines.len() as u64).sum();
        let counts = FileCounts {
            payments: self.payments.len() as u64,
            returns: self.returns.len() as u64,
            remittances: self.remittances.len() as u64,
            remittance_lines: lines,
            ..FileCounts::default()
        };
        let recording = Recording {
            file,
            state: FileState::Recorded,
            format: "world",
            verdict: Status::Accepted.as_str(),
            sender: None,
            receiver: None,
            counts,
            totals: self.totals()?,
        };
        anyhow::ensure!(tx.record_file(&recording).await?, "file {file} was recorded before");
        Ok(())
    }

    fn totals(&self) -> anyhow::Result<Vec<FileTotal>> {
        let payments = self.payments.iter().map(|new| (TotalKind::Payment, new.payment.currency, new.payment.amount_minor));
        let returns = self.returns.iter().map(|returned| (TotalKind::Return, returned.currency, returned.amount_minor));
        let mut totals: BTreeMap<_, (u64, i64)> = BTreeMap::new();
        for (kind, currency, amount) in payments.chain(returns) {
            let (records, sum) = totals.entry((kind, currency)).or_default();
            *records += 1;
            *sum = sum.checked_add(amount).context("the amounts of a file are too large")?;
        }
        let total = |((kind, currency), (records, amount_minor))| FileTotal { kind, currency, records, amount_minor };
        Ok(totals.into_iter().map(total).collect())
    }
}

/// Takes the ids that the rows bear. Decisions break ties by id, so both ways of replaying must number alike.
async fn reserve(tx: &mut Tx, kind: Kind, ids: impl Iterator<Item = i64>) -> anyhow::Result<()> {
    let ids: Vec<_> = ids.collect();
    let reserved = tx.reserve(kind, ids.len()).await?;
    anyhow::ensure!(reserved == ids, "the store numbers {kind:?} rows in another order; a replay needs a fresh database");
    Ok(())
}

fn all_new(stored: &Stored, rows: usize) -> anyhow::Result<()> {
    anyhow::ensure!(stored.inserted == rows as u64, "of {rows} rows only {} are new: one stands there twice", stored.inserted);
    Ok(())
}
