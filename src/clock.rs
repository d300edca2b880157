//! The only module that knows the time and draws random bytes.
//!
//! Everything else is handed a [`Clock`], so that a run over past business days never looks at the wall clock and a test can stand
//! still.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, Utc};

/// Tells the instant and the business day.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    business_day: Option<NaiveDate>,
    stopped_at: Option<DateTime<Utc>>,
}

impl Clock {
    /// The machine's clock; the business day is today in the machine's time zone (`TZ`).
    pub fn system() -> Self {
        Self::default()
    }

    /// The machine's clock for instants, but a business day of its own: what is open, due or discounted is seen from that day.
    pub fn business_day(day: NaiveDate) -> Self {
        Self { business_day: Some(day), stopped_at: None }
    }

    /// A clock that stands still, for tests.
    pub fn stopped(at: DateTime<Utc>) -> Self {
        Self { business_day: Some(at.date_naive()), stopped_at: Some(at) }
    }

    /// The instant, in UTC.
    #[expect(clippy::disallowed_methods, reason = "this is the owner of the time")]
    pub fn now(&self) -> DateTime<Utc> {
        self.stopped_at.unwrap_or_else(Utc::now)
    }

    /// How long until a moment the store wrote down; nothing when it has passed or cannot be read.
    pub fn until(&self, stamp: &str) -> Duration {
        let then = DateTime::parse_from_rfc3339(stamp).map(|then| then.with_timezone(&Utc));
        then.ok().and_then(|then| (then - self.now()).to_std().ok()).unwrap_or_default()
    }

    /// The business day.
    #[expect(clippy::disallowed_methods, reason = "this is the owner of the time")]
    pub fn today(&self) -> NaiveDate {
        self.business_day.unwrap_or_else(|| chrono::Local::now().date_naive())
    }

    /// How long ago something of this age stamp was; zero for the future.
    pub fn since(&self, then: std::time::SystemTime) -> Duration {
        (self.now() - DateTime::<Utc>::from(then)).to_std().unwrap_or_default()
    }
}

/// Fills `bytes` from the operating system's random source: for keys, nonces and names that must not be guessed.
pub fn fill_random(bytes: &mut [u8]) -> anyhow::Result<()> {
    getrandom::fill(bytes).map_err(|error| anyhow::anyhow!("the operating system gave no random bytes: {error}"))
}

/// A random name of 128 bits, as 32 hex digits.
pub fn random_name() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    fill_random(&mut bytes)?;
    Ok(crate::hex::encode(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_clock_stands_still() {
        let at = DateTime::parse_from_rfc3339("2026-03-02T09:59:59.5Z").expect("a date").to_utc();
        let clock = Clock::stopped(at);
        assert_eq!(clock.now(), at);
        assert_eq!(clock.until("2026-03-02T10:00:00.100Z"), Duration::from_millis(600));
        assert_eq!(clock.today(), NaiveDate::from_ymd_opt(2026, 3, 2).expect("a date"));
    }

    #[test]
    fn a_business_day_does_not_follow_the_wall_clock() {
        let day = NaiveDate::from_ymd_opt(2019, 12, 31).expect("a date");
        assert_eq!(Clock::business_day(day).today(), day);
        assert!(Clock::business_day(day).now() > DateTime::parse_from_rfc3339("2024-01-01T00:00:00Z").expect("a date"));
    }
}
