//! The levels of a lockbox file: file, lockbox and batch, each with counts and totals.

use std::{collections::HashSet, sync::Arc};

use chrono::NaiveDate;

use crate::{
    Account, Currency, Effect, Finding, FindingCode, Limits, Location, Options, Party, Severity, SharedParty, Text,
    x12::{output::Output, segment::shown},
};

use super::{
    check::{self, Setting},
    controls::{Claim, compare, missing_trailer},
    currencies::LockboxCurrencies,
    layout::{Layout, Name, Section},
    row::Row,
};

/// Everything known of the file so far.
#[derive(Debug, Default)]
pub(super) struct Deposit {
    limits: Limits,
    currencies: LockboxCurrencies,
    file: Option<File>,
    batch: Option<Batch>,
    /// Batches since the last record 8.
    lockbox: Level,
    headers: HashSet<Vec<u8>>,
    /// Something was read.
    pub read: bool,
    ended: bool,
}

#[derive(Debug, Default)]
struct File {
    location: Location,
    destination: String,
    origin: String,
    date: Option<NaiveDate>,
    records: u64,
    foreign: u64,
}

/// Sums of a level.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    location: Location,
    checks: u64,
    total: i128,
    /// What the totals inside claim.
    claimed_checks: i128,
    claimed_total: i128,
    unreadable: u32,
    /// Something was added since the last total.
    open: bool,
}

#[derive(Debug, Default)]
struct Batch {
    level: Level,
    number: String,
    /// Whose lockbox it is, for all its payments.
    owner: SharedParty<'static>,
    currency: Option<Currency>,
    date: Option<NaiveDate>,
}

impl Deposit {
    pub fn new(options: &Options) -> Self {
        Self { limits: options.limits.clone(), currencies: options.lockbox_currencies.clone(), ..Self::default() }
    }

    /// Counts a record.
    pub fn count(&mut self, foreign: bool) {
        if let Some(file) = &mut self.file {
            let count = if foreign { &mut file.foreign } else { &mut file.records };
            *count = count.saturating_add(1);
        }
    }

    /// 1: destination, origin, date.
    pub fn open_file<'w>(&mut self, row: &Row<'w>, layout: &Layout, out: &mut Output<'w>) {
        self.leave_file(out);
        let columns = layout.section(Section::Header);
        if self.ended {
            let message = "another file begins here; files were joined, and all are read".to_owned();
            out.finding(Finding { message, ..odd(row, FindingCode::TrailingData, Severity::Warning, Effect::Noted) });
        }
        let whole = super::layout::Span { from: 0, to: u16::MAX, ..Default::default() };
        if !self.headers.insert(row.value(whole).to_vec()) {
            let message = "the header is that of an earlier file in these bytes: the file stands here twice".to_owned();
            out.finding(Finding { message, ..odd(row, FindingCode::DuplicateControlNumber, Severity::Error, Effect::FileHeld) });
        }
        let own = |name| row.text(columns.of(name)).map(String::from).unwrap_or_default();
        let date = date(row, columns.of(Name::Date), out);
        self.file = Some(File {
            location: row.location(),
            destination: own(Name::Destination),
            origin: own(Name::Origin),
            date,
            ..File::default()
        });
        self.read = true;
    }

    /// 5: batch, lockbox number, deposit date.
    pub fn open_batch<'w>(&mut self, row: &Row<'w>, layout: &Layout, out: &mut Output<'w>) {
        self.leave_batch(out);
        let columns = layout.section(Section::Lockbox);
        let own = |name| row.text(columns.of(name)).map(String::from).unwrap_or_default();
        let level = Level { location: row.location(), ..Level::default() };
        let date = date(row, columns.of(Name::Date), out);
        let lockbox = own(Name::Lockbox);
        let bank = self.file.as_ref().map_or("", |file| &file.origin);
        let currency = self.currencies.of(bank, &lockbox);
        let owner = owner(self.file.as_ref(), &lockbox);
        self.batch = Some(Batch { level, number: own(Name::Batch), owner, currency, date });
        if !self.lockbox.open {
            self.lockbox = Level { location: row.location(), open: true, ..Level::default() };
        }
    }

    /// 6 with its 4s.
    pub fn check<'w>(&mut self, check: &Row<'w>, details: &[Row<'w>], layout: &Layout, out: &mut Output<'w>) {
        if self.batch.is_none() {
            let message = "a check stands outside a batch, so nobody knows whose lockbox it came to".to_owned();
            out.finding(Finding { message, ..odd(check, FindingCode::BadEnvelope, Severity::Error, Effect::FileHeld) });
            let level = Level { location: check.location(), ..Level::default() };
            self.batch = Some(Batch { level, owner: owner(self.file.as_ref(), ""), ..Batch::default() });
        }
        let (Some(batch), file) = (&mut self.batch, self.file.as_ref()) else { return };
        let span = layout.section(Section::Check).of(Name::Batch);
        let number = check.value(span);
        if !number.is_empty() && batch.number.bytes().any(|byte| byte != b'0') && number != batch.number.as_bytes() {
            let message = format!("the check names batch {} in batch {}", shown(number), batch.number);
            out.finding(check.finding(span, FindingCode::BadText, Effect::Noted, message, &batch.number));
        }
        let setting = Setting {
            layout,
            currency: batch.currency.unwrap_or(Currency::USD),
            date: batch.date.or(file.and_then(|file| file.date)),
            owner: &batch.owner,
            limits: &self.limits,
        };
        let amount = check::read(check, details, &setting, out);
        batch.level.checks = batch.level.checks.saturating_add(1);
        match amount {
            Some(minor) => batch.level.total = batch.level.total.saturating_add(i128::from(minor)),
            None => batch.level.unreadable = batch.level.unreadable.saturating_add(1),
        }
    }

    /// 7: number and total of the checks of the batch.
    pub fn close_batch<'w>(&mut self, row: &Row<'w>, layout: &Layout, out: &mut Output<'w>) {
        let columns = layout.section(Section::BatchTotal);
        let Some(batch) = self.batch.take() else {
            let message = "a batch total closes no batch".to_owned();
            out.finding(Finding { message, ..odd(row, FindingCode::BadEnvelope, Severity::Error, Effect::FileHeld) });
            return;
        };
        let level = &batch.level;
        let count = Claim {
            name: "7 number of checks",
            level: "batch",
            what: "the number of checks",
            code: FindingCode::ControlCountMismatch,
            variants: &[("", i128::from(level.checks))],
            unreadable: 0,
        };
        let checks = compare(row, columns.of(Name::Count), &count, out);
        let total = Claim {
            name: "7 batch total",
            level: "batch",
            what: "the sum of the checks",
            code: FindingCode::ControlTotalMismatch,
            variants: &[("", level.total)],
            unreadable: level.unreadable,
        };
        let total = compare(row, columns.of(Name::Total), &total, out);
        self.lockbox.add(level, checks, total);
    }

    /// 8: number and total of the checks of the lockbox.
    pub fn close_lockbox<'w>(&mut self, row: &Row<'w>, layout: &Layout, out: &mut Output<'w>) {
        self.leave_batch(out);
        let columns = layout.section(Section::LockboxTotal);
        let level = std::mem::take(&mut self.lockbox);
        let inside = "the checks are added and not the batch totals";
        let count = Claim {
            name: "8 number of checks",
            level: "lockbox",
            what: "the number of checks",
            code: FindingCode::ControlCountMismatch,
            variants: &[("", level.claimed_checks), (inside, i128::from(level.checks))],
            unreadable: 0,
        };
        compare(row, columns.of(Name::Count), &count, out);
        let total = Claim {
            name: "8 lockbox total",
            level: "lockbox",
            what: "the sum of the batches",
            code: FindingCode::ControlTotalMismatch,
            variants: &[("", level.claimed_total), (inside, level.total)],
            unreadable: 0,
        };
        compare(row, columns.of(Name::Total), &total, out);
    }

    /// 9: number of records.
    pub fn close_file<'w>(&mut self, row: &Row<'w>, layout: &Layout, out: &mut Output<'w>) {
        self.leave_batch(out);
        let lockbox = std::mem::take(&mut self.lockbox);
        if lockbox.open {
            out.finding(missing_trailer("8", "lockbox", Effect::Noted, lockbox.location));
        }
        let Some(file) = self.file.take() else {
            let message = "a file trailer closes no file".to_owned();
            out.finding(Finding { message, ..odd(row, FindingCode::BadEnvelope, Severity::Error, Effect::FileHeld) });
            return;
        };
        let records = i128::from(file.records);
        let claim = Claim {
            name: "9 number of records",
            level: "file",
            what: "the number of records",
            code: FindingCode::ControlCountMismatch,
            variants: &[
                ("", records),
                ("record 9 itself is not counted", records.saturating_sub(1)),
                ("lines without a record type are counted", records.saturating_add(i128::from(file.foreign))),
            ],
            unreadable: 0,
        };
        compare(row, layout.section(Section::Trailer).of(Name::Records), &claim, out);
        self.ended = true;
    }

    /// The bytes have ended.
    pub fn finish(&mut self, out: &mut Output<'_>) {
        self.leave_file(out);
    }

    fn leave_batch(&mut self, out: &mut Output<'_>) {
        let Some(batch) = self.batch.take() else { return };
        let level = batch.level;
        out.finding(missing_trailer("7", "batch", Effect::FileHeld, level.location));
        self.lockbox.add(&level, i128::from(level.checks), level.total);
    }

    fn leave_file(&mut self, out: &mut Output<'_>) {
        self.leave_batch(out);
        if let Some(file) = self.file.take() {
            out.finding(missing_trailer("9", "file", Effect::FileHeld, file.location));
            self.ended = true;
        }
        self.lockbox = Level::default();
    }
}

impl Level {
    fn add(&mut self, inner: &Self, checks: i128, total: i128) {
        if !self.open {
            *self = Self { location: inner.location, open: true, ..Self::default() };
        }
        self.checks = self.checks.saturating_add(inner.checks);
        self.total = self.total.saturating_add(inner.total);
        self.claimed_checks = self.claimed_checks.saturating_add(checks);
        self.claimed_total = self.claimed_total.saturating_add(total);
    }
}

/// Our side of all checks of a lockbox: the destination of the file, its bank, and the lockbox.
fn owner(file: Option<&File>, lockbox: &str) -> SharedParty<'static> {
    let own = |text: &str| (!text.is_empty()).then(|| Text::Owned(text.to_owned()));
    SharedParty::Shared(Arc::new(Party {
        name: None,
        id: own(file.map_or("", |file| &file.destination)),
        bank: own(file.map_or("", |file| &file.origin)),
        account: own(lockbox).map(Account::new),
    }))
}

fn date<'w>(row: &Row<'w>, span: super::layout::Span, out: &mut Output<'w>) -> Option<NaiveDate> {
    match row.date(span)? {
        Ok(date) => Some(date),
        Err(()) => {
            let message = "the date is no date".to_owned();
            out.finding(row.finding(span, FindingCode::BadDate, Effect::Noted, message, "a date of six digits"));
            None
        }
    }
}

/// A finding about a record as a whole, for the caller to word.
pub(super) fn odd(row: &Row<'_>, code: FindingCode, severity: Severity, effect: Effect) -> Finding {
    let whole = super::layout::Span { from: 0, to: u16::MAX, ..Default::default() };
    Finding {
        code,
        severity,
        effect,
        message: String::new(),
        expected: "1, 2, 5, 6, 4, 7, 8, 9 in their order".to_owned(),
        found: shown(row.value(whole).get(..7).unwrap_or(row.value(whole))),
        location: row.location(),
    }
}
