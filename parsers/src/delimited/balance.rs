//! The running balance of a bank download proves that no row is missing, whether the newest row stands first or last.

use chrono::NaiveDate;

use crate::{Account, Balance, Effect, Figure, Finding, FindingCode, Location, Money, Severity, x12::output::Output};

/// The last balance seen, and what was booked since.
#[derive(Debug, Default)]
pub(super) struct Running {
    account: Option<Account<'static>>,
    last: Option<Money>,
    /// Bookings of the rows behind the last balance, that of this row included: oldest row first.
    behind: i128,
    /// Bookings from the row of the last balance to the row above this one: newest row first.
    from: i128,
    /// How often the balances followed when the oldest row stands first, and when the newest does.
    steps: u64,
    last_step: Option<(Money, Location)>,
    oldest_first: u64,
    newest_first: u64,
    first_break: [Option<Break>; 2],
    /// First and last row with a balance of the account.
    ends: Option<[Balance; 2]>,
}

#[derive(Clone, Copy, Debug)]
struct Break {
    claimed: Money,
    computed: i128,
    location: Location,
}

impl Running {
    /// Takes a row: what was booked and the balance after it, either of which may be absent.
    pub fn take(&mut self, row: Booked<'_>, out: &mut Output<'static>) {
        if self.account.as_ref() != row.account || self.last.zip(row.balance).is_some_and(|(a, b)| a.currency != b.currency) {
            self.show(out);
            self.account = row.account.cloned();
            (self.last, self.behind, self.from) = (None, 0, 0);
        }
        let booked = i128::from(row.minor);
        self.behind = self.behind.saturating_add(booked);
        if let Some(balance) = row.balance {
            self.step(balance, row.location);
            self.last = Some(balance);
            (self.behind, self.from) = (0, 0);
            let account_last4 = row.account.map(Account::last4).unwrap_or_default();
            let seen =
                Balance { account_last4, kind: "closing".to_owned(), amount: balance, date: row.date, location: row.location };
            match &mut self.ends {
                Some([_, last]) => *last = seen,
                None => self.ends = Some([seen.clone(), seen]),
            }
        }
        self.from = self.from.saturating_add(booked);
    }

    fn step(&mut self, balance: Money, location: Location) {
        let Some(last) = self.last else { return };
        let before = i128::from(last.minor);
        let computed = [before.saturating_add(self.behind), before.saturating_sub(self.from)];
        self.steps = self.steps.saturating_add(1);
        self.last_step = Some((balance, location));
        let followed = [&mut self.oldest_first, &mut self.newest_first];
        for ((computed, count), first_break) in computed.into_iter().zip(followed).zip(&mut self.first_break) {
            if computed == i128::from(balance.minor) {
                *count = count.saturating_add(1);
            } else {
                first_break.get_or_insert(Break { claimed: balance, computed, location });
            }
        }
    }

    /// The closing balance of the account: that of the newest row.
    fn show(&mut self, out: &mut Output<'static>) {
        if let Some([first, last]) = self.ends.take() {
            let newest = if self.newest_first > self.oldest_first { first } else { last };
            out.balance(newest);
        }
    }

    /// Every balance follows from its neighbour.
    fn follows(&self, out: &mut Output<'static>) {
        if let Some((balance, location)) = self.last_step {
            let claimed = Figure::decimal(i128::from(balance.minor), balance.currency.exponent());
            let computed = claimed.clone();
            out.control(crate::Control { name: "balance", level: "account", claimed, computed, ok: true, location });
        }
    }

    /// Compares at the end of the file.
    pub fn finish(&mut self, out: &mut Output<'static>) {
        self.show(out);
        let [oldest, newest] = self.first_break;
        // The order in which more balances follow is that of the file.
        let broken = if self.newest_first > self.oldest_first { newest } else { oldest };
        let Some(Break { claimed, computed, location }) = broken else { return self.follows(out) };
        let figure = |minor| Figure::decimal(minor, claimed.currency.exponent());
        let (claimed, computed) = (figure(i128::from(claimed.minor)), figure(computed));
        let breaks = self.steps.saturating_sub(self.oldest_first.max(self.newest_first));
        out.finding(Finding {
            code: FindingCode::ControlTotalMismatch,
            severity: Severity::Error,
            effect: Effect::FileHeld,
            message: format!(
                "the balance is {claimed}, but the rows lead to {computed}; {breaks} balances do not follow from their neighbours"
            ),
            expected: computed.as_str().to_owned(),
            found: claimed.as_str().to_owned(),
            location,
        });
        out.control(crate::Control { name: "balance", level: "account", claimed, computed, ok: false, location });
    }
}

/// What a row says about the balance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Booked<'a> {
    pub account: Option<&'a Account<'static>>,
    pub minor: i64,
    pub balance: Option<Money>,
    pub date: Option<NaiveDate>,
    pub location: Location,
}
