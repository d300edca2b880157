//! The levels of a file: 01 to 99, 02 to 98, 03 to 49, each with its counts and totals.

use std::{collections::HashSet, sync::Arc};

use chrono::NaiveDate;

use crate::{
    Account as Secret, Currency, Effect, Finding, FindingCode, Limits, Location, Party, Payment, Severity, SharedParty, Text,
    x12::{output::Output, value},
};

use super::{
    advice::Advisor,
    codes::Side,
    controls::{Counts, Sums, compare_count, compare_records, compare_total, missing_trailer},
    detail::{self, Setting},
    record::{Field, Record},
    summary::{self, Summary},
};

/// Everything known of the file so far.
#[derive(Debug, Default)]
pub(super) struct Statement {
    limits: Limits,
    file: Option<File>,
    group: Option<Group>,
    account: Option<Account>,
    /// Files that have ended.
    files: u64,
    /// Headers seen, to know a file that was joined to itself.
    headers: HashSet<Vec<u8>>,
    /// All records so far; each level knows how many came before it.
    counted: Counts,
    advisor: Advisor,
    /// Something was read.
    pub read: bool,
}

/// A level that is open: where it began, what it holds.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    location: Location,
    /// Records before its first.
    before: Counts,
    /// Levels inside that have ended.
    inner: u64,
    /// Sum of what their trailers claim, and of what was computed for them.
    claimed: i128,
    computed: i128,
}

#[derive(Debug, Default)]
struct File {
    level: Level,
    sender: String,
    receiver: String,
}

#[derive(Debug, Default)]
struct Group {
    level: Level,
    receiver: String,
    originator: String,
    as_of: Option<NaiveDate>,
    currency: Option<Currency>,
    interim: Option<&'static str>,
    silent: bool,
}

#[derive(Debug, Default)]
struct Account {
    level: Level,
    /// Whose account it is, for all its payments.
    owner: SharedParty<'static>,
    currency: Option<Currency>,
    sums: Sums,
    summary: Summary,
    credits: u64,
    outgoing: u64,
    outgoing_sum: i128,
}

impl Statement {
    pub fn new(limits: &Limits) -> Self {
        Self { limits: limits.clone(), ..Self::default() }
    }

    /// Takes one logical record, and gives the payment it makes, which comes after everything else of it.
    pub fn take<'w>(&mut self, record: &Record<'w, '_>, out: &mut Output<'w>) -> Option<Box<Payment<'w>>> {
        match &record.head.code {
            b"16" => return self.detail(record, out),
            b"03" => self.open_account(record, out),
            b"49" => self.close_account(record, out),
            b"02" => self.open_group(record, out),
            b"98" => self.close_group(record, out),
            b"01" => self.open_file(record, out),
            b"99" => self.close_file(record, out),
            _ => out.finding(stray(record, "88 continues no record", Effect::FileHeld)),
        }
        None
    }

    /// The file has ended.
    pub fn finish(&mut self, out: &mut Output<'_>) {
        self.leave_file(out);
    }

    fn detail<'w>(&mut self, record: &Record<'w, '_>, out: &mut Output<'w>) -> Option<Box<Payment<'w>>> {
        self.count(record);
        let Self { account: Some(account), group: Some(group), file: Some(_), limits, advisor, .. } = self else {
            out.finding(stray(record, "16 stands outside an account", Effect::FileHeld));
            return None;
        };
        let setting = Setting {
            owner: &account.owner,
            currency: account.currency.or(group.currency).unwrap_or(Currency::USD),
            as_of: group.as_of,
            interim: group.interim,
            silent: group.silent,
            limits,
        };
        let counted = detail::read(record, &setting, advisor, out);
        let Some(minor) = counted.minor.map(i128::from) else {
            account.sums.unreadable = account.sums.unreadable.saturating_add(1);
            return None;
        };
        let sum = match counted.side {
            Side::Credit => {
                account.credits = account.credits.saturating_add(1);
                &mut account.sums.credits
            }
            Side::Debit => &mut account.sums.debits,
            Side::Neither => &mut account.sums.other,
        };
        *sum = sum.saturating_add(minor);
        if counted.outgoing {
            account.outgoing = account.outgoing.saturating_add(1);
            account.outgoing_sum = account.outgoing_sum.saturating_add(minor);
        }
        counted.payment
    }

    /// Counts a record, on every level that is open.
    #[inline]
    fn count(&mut self, record: &Record<'_, '_>) {
        self.counted.add(Counts::of(record));
    }

    /// A level that begins with a record.
    fn level(&self, record: &Record<'_, '_>) -> Level {
        Level { location: record.location(), before: self.counted, ..Level::default() }
    }

    /// The records of a level so far.
    fn counts(&self, level: &Level) -> Counts {
        self.counted.since(level.before)
    }

    /// 01: sender, receiver, creation date, creation time, file id, physical record length, block size, version.
    fn open_file<'w>(&mut self, record: &Record<'w, '_>, out: &mut Output<'w>) {
        self.leave_file(out);
        if self.files > 0 {
            let message = "another file begins here; files were joined, and all are read".to_owned();
            out.finding(Finding { message, ..odd(record, FindingCode::TrailingData, Severity::Warning, Effect::Noted) });
        }
        let data: Vec<u8> = record.pieces.iter().flat_map(|piece| record.piece_bytes(piece)).copied().collect();
        if !self.headers.insert(data) {
            let message = "the file header is that of an earlier file in these bytes: the file stands here twice".to_owned();
            out.finding(Finding {
                message,
                ..odd(record, FindingCode::DuplicateControlNumber, Severity::Error, Effect::FileHeld)
            });
        }
        let mut fields = record.fields();
        let (sender, receiver) = (own(record, fields.next()), own(record, fields.next()));
        let level = self.level(record);
        self.file = Some(File { level, sender, receiver });
        self.read = true;
        self.count(record);
        let version = (0..6).map_while(|_| fields.next()).nth(5);
        if let Some(version) = version.filter(|version| !matches!(record.value(*version), b"2" | b"")) {
            let message = "the version is not 2; read as version 2 all the same".to_owned();
            out.finding(record.finding(version, FindingCode::OddEnvelope, Effect::Noted, message, "2"));
        }
    }

    /// 02: ultimate receiver, originator, group status, as-of date, as-of time, currency, as-of-date modifier.
    fn open_group<'w>(&mut self, record: &Record<'w, '_>, out: &mut Output<'w>) {
        self.leave_group(out);
        if self.file.is_none() {
            out.finding(stray(record, "02 stands outside a file", Effect::FileHeld));
        }
        let mut fields = record.fields();
        let (receiver, originator) = (own(record, fields.next()), own(record, fields.next()));
        let status = fields.next();
        let as_of = fields.next().and_then(|field| date(record, field, out));
        let _time = fields.next();
        let currency = fields.next().and_then(|field| currency(record, field, out));
        let modifier = fields.next().map(|field| record.value(field));
        let silent = group_status(record, status, out);
        let interim = match modifier {
            Some(b"1") => Some("previous day"),
            Some(b"3") => Some("same day"),
            _ => None,
        };
        let level = self.level(record);
        self.group = Some(Group { level, receiver, originator, as_of, currency, interim, silent });
        self.count(record);
    }

    /// 03: account number, currency, groups of type code, amount, item count and funds type.
    fn open_account<'w>(&mut self, record: &Record<'w, '_>, out: &mut Output<'w>) {
        self.leave_account(out);
        let Some(group) = &self.group else {
            self.count(record);
            out.finding(stray(record, "03 stands outside a group", Effect::FileHeld));
            return;
        };
        let mut fields = record.fields();
        let number = own(record, fields.next());
        let currency = fields.next().and_then(|field| currency(record, field, out));
        if number.is_empty() {
            let message = "the account has no number, so nobody knows whose money it is".to_owned();
            out.finding(Finding { message, ..odd(record, FindingCode::MissingElement, Severity::Warning, Effect::Noted) });
        }
        let setting = summary::Setting {
            number: &number,
            currency: currency.or(group.currency).unwrap_or(Currency::USD),
            as_of: group.as_of,
            silent: group.silent,
        };
        let summary = summary::read(record, &mut fields, &setting, out);
        if let Some(finding) = record.not_utf8() {
            out.finding(finding);
        }
        let sums = Sums { summary: summary.sum, unreadable: summary.unreadable, ..Sums::default() };
        let level = self.level(record);
        let owner = owner(self.file.as_ref(), group, &number);
        self.account = Some(Account { level, owner, currency, sums, summary, ..Account::default() });
        self.count(record);
    }

    /// 49: account control total, number of records.
    fn close_account<'w>(&mut self, record: &Record<'w, '_>, out: &mut Output<'w>) {
        self.count(record);
        let Some(account) = self.account.take() else {
            out.finding(stray(record, "49 closes no account", Effect::FileHeld));
            return;
        };
        let mut fields = record.fields();
        let (total, records) = (fields.next(), fields.next());
        let sums = &account.sums;
        let names = ("49 account control total", "account");
        let claimed = compare_total(names, record, total, &sums.variants(), sums.unreadable, out);
        compare_records(("49 number of records", "account"), record, records, self.counts(&account.level), out);
        account.check_summary(record, out);
        account.tell_outgoing(record, out);
        if let Some(group) = &mut self.group {
            group.level.add(claimed, sums.standard());
        }
    }

    /// 98: group control total, number of accounts, number of records.
    fn close_group<'w>(&mut self, record: &Record<'w, '_>, out: &mut Output<'w>) {
        self.leave_account(out);
        self.count(record);
        let Some(group) = self.group.take() else {
            out.finding(stray(record, "98 closes no group", Effect::FileHeld));
            return;
        };
        let mut fields = record.fields();
        let (total, accounts, records) = (fields.next(), fields.next(), fields.next());
        let variants = group.level.variants();
        let claimed = compare_total(("98 group control total", "group"), record, total, &variants, 0, out);
        let names = ("98 number of accounts", "group");
        compare_count(names, record, accounts, &[("", group.level.inner)], "the number of accounts", out);
        compare_records(("98 number of records", "group"), record, records, self.counts(&group.level), out);
        if let Some(file) = &mut self.file {
            file.level.add(claimed, group.level.computed);
        }
    }

    /// 99: file control total, number of groups, number of records.
    fn close_file<'w>(&mut self, record: &Record<'w, '_>, out: &mut Output<'w>) {
        self.leave_group(out);
        self.count(record);
        let Some(file) = self.file.take() else {
            out.finding(stray(record, "99 closes no file", Effect::FileHeld));
            return;
        };
        let mut fields = record.fields();
        let (total, groups, records) = (fields.next(), fields.next(), fields.next());
        let variants = file.level.variants();
        compare_total(("99 file control total", "file"), record, total, &variants, 0, out);
        let names = ("99 number of groups", "file");
        compare_count(names, record, groups, &[("", file.level.inner)], "the number of groups", out);
        compare_records(("99 number of records", "file"), record, records, self.counts(&file.level), out);
        self.files = self.files.saturating_add(1);
    }

    fn leave_account(&mut self, out: &mut Output<'_>) {
        let Some(account) = self.account.take() else { return };
        out.finding(missing_trailer("49", "account", account.level.location));
        if let Some(group) = &mut self.group {
            group.level.add(account.sums.standard(), account.sums.standard());
        }
    }

    fn leave_group(&mut self, out: &mut Output<'_>) {
        self.leave_account(out);
        let Some(group) = self.group.take() else { return };
        out.finding(missing_trailer("98", "group", group.level.location));
        if let Some(file) = &mut self.file {
            file.level.add(group.level.claimed, group.level.computed);
        }
    }

    fn leave_file(&mut self, out: &mut Output<'_>) {
        self.leave_group(out);
        if let Some(file) = self.file.take() {
            out.finding(missing_trailer("99", "file", file.level.location));
            self.files = self.files.saturating_add(1);
        }
    }
}

impl Level {
    fn add(&mut self, claimed: i128, computed: i128) {
        self.inner = self.inner.saturating_add(1);
        self.claimed = self.claimed.saturating_add(claimed);
        self.computed = self.computed.saturating_add(computed);
    }

    /// A trailer adds up the trailers inside; where one of those was wrong, the right sum does as well.
    fn variants(&self) -> [(&'static str, i128); 2] {
        [("", self.claimed), ("the amounts are added and not the totals inside", self.computed)]
    }
}

impl Account {
    /// Opening + credits - debits = closing, and the sums of the 16 records; banks leave details out, so these are remarks.
    fn check_summary(&self, record: &Record<'_, '_>, out: &mut Output<'_>) {
        let Summary { opening, closing, credits, debits, .. } = &self.summary;
        let wide = |minor: i64| i128::from(minor);
        let remark = |message: String| Finding {
            message,
            location: self.level.location,
            ..odd(record, FindingCode::OutOfBalance, Severity::Warning, Effect::Noted)
        };
        if let (Some(opening), Some(closing), Some((credits, _)), Some((debits, _))) = (opening, closing, credits, debits) {
            let reached = wide(*opening).saturating_add(wide(*credits)).saturating_sub(wide(*debits).saturating_abs());
            if reached != wide(*closing) {
                let message =
                    format!("opening ledger, credits and debits lead to {reached}, but the closing ledger is {closing}");
                out.finding(remark(message));
            }
        }
        if let Some((credits, _)) = credits
            && self.credits > 0
            && self.sums.unreadable == 0
            && wide(*credits) != self.sums.credits
        {
            let message = format!("total credits (100) are {credits}, but the credits listed come to {}", self.sums.credits);
            out.finding(remark(message));
        }
    }

    fn tell_outgoing(&self, record: &Record<'_, '_>, out: &mut Output<'_>) {
        if self.outgoing > 0 {
            let message =
                format!("{} debits of {} in all leave the account and are no receipts", self.outgoing, self.outgoing_sum);
            let info = odd(record, FindingCode::UnsupportedFormat, Severity::Info, Effect::Noted);
            out.finding(Finding {
                message,
                expected: "credits and returned items".to_owned(),
                location: self.level.location,
                ..info
            });
        }
    }
}

/// Our side of all payments of an account: the receiver of the group, its bank, and the account.
fn owner(file: Option<&File>, group: &Group, number: &str) -> SharedParty<'static> {
    let own = |text: &str| (!text.is_empty()).then(|| Text::Owned(text.to_owned()));
    SharedParty::Shared(Arc::new(Party {
        name: None,
        id: own(&group.receiver).or_else(|| own(&file?.receiver)),
        bank: own(&group.originator).or_else(|| own(&file?.sender)),
        account: own(number).map(Secret::new),
    }))
}

fn own(record: &Record<'_, '_>, field: Option<Field>) -> String {
    field.and_then(|field| record.field_text(field)).map(String::from).unwrap_or_default()
}

fn date<'w>(record: &Record<'w, '_>, field: Field, out: &mut Output<'w>) -> Option<NaiveDate> {
    let text = record.value(field);
    let date = value::date(text).map(|(date, _)| date);
    if date.is_none() && !text.is_empty() {
        let message = "the as-of date is no date".to_owned();
        out.finding(record.finding(field, FindingCode::BadDate, Effect::Noted, message, "YYMMDD"));
    }
    date
}

fn currency<'w>(record: &Record<'w, '_>, field: Field, out: &mut Output<'w>) -> Option<Currency> {
    let text = record.value(field);
    if text.is_empty() {
        return None;
    }
    let currency = std::str::from_utf8(text).ok().and_then(Currency::parse);
    if currency.is_none() {
        let message = "the currency is none, so no amount of the account has a meaning".to_owned();
        out.finding(record.finding(field, FindingCode::BadCode, Effect::FileHeld, message, "an ISO 4217 code"));
    }
    currency
}

/// Group status: only updates and corrections bring money. Gives whether nothing of the group is taken.
fn group_status<'w>(record: &Record<'w, '_>, status: Option<Field>, out: &mut Output<'w>) -> bool {
    let Some(status) = status else { return false };
    let (code, effect, message, silent) = match record.value(status) {
        b"1" | b"" => return false,
        b"2" => {
            (FindingCode::CorrectsEarlier, Effect::FileHeld, "the group takes an earlier one back; a person must undo it", true)
        }
        b"3" => (FindingCode::CorrectsEarlier, Effect::Noted, "the group corrects an earlier one; compare the two", false),
        b"4" => (FindingCode::OddEnvelope, Effect::Noted, "the group is a test; nothing of it is taken", true),
        _ => (FindingCode::BadCode, Effect::Noted, "the group status is unknown; read as an update", false),
    };
    out.finding(record.finding(status, code, effect, message.to_owned(), "1 (update)"));
    silent
}

/// A finding about a record as a whole, for the caller to word.
fn odd(record: &Record<'_, '_>, code: FindingCode, severity: Severity, effect: Effect) -> Finding {
    Finding {
        code,
        severity,
        effect,
        message: String::new(),
        expected: String::new(),
        found: String::from_utf8_lossy(&record.head.code).into_owned(),
        location: record.location(),
    }
}

fn stray(record: &Record<'_, '_>, message: &str, effect: Effect) -> Finding {
    Finding {
        message: message.to_owned(),
        expected: "01, 02, 03, 16, 88, 49, 98, 99 in their order".to_owned(),
        ..odd(record, FindingCode::BadEnvelope, Severity::Error, effect)
    }
}
