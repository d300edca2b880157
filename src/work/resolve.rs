//! What a person decided, and what the engine does because of it.

use serde_json::json;

use super::{
    consumer::JobKind,
    engine::{ENGINE, Engine},
    exceptions::{Raiser, exception_of_file},
    parse_job::match_jobs,
};
use crate::{
    audit,
    domain::{ExceptionId, FileId, JobId, PaymentId, Reason},
    ledger::{self, Action, Mandate, Resolution, ResolveError},
    store::{AuditEvent, Exception, Job, Tx},
};

const TRIES_MAX: u32 = 8;

impl Engine {
    /// A person acts, in a role, within its limits.
    pub fn mandate_of<'a>(&'a self, actor: &'a str, role: &'a str) -> Mandate<'a> {
        Mandate { actor, role, person: true, day: self.clock.today(), policy: &*self.rules, agreed: None }
    }

    /// Does what a person decided, once for each key, and makes the jobs that follow from it in the same transaction.
    pub async fn resolve(
        &self,
        mandate: &Mandate<'_>,
        exception: ExceptionId,
        seen: Option<i64>,
        action: &Action,
        key: &str,
    ) -> Result<Resolution, ResolveError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut tx = self.db.begin().await?;
            let resolved = match self.resolve_in(&mut tx, mandate, exception, seen, action, key).await {
                Ok(resolution) => tx.commit().await.map(|()| resolution).map_err(ResolveError::from),
                Err(error) => {
                    tx.rollback().await?;
                    Err(error)
                }
            };
            match resolved {
                Ok(resolution) => {
                    self.wake.notify_waiters();
                    return Ok(resolution);
                }
                Err(error) if error.wants_retry() && tries < TRIES_MAX => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn resolve_in(
        &self,
        tx: &mut Tx,
        mandate: &Mandate<'_>,
        exception: ExceptionId,
        seen: Option<i64>,
        action: &Action,
        key: &str,
    ) -> Result<Resolution, ResolveError> {
        let resolution = ledger::resolve(tx, mandate, exception, seen, action, key).await?;
        if let (Resolution::Done { .. }, Action::Reverse { .. }) = (&resolution, action)
            && let Some(payment) = tx.exception(exception).await?.and_then(|exception| exception.payment)
        {
            self.demote_where_due(tx, payment).await?;
        }
        if let Resolution::Done { match_again, released, .. } = &resolution {
            if !match_again.is_empty() {
                let payload = json!({ "payments": match_again });
                tx.enqueue(&[JobKind::Match.job(format!("match:again:{key}"), payload)]).await?;
            }
            if matches!(action, Action::Confirm | Action::Wrong { .. } | Action::Reverse { .. }) {
                self.follow(tx).await?;
            }
            if let Some(file) = released {
                let directory = self.directory(tx).await?;
                let raiser = Raiser { rules: &self.rules, directory: &directory };
                self.join_sources(tx, &raiser, *file).await?;
                enqueue_released(tx, *file).await?;
            }
        }
        Ok(resolution)
    }

    /// A job that failed too often is an exception; its file stands still until somebody retries it.
    pub(super) async fn raise_parked(&self, tx: &mut Tx, job: &Job) -> anyhow::Result<()> {
        let file = job.payload["file"].as_i64().map_or(FileId(0), FileId);
        let message =
            format!("the engine failed five times to {} it and stopped; the log says why under job {}", job.kind, job.id);
        let mut exception = exception_of_file(&self.rules, file, message);
        exception.key = parked_key(job.id);
        exception.file = (file != FileId(0)).then_some(file);
        tx.raise_exceptions(&[exception], ENGINE).await?;
        Ok(())
    }

    /// A person doubts what became of a payment, an automatic posting too: it becomes an exception that can be decided like any other.
    pub async fn question(
        &self,
        payment: PaymentId,
        reason: Reason,
        why: &str,
        actor: &str,
    ) -> anyhow::Result<Option<ExceptionId>> {
        let mut tx = self.db.begin().await?;
        let Some(payment) = tx.payment(payment).await? else { return Ok(None) };
        let directory = self.directory(&mut tx).await?;
        let raiser = Raiser { rules: &self.rules, directory: &directory };
        let exception = raiser.payment(&payment, reason, format!("payment:{}:question", payment.id.0), why.to_owned());
        let raised = tx.raise_exceptions(&[exception], actor).await?;
        let detail = format!("{reason}: {why}");
        let event =
            AuditEvent { actor: actor.to_owned(), action: "question".to_owned(), subject: payment.id.to_string(), detail };
        audit::record(&mut tx, &[event]).await?;
        tx.commit().await?;
        Ok(raised.first().copied())
    }

    /// Gives the parked job behind an exception its tries back; false when the exception is about something else or closed.
    pub async fn retry_parked(&self, mandate: &Mandate<'_>, exception: &Exception) -> anyhow::Result<bool> {
        ledger::may_work(mandate.role, "try a job again")?;
        let job = exception.key.strip_prefix(PARKED).and_then(|id| id.parse().ok());
        let Some(job) = job.filter(|_| exception.open) else { return Ok(false) };
        let mut tx = self.db.begin().await?;
        let unparked = tx.unpark(job).await?;
        tx.clear_exceptions(std::slice::from_ref(&exception.key), "tried again", mandate.actor).await?;
        if unparked {
            tell(&mut tx, mandate, "retry", exception.id, format!("job {job}")).await?;
        }
        tx.commit().await?;
        self.wake.notify_waiters();
        Ok(unparked)
    }

    /// Gives an exception to somebody; false when it is closed or no longer as it was seen.
    pub async fn assign(&self, mandate: &Mandate<'_>, exception: &Exception, owner: &str) -> anyhow::Result<bool> {
        ledger::may_work(mandate.role, "assign exceptions")?;
        self.db
            .transact(async |tx| {
                let assigned = tx.assign_exception(exception.id, exception.version, Some(owner), mandate.actor).await?;
                if assigned {
                    tell(tx, mandate, "assign", exception.id, owner.to_owned()).await?;
                }
                Ok(assigned)
            })
            .await
    }

    /// Adds a note to an exception, an open or a closed one.
    pub async fn note(&self, mandate: &Mandate<'_>, exception: ExceptionId, text: &str) -> anyhow::Result<()> {
        ledger::may_work(mandate.role, "write notes")?;
        self.db
            .transact(async |tx| {
                tx.note_exception(exception, mandate.actor, text).await?;
                tell(tx, mandate, "note", exception, text.to_owned()).await
            })
            .await
    }
}

async fn tell(tx: &mut Tx, mandate: &Mandate<'_>, action: &str, exception: ExceptionId, detail: String) -> anyhow::Result<()> {
    let event = AuditEvent { actor: mandate.actor.to_owned(), action: action.to_owned(), subject: exception.to_string(), detail };
    audit::record(tx, &[event]).await
}

const PARKED: &str = "job:";

fn parked_key(job: JobId) -> String {
    format!("{PARKED}{job}")
}

/// A released file goes on where it was held: its invoices are read, its payments matched, its advices linked.
async fn enqueue_released(tx: &mut Tx, file: FileId) -> anyhow::Result<()> {
    let payments = u64::try_from(tx.count_payments_of_file(file).await?)?;
    let waiting = tx.remittances_of_file(file).await?.iter().filter(|remittance| remittance.payment.is_none()).count();
    let has_returns = !tx.bank_returns_of_file(file).await?.is_empty();
    let mut jobs = match_jobs(file, payments, waiting, has_returns);
    jobs.push(JobKind::Invoices.job(format!("invoices:{file}"), json!({ "file": file })));
    tx.enqueue(&jobs).await?;
    Ok(())
}
