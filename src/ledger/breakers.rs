//! Circuit breakers: how much the machine gives away altogether in a day or a month, whatever the single amounts are.
//!
//! A rule that went wrong gives away little each time and much in a night. The sums are read under a lock, so that several processes
//! together stay below the limit. People are asked for single amounts, not for sums.

use anyhow::Context;
use chrono::{Datelike, NaiveDate};

use super::Mandate;
use crate::{
    domain::{Currency, Money},
    rules::{Period, Power},
    store::Tx,
};

/// What the machine gave away in one way, period and currency so far.
pub(super) type GivenAway = (Power, Period, Currency, i64);

/// Whether a breaker limits any of this. Where none does, nobody has to wait for anybody.
pub(super) fn limit(mandate: &Mandate<'_>, gives: &[(Power, Currency, i64)]) -> bool {
    let has = |per, power, currency| mandate.policy.breaker(power, per, currency, i64::MAX, 0).is_some();
    !mandate.person
        && gives.iter().any(|(power, currency, _)| has(Period::Day, *power, *currency) || has(Period::Month, *power, *currency))
}

/// What the machine gave away on this day and in its month. Nobody else adds to it until the transaction ends.
pub(super) async fn given_away(tx: &mut Tx, day: NaiveDate) -> anyhow::Result<Vec<GivenAway>> {
    tx.lock_given_away().await?;
    let first = day.with_day(1).context("every month has a first day")?;
    let last = NaiveDate::from_ymd_opt(day.year(), day.month(), days_of_month(day)).context("every month has a last day")?;
    let mut given = Vec::new();
    for (per, from, until) in [(Period::Day, day, day), (Period::Month, first, last)] {
        for (currency, discount, deduction, write_off) in tx.given_away(from, until).await? {
            for (power, sum) in [(Power::Discount, discount), (Power::Deduct, deduction), (Power::WriteOff, write_off)] {
                given.push((power, per, currency, sum));
            }
        }
    }
    Ok(given)
}

/// Nothing when no breaker stops it. For a person there is none: single limits hold for people.
pub(super) fn ask(mandate: &Mandate<'_>, given: &[GivenAway], gives: &[(Power, Currency, i64)]) -> Result<(), String> {
    if mandate.person {
        return Ok(());
    }
    for (power, currency, amount_minor) in gives {
        for per in [Period::Day, Period::Month] {
            let used = used(given, *power, per, *currency);
            if let Some(breaker) = mandate.policy.breaker(*power, per, *currency, used, *amount_minor) {
                return Err(format!(
                    "{breaker} stops the engine: to {} {} is too much after {} in the same {}; a person decides",
                    power.as_str().replace('_', " "),
                    Money::new(*amount_minor, *currency),
                    Money::new(used, *currency),
                    per.as_str()
                ));
            }
        }
    }
    Ok(())
}

/// What passes counts for the next posting of the batch.
pub(super) fn add(given: &mut Vec<GivenAway>, gives: &[(Power, Currency, i64)]) {
    for (power, currency, amount_minor) in gives {
        for per in [Period::Day, Period::Month] {
            let sum = used(given, *power, per, *currency).saturating_add(*amount_minor);
            given.retain(|(known, period, of, _)| (*known, *period, *of) != (*power, per, *currency));
            given.push((*power, per, *currency, sum));
        }
    }
}

fn used(given: &[GivenAway], power: Power, per: Period, currency: Currency) -> i64 {
    let found = given.iter().find(|(known, period, of, _)| (*known, *period, *of) == (power, per, currency));
    found.map_or(0, |(_, _, _, sum)| *sum)
}

fn days_of_month(day: NaiveDate) -> u32 {
    (28..=31).rev().find(|last| day.with_day(*last).is_some()).unwrap_or(28)
}
