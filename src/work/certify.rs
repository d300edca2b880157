//! The certificate: labels are gathered, the bound is computed, and what may post follows from it.
//!
//! What is in force is the last certificate, tightened by every label since. It is computed from the rows whenever they changed, so that any number of
//! processes agree, before and after a restart.

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context;
use chrono::{Days, NaiveDate};
use serde_json::json;

use super::engine::{ENGINE, Engine};
use crate::{
    audit,
    certificate::{Certificate, Given, Label, Plan, Tightened, Watch, issue},
    domain::{AmountClass, Currency, ExceptionFacts, Level, Permit, Permits, Reason, Stratum},
    ledger::{self, Mandate},
    rules::{CertificateRules, RuleSet, Stage, amount::Percent},
    store::{AuditEvent, Counted, Drawn, NewException, StoredCertificate, Tx},
};

/// A certificate as it was drawn up.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Its number; nothing where it was only looked at.
    pub number: Option<i64>,
    pub business_day: NaiveDate,
    pub certificate: Certificate,
}

/// What may post, and up to which rows that is known.
#[derive(Default)]
pub struct Followed {
    mark: Mark,
    permits: Arc<Permits>,
}

/// Rows and rules that what may post follows from. Labels are never changed, so their number and the last of them tell whether any is new.
#[derive(Default, PartialEq, Eq)]
struct Mark {
    certificate: i64,
    labels: i64,
    last: i64,
    rule_set: String,
    day: Option<NaiveDate>,
}

impl Engine {
    /// Draws up a certificate. With `keep` it is stored, and in force once the transaction commits.
    pub async fn certify(&self, mandate: &Mandate<'_>, keep: bool) -> anyhow::Result<Issued> {
        ledger::may_work(mandate.role, "certify")?;
        let issued = self
            .db
            .transact(async |tx| {
                let now = self.permits(tx).await?;
                let given = given(tx, &self.rules, &now, self.clock.today()).await?;
                let certificate = issue(plan(&self.rules.certificate), self.rules.hash.clone(), &given);
                let number = if keep { Some(self.store(tx, mandate, &certificate).await?) } else { None };
                Ok(Issued { number, business_day: self.clock.today(), certificate })
            })
            .await?;
        Ok(issued)
    }

    async fn store(&self, tx: &mut Tx, mandate: &Mandate<'_>, certificate: &Certificate) -> anyhow::Result<i64> {
        let (_, labels_until) = tx.label_mark().await?;
        let body = serde_json::to_string(certificate).context("writing a certificate")?;
        let number = tx.record_certificate(&certificate.rule_set, labels_until, &body, mandate.actor, self.clock.today()).await?;
        let strata: Vec<_> = certificate
            .strata
            .iter()
            .map(|line| {
                json!({ "stratum": line.stratum, "labels": line.labels, "errors": line.errors, "bound_ppm": line.bound_ppm,
                        "posts": line.posts })
            })
            .collect();
        let event = AuditEvent {
            actor: mandate.actor.to_owned(),
            action: "certify".to_owned(),
            subject: format!("certificate {number}"),
            detail: json!({ "plan": certificate.plan, "strata": strata }).to_string(),
        };
        audit::record(tx, &[event]).await?;
        Ok(number)
    }

    /// The certificate in force, as it was drawn up.
    pub async fn last_certificate(&self) -> anyhow::Result<Option<Issued>> {
        let mut tx = self.db.read().await?;
        let stored = tx.last_certificate().await?;
        tx.rollback().await?;
        let issued = |stored: StoredCertificate| {
            Ok(Issued { number: Some(stored.number), business_day: stored.business_day, certificate: read(&stored)? })
        };
        stored.map(issued).transpose()
    }

    /// What may post now.
    pub(super) async fn permits(&self, tx: &mut Tx) -> anyhow::Result<Arc<Permits>> {
        let (labels, last) = tx.label_mark().await?;
        let mark = Mark {
            certificate: tx.last_certificate_number().await?,
            labels,
            last,
            rule_set: self.rules.hash.clone(),
            day: Some(self.clock.today()),
        };
        let mut followed = self.followed.lock().await;
        if followed.mark != mark {
            let permits = Arc::new(self.follow(tx).await?);
            *followed = Followed { mark, permits };
        }
        Ok(Arc::clone(&followed.permits))
    }

    /// Follows the labels of this transaction too, and tells of every alarm that nobody was told of yet. What is not committed is not remembered.
    pub(super) async fn follow(&self, tx: &mut Tx) -> anyhow::Result<Permits> {
        let stored = tx.last_certificate().await?;
        let certificate = stored.as_ref().map(read).transpose()?;
        let known = stored.as_ref().zip(certificate.as_ref()).map(|(stored, certificate)| (stored.number, certificate));
        let mut watch = Watch::new(plan(&self.rules.certificate), known);
        for label in tx.posted_labels_after(stored.as_ref().map_or(0, |stored| stored.labels_until)).await? {
            let Counted { stratum, .. } = &label.decision;
            let safe = self.rules.engine.is_safe(&stratum.rule);
            if let Some(tightened) = watch.see(stratum, safe, &label_of(&label.decision, label.wrong, true)) {
                self.tell(tx, label.id, &tightened).await?;
            }
        }
        Ok(watch.permits().clone())
    }

    async fn tell(&self, tx: &mut Tx, label: i64, tightened: &Tightened) -> anyhow::Result<()> {
        let key = format!("alarm:{label}");
        if tx.exception_by_key(&key).await?.is_some() {
            return Ok(());
        }
        let Tightened { stratum, before, after } = tightened;
        let budget = self.rules.certificate.budget.error_rate;
        let message =
            format!("{stratum}: more than {budget} % of the postings are wrong; {} posted, now {}", said(*before), said(*after));
        let facts = ExceptionFacts {
            reason: Reason::DriftAlarm,
            level: Level::Record,
            amount_minor: 0,
            currency: Currency::USD,
            seller_code: None,
            customer_code: None,
            portfolio_owner: None,
            reason_code: None,
        };
        let route = self.rules.routing.route(&facts);
        let mut exception = NewException::new(key, Level::Record, Reason::DriftAlarm, route, message.clone());
        exception.details = json!({ "stratum": stratum, "before": before, "after": after });
        tx.raise_exceptions(&[exception], ENGINE).await?;
        let event =
            AuditEvent { actor: ENGINE.to_owned(), action: "tighten".to_owned(), subject: stratum.to_string(), detail: message };
        audit::record(tx, &[event]).await
    }
}

/// What was declared.
fn plan(rules: &CertificateRules) -> Plan {
    let ppm = |percent: Percent| u32::try_from(percent.ppm()).unwrap_or(1_000_000);
    Plan {
        budget_ppm: ppm(rules.budget.error_rate),
        delta_ppm: 1_000_000 - ppm(rules.budget.confidence),
        grid_milli: rules.budget.grid_milli.clone(),
        labels_min: rules.budget.labels_min.into(),
    }
}

fn read(stored: &StoredCertificate) -> anyhow::Result<Certificate> {
    serde_json::from_str(&stored.body).with_context(|| format!("reading certificate {}", stored.number))
}

fn label_of(decision: &Counted, wrong: bool, posted: bool) -> Label {
    Label { confidence_milli: decision.confidence_milli, wrong, posted, share_ppm: decision.share_ppm }
}

/// What a threshold is, for people.
fn said(permit: Permit) -> String {
    match permit {
        Permit::Always => "everything".to_owned(),
        Permit::From { confidence_milli } => format!("what has a confidence of {confidence_milli} thousandths or more"),
        Permit::Never => "nothing".to_owned(),
    }
}

/// Everything that is known of each stratum of the rules in force.
async fn given(tx: &mut Tx, rules: &RuleSet, now: &Permits, today: NaiveDate) -> anyhow::Result<Vec<Given>> {
    let from = today.checked_sub_days(Days::new(rules.certificate.budget.label_days.into())).unwrap_or(today);
    let mut strata: BTreeMap<Stratum, Given> = BTreeMap::new();
    for bundle in rules.engine.bundles.iter().filter(|bundle| bundle.stage == Stage::Auto) {
        for class in AmountClass::ALL {
            let stratum = Stratum { rule: bundle.id.clone(), class };
            let posts = now.of(&bundle.id, class, !bundle.certified);
            let given = Given {
                stratum: stratum.clone(),
                safe: !bundle.certified,
                posts,
                labels: Vec::new(),
                waiting: 0,
                overdue: 0,
                posted: 0,
                undone: 0,
            };
            strata.insert(stratum, given);
        }
    }
    for drawn in tx.drawn_since(from).await? {
        if let Some(given) = strata.get_mut(&drawn.decision.stratum) {
            audited(given, &drawn, rules, today);
        }
    }
    for (decision, wrong) in tx.resolved_proposals_since(from).await? {
        if let Some(given) = strata.get_mut(&decision.stratum) {
            given.labels.push(label_of(&decision, wrong, false));
        }
    }
    for count in tx.posted_since(from).await? {
        if let Some(given) = strata.get_mut(&count.stratum) {
            (given.posted, given.undone) = (count.posted, count.undone);
        }
    }
    Ok(strata.into_values().collect())
}

/// One drawn posting: wrong when the audit said so or when it was undone in time, and when nobody answered in time.
fn audited(given: &mut Given, drawn: &Drawn, rules: &RuleSet, today: NaiveDate) {
    let audit = &rules.certificate.audit;
    let days = |until: NaiveDate| (until - drawn.day).num_days();
    let undone = drawn.undone.is_some_and(|day| days(day) <= audit.reversal_days.into());
    let wrong = match drawn.audit_wrong {
        Some(wrong) => Some(wrong || undone),
        None if undone => Some(true),
        None => {
            let overdue = days(today) > audit.answer_days.into();
            given.waiting += 1;
            given.overdue += u64::from(overdue);
            overdue.then_some(true)
        }
    };
    given.labels.extend(wrong.map(|wrong| label_of(&drawn.decision, wrong, true)));
}
