//! What a person decides, from the command line to the ledger.

use anyhow::Context as _;

use super::{Resolution as With, show::find};
use crate::{
    clock,
    commands::{Exit, UsageError, print},
    config::Config,
    domain::{CustomerId, ExceptionId, Money, OpenItem, PaymentId, Proposal, ProposalLine, Reason},
    ledger::{Action, Mandate, Resolution, ResolveError},
    store::{Exception, Tx},
    work::Engine,
};

/// What was asked on the command line.
pub struct Request<'a> {
    pub exception: ExceptionId,
    pub note: Option<&'a str>,
    pub key: Option<&'a str>,
    pub with: &'a With,
}

pub async fn run(engine: &Engine, config: &Config, request: &Request<'_>) -> anyhow::Result<Exit> {
    let mandate = engine.mandate_of(&config.user, &config.role);
    let exception = exception_now(engine, request.exception).await?;
    // Only a repeat, which has its key, is answered once more.
    if let (false, None, Some(resolution)) = (exception.open, request.key, &exception.resolution) {
        let (by, at) =
            (exception.resolved_by.as_deref().unwrap_or("nobody"), exception.resolved_at.as_deref().unwrap_or("an unknown time"));
        eprintln!("tieout: {} was resolved by {by} at {at}: {resolution}; nothing is left to decide", exception.id);
        return Ok(Exit::InputErrors);
    }
    if matches!(request.with, With::Retry) {
        return retry(engine, &mandate, &exception).await;
    }
    let mut tx = engine.db.read().await?;
    let action = action(&mut tx, &exception, request).await?;
    tx.rollback().await?;
    let key = match request.key {
        Some(key) => key.to_owned(),
        None => clock::random_name()?,
    };
    match engine.resolve(&mandate, exception.id, Some(exception.version), &action, &key).await {
        Ok(resolution) => {
            engine.run_until_idle().await?;
            say(&resolution)
        }
        Err(ResolveError::Other(error)) => Err(error),
        Err(refused) => {
            eprintln!("tieout: {refused}");
            Ok(Exit::InputErrors)
        }
    }
}

async fn retry(engine: &Engine, mandate: &Mandate<'_>, exception: &Exception) -> anyhow::Result<Exit> {
    if !engine.retry_parked(mandate, exception).await? {
        eprintln!("tieout: {} is not about a job that stopped, or somebody retried it already", exception.id);
        return Ok(Exit::InputErrors);
    }
    engine.run_until_idle().await?;
    print("tried again; tieout exceptions list shows whether it worked\n")?;
    Ok(Exit::Success)
}

pub async fn raise(engine: &Engine, payment: PaymentId, reason: Reason, why: &str, config: &Config) -> anyhow::Result<Exit> {
    if !engine.mandate_of(&config.user, &config.role).policy.may_decide(&config.role) {
        eprintln!("tieout: the role {} may look at payments and not question them", config.role);
        return Ok(Exit::InputErrors);
    }
    let raised = engine.question(payment, reason, why, &config.user).await?;
    let raised = raised.ok_or_else(|| UsageError(format!("there is no payment {payment}; tieout export payments lists them")))?;
    print(&format!("{raised} asks about {payment}\n"))?;
    Ok(Exit::Success)
}

pub async fn assign(engine: &Engine, id: ExceptionId, user: &str, config: &Config) -> anyhow::Result<Exit> {
    if user.trim().is_empty() {
        return Err(UsageError("name somebody who takes the exception".to_owned()).into());
    }
    if !engine.assign(&engine.mandate_of(&config.user, &config.role), &exception_now(engine, id).await?, user).await? {
        eprintln!("tieout: exception {id} is closed, or somebody changed it at this moment; look at it again");
        return Ok(Exit::InputErrors);
    }
    print(&format!("{id} is with {user} now\n"))?;
    Ok(Exit::Success)
}

pub async fn note(engine: &Engine, id: ExceptionId, text: &str, config: &Config) -> anyhow::Result<Exit> {
    if text.trim().is_empty() {
        return Err(UsageError("the note is empty; write what the next person should know".to_owned()).into());
    }
    let exception = exception_now(engine, id).await?;
    engine.note(&engine.mandate_of(&config.user, &config.role), exception.id, text).await?;
    print(&format!("noted on {id}\n"))?;
    Ok(Exit::Success)
}

async fn exception_now(engine: &Engine, id: ExceptionId) -> anyhow::Result<Exception> {
    let mut tx = engine.db.read().await?;
    let exception = find(&mut tx, id).await?;
    tx.rollback().await?;
    Ok(exception)
}

fn say(resolution: &Resolution) -> anyhow::Result<Exit> {
    match resolution {
        Resolution::Done { closed, answer, .. } => {
            print(&format!("{answer}{}\n", if *closed { "" } else { "; the exception stays open" }))?;
            Ok(Exit::Success)
        }
        Resolution::Replayed { answer, by, at, recommended } => {
            let what = if *recommended { "asked" } else { "done" };
            print(&format!("{what} before by {by} at {at}: {answer}\n"))?;
            Ok(if *recommended { Exit::InputErrors } else { Exit::Success })
        }
        Resolution::Recommended { exception, above } => {
            let (what, limit) = (above.what(), above.limit());
            print(&format!("nothing moved: to {what} is above your limit of {limit}; {exception} asks somebody who may\n"))?;
            Ok(Exit::InputErrors)
        }
    }
}

async fn action(tx: &mut Tx, exception: &Exception, request: &Request<'_>) -> anyhow::Result<Action> {
    let why = || request.note.unwrap_or("no reason given").to_owned();
    let unrelated = |said: bool| match (said, request.note) {
        (false, _) => Ok(None),
        (true, Some(note)) if !note.trim().is_empty() => Ok(Some(note.to_owned())),
        (true, _) => Err(UsageError("--unrelated needs --note: why does money of one customer pay for another?".to_owned())),
    };
    let cash = |text: &Option<String>| text.as_deref().map(|text| money(exception, text)).transpose();
    Ok(match request.with {
        With::Accept { proposal, unrelated: said } => accept(exception, *proposal, unrelated(*said)?)?,
        With::Apply { items, unrelated: said } => {
            let mut lines = Vec::with_capacity(items.len());
            for text in items {
                let (item, minor) = item_and_amount(tx, exception, text).await?;
                if let Some(currency) = exception.currency.filter(|currency| *currency != item.currency) {
                    let sentence =
                        format!("item {} is in {}, the payment in {currency}; no rate is agreed", item.number, item.currency);
                    return Err(UsageError(sentence).into());
                }
                lines.push(ProposalLine {
                    item: item.id,
                    applied_minor: minor,
                    cash_minor: minor,
                    adjustments: Vec::new(),
                    line: None,
                });
            }
            Action::Apply { lines, on_account_minor: 0, customer: None, unrelated: unrelated(*said)? }
        }
        With::OnAccount { customer, amount, unrelated: said } => {
            let customer = customer_named(tx, customer.as_deref()).await?;
            Action::OnAccount { amount_minor: cash(amount)?, customer, unrelated: unrelated(*said)? }
        }
        With::Deduct { item, code } => {
            let (item, amount_minor) = item_and_amount(tx, exception, item).await?;
            Action::Deduct { item: item.id, amount_minor, reason_code: code.clone() }
        }
        With::WriteOff { item } => {
            let (item, amount_minor) = item_and_amount(tx, exception, item).await?;
            Action::WriteOff { item: item.id, amount_minor, reason: why() }
        }
        With::Refund { amount } => Action::RefundRequest { amount_minor: cash(amount)? },
        With::LinkRemittance { remittance, payment } => {
            let payment = payment.or(exception.payment);
            let payment = payment.ok_or_else(|| UsageError("name the payment with --payment P17".to_owned()))?;
            Action::LinkRemittance { remittance: *remittance, payment }
        }
        With::UnlinkRemittance => Action::UnlinkRemittance { why: why() },
        With::MarkDuplicate { of } => Action::MarkDuplicate { of: *of },
        With::NotDuplicate { of } => Action::NotDuplicate { of: of.clone() },
        With::Reverse => Action::Reverse { application: None, why: why() },
        With::Confirm => Action::Confirm,
        With::Wrong { reverse } => Action::Wrong { why: why(), reverse: *reverse },
        With::ReturnedPayment { payment } => Action::ReturnedPayment { payment: *payment },
        With::ReleaseFile => Action::ReleaseFile { why: why() },
        With::RejectFile => Action::RejectFile { why: why() },
        With::Close | With::Retry => Action::Close { note: request.note.unwrap_or_default().to_owned() },
    })
}

fn accept(exception: &Exception, number: usize, unrelated: Option<String>) -> anyhow::Result<Action> {
    if let Some(recommended) = exception.details.get("action").filter(|_| number == 1) {
        // Somebody with less authority recommended it.
        return serde_json::from_value(recommended.clone()).context("reading the action that was recommended");
    }
    let proposals: Vec<Proposal> = match exception.details.get("proposals") {
        Some(proposals @ serde_json::Value::Array(_)) => {
            serde_json::from_value(proposals.clone()).context("reading the proposals of the exception")?
        }
        _ => Vec::new(),
    };
    let chosen = number.checked_sub(1).and_then(|place| proposals.into_iter().nth(place));
    let chosen =
        chosen.ok_or_else(|| UsageError(format!("{} has no proposal {number}; see tieout exceptions show {0}", exception.id)))?;
    Ok(Action::Apply { lines: chosen.lines, on_account_minor: chosen.on_account_minor, customer: chosen.customer, unrelated })
}

/// `NUMBER=AMOUNT`, where the number is one of the seller's items.
async fn item_and_amount(tx: &mut Tx, exception: &Exception, text: &str) -> anyhow::Result<(OpenItem, i64)> {
    let parts = text.rsplit_once('=');
    let (number, text) = parts.ok_or_else(|| UsageError(format!("{text:?}: expected NUMBER=AMOUNT, such as INV-1001=980.00")))?;
    let mut items = tx.open_items_numbered(number).await?;
    items.retain(|item| exception.seller.is_none_or(|seller| item.seller == seller));
    let item = match items.len() {
        1 => items.remove(0),
        0 => return Err(UsageError(format!("there is no item {number} of this seller")).into()),
        count => return Err(UsageError(format!("{count} sellers have an item {number}")).into()),
    };
    let minor = Money::parse(text, item.currency).map_err(|error| UsageError(format!("{text:?}: {error}")))?.minor;
    Ok((item, minor))
}

async fn customer_named(tx: &mut Tx, code: Option<&str>) -> anyhow::Result<Option<CustomerId>> {
    let Some(code) = code else { return Ok(None) };
    let found = tx.customer_ids().await?.get(code).copied();
    Ok(Some(found.ok_or_else(|| UsageError(format!("there is no customer {code}")))?))
}

fn money(exception: &Exception, text: &str) -> anyhow::Result<i64> {
    let currency = exception.currency.ok_or_else(|| UsageError(format!("{} is not about money", exception.id)))?;
    Ok(Money::parse(text, currency).map_err(|error| UsageError(format!("{text:?}: {error}")))?.minor)
}
