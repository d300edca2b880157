//! 823 Lockbox: deposits (DEP) of batches (BAT) of checks (BPR, in releases up to 003050 BPS), each with the items it pays.
//!
//! A check is an [`Advice`]; what makes the lockbox of it stands here: which checks lie in which deposit, and the totals and counts that
//! must be those of the checks. One bad check is set aside and its neighbours are read; a total that is not right holds the file.

mod claims;

use chrono::NaiveDate;

use crate::{Currency, Effect, Finding, FindingCode, Severity};

use self::claims::Claims;
use super::{
    advice::{Advice, Setting},
    bill::missing_segment,
    output::Output,
    segment::{Segment, shown},
    set::Set,
};

/// Segments of header, deposit and batch that carry nothing this reader keeps.
const KNOWN: &[&[u8]] = &[b"ST", b"SE", b"N2", b"N3", b"N4", b"REF", b"PER", b"TRN", b"DTM", b"AVA"];

/// Reads one 823.
pub(super) fn read<'w>(set: &Set<'w, '_>, out: &mut Output<'w>) {
    let mut reader =
        Reader { set, setting: Setting::default(), deposited: None, deposit: None, batch: None, check: None, deposits: 0 };
    for (segment, index) in set.segments().zip(0_usize..) {
        reader.segment(&segment, index, out);
    }
    reader.close_deposit(out);
    if reader.deposits == 0 {
        out.finding(missing_segment(set, "DEP", "the lockbox names no deposit (DEP)"));
    }
}

struct Reader<'w, 's, 'r> {
    set: &'r Set<'w, 's>,
    setting: Setting<'w>,
    /// DEP02 of the deposit in hand.
    deposited: Option<NaiveDate>,
    deposit: Option<Claims<'w, 's>>,
    batch: Option<Claims<'w, 's>>,
    check: Option<Advice<'w>>,
    deposits: u64,
}

impl<'w, 's> Reader<'w, 's, '_> {
    fn segment(&mut self, segment: &Segment<'w, 's>, index: usize, out: &mut Output<'w>) {
        match segment.tag() {
            b"DEP" => self.open_deposit(segment, out),
            b"BAT" => self.open_batch(segment, out),
            b"BPR" | b"BPS" => self.open_check(segment, index, out),
            b"AVA" | b"SE" => {}
            _ if self.check.is_some() => {
                if let Some(check) = &mut self.check {
                    check.take(segment, out);
                }
            }
            b"AMT" | b"QTY" => self.claim(segment, out),
            b"N1" => self.take_party(segment),
            tag if KNOWN.contains(&tag) => {}
            _ => self.foreign(segment, out),
        }
    }

    /// N1 of the header: the payee is whose lockbox it is.
    fn take_party(&mut self, segment: &Segment<'w, 's>) {
        if segment.value(1) == b"PE" && self.setting.payee.is_none() {
            self.setting.payee = segment.text(2);
            self.setting.payee_id = segment.text(4);
        }
    }

    /// DEP: lockbox (DEP01), date (DEP02), deposit number (DEP04), our bank (DEP06) and account (DEP08).
    fn open_deposit(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        self.close_deposit(out);
        self.deposits = self.deposits.saturating_add(1);
        if !segment.has(1) {
            segment.missing(1, "the number of the lockbox", Effect::Noted, out);
        }
        let setting = &mut self.setting;
        setting.lockbox = segment.text(1);
        self.deposited = segment.date(2, Effect::Noted, out);
        setting.date = self.deposited;
        setting.deposit = segment.text(4);
        setting.bank = segment.text(6);
        setting.account = segment.account(8);
        setting.batch = None;
        self.deposit = Some(Claims::new("deposit", *segment));
    }

    /// BAT: date (BAT01) and number (BAT03) of a batch.
    fn open_batch(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        self.close_batch(out);
        self.loop_missing(segment, out);
        let date = segment.date(1, Effect::Noted, out);
        self.setting.date = self.deposited.or(date);
        self.setting.batch = segment.text(3);
        self.batch = Some(Claims::new("batch", *segment));
    }

    fn open_check(&mut self, segment: &Segment<'w, 's>, index: usize, out: &mut Output<'w>) {
        self.close_check(out);
        self.loop_missing(segment, out);
        let currency = self.currency(index, out);
        let (check, amount) = Advice::of_check(segment, currency, self.set.limits, out);
        for claims in [&mut self.deposit, &mut self.batch].into_iter().flatten() {
            claims.add_check(amount.map(|amount| amount.minor), currency);
        }
        self.check = Some(check);
    }

    /// CUR02 behind BPR, else the currency of the set. One that is none sets the check aside.
    fn currency(&self, index: usize, out: &mut Output<'w>) -> Currency {
        let behind = self.set.segments_from(index.saturating_add(1));
        let mut header = behind.take_while(|segment| matches!(segment.tag(), b"TRN" | b"CUR" | b"REF" | b"DTM" | b"AVA"));
        let Some(segment) = header.find(|segment| segment.tag() == b"CUR") else { return self.set.currency };
        segment.text(2).and_then(|code| Currency::parse(&code)).unwrap_or_else(|| {
            let message = "CUR02 is no currency, so the amounts of the check have no meaning".to_owned();
            out.finding(segment.finding(2, FindingCode::BadCode, Effect::RecordSetAside, message, "an ISO 4217 code"));
            self.set.currency
        })
    }

    /// AMT and QTY of the batch or deposit in hand.
    fn claim(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        let Some(claims) = self.batch.as_mut().or(self.deposit.as_mut()) else { return self.foreign(segment, out) };
        if segment.tag() == b"AMT" {
            claims.amounts.push(*segment);
        } else {
            claims.quantities.push(*segment);
        }
    }

    fn close_check(&mut self, out: &mut Output<'w>) {
        if let Some(check) = self.check.take() {
            check.finish_check(&self.setting, out);
        }
        // The check is left out; the others of the set stay.
        out.take_set_aside();
    }

    fn close_batch(&mut self, out: &mut Output<'w>) {
        self.close_check(out);
        let Some(batch) = self.batch.take() else { return };
        batch.compare(self.set.currency, out);
        if let Some(deposit) = &mut self.deposit {
            deposit.add_batch(&batch, self.set.currency);
        }
    }

    fn close_deposit(&mut self, out: &mut Output<'w>) {
        self.close_batch(out);
        let Some(deposit) = self.deposit.take() else { return };
        if deposit.amounts.is_empty() || deposit.quantities.is_empty() {
            let tag = if deposit.amounts.is_empty() { "AMT" } else { "QTY" };
            out.finding(Finding {
                code: FindingCode::MissingSegment,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: format!("the deposit has no {tag}, so nothing is there to compare its checks with"),
                expected: tag.to_owned(),
                found: "nothing".to_owned(),
                location: deposit.head.location(),
            });
        }
        deposit.compare(self.set.currency, out);
    }

    /// A batch or check before any deposit is read, and told once.
    fn loop_missing(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        if self.deposits > 0 {
            return;
        }
        self.deposits = 1;
        out.finding(Finding {
            code: FindingCode::MissingLoop,
            severity: Severity::Warning,
            effect: Effect::Noted,
            message: format!("{} stands without DEP before it", shown(segment.tag())),
            expected: "DEP".to_owned(),
            found: shown(segment.tag()),
            location: segment.location(),
        });
    }

    /// A segment that belongs to no lockbox.
    fn foreign(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        for claims in [&mut self.deposit, &mut self.batch].into_iter().flatten() {
            claims.foreign = true;
        }
        out.finding(Finding {
            code: FindingCode::UnknownSegment,
            severity: Severity::Warning,
            effect: Effect::Noted,
            message: "the segment does not belong in an 823".to_owned(),
            expected: "a segment of the 823".to_owned(),
            found: shown(segment.tag()),
            location: segment.location(),
        });
    }
}
