//! Records 1 and 9: what the file as a whole claims, and whether its blocks are full.

use chrono::NaiveDate;

use crate::{
    Effect, Figure, Finding, FindingCode, Location, Severity,
    x12::{
        output::{Claim, Output},
        value,
    },
};

use super::{
    batch::Batch,
    code::Form,
    layout::{file_control, file_header as at},
    line::{COLUMNS, Line},
    total::{self, Totals},
};

/// Records of a block.
const BLOCK: u64 = 10;

/// A file in hand; several may be joined.
#[derive(Debug, Default)]
pub(super) struct File {
    state: State,
    /// File Creation Date.
    pub created: Option<NaiveDate>,
    /// Form of its batches, which decides the columns of the totals.
    form: Form,
    batches: u64,
    totals: Totals,
    /// Records from header to control, both included.
    records: u64,
    /// Records that fill the last block.
    fillers: u64,
    /// A filler is shorter than a record.
    filler_cut: Option<Location>,
    /// A record came without its trailing blanks.
    trimmed: bool,
    /// Block Count: what is claimed, and where. It is compared when the fillers have passed.
    blocks: Option<(Figure, Option<u64>, Location)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// No header yet.
    #[default]
    Before,
    Open,
    /// The file control has passed.
    Closed,
    /// The bytes have ended.
    Done,
}

impl File {
    /// Reads record 1.
    pub fn open(line: &Line<'_>, out: &mut Output<'_>) -> Self {
        let expected = [(&at::RECORD_SIZE, "094"), (&at::BLOCKING_FACTOR, "10"), (&at::FORMAT_CODE, "1")];
        for (field, expected) in expected {
            if line.raw(field) != expected.as_bytes() {
                let message = format!("{} is not the one of the standard", field.name);
                out.finding(line.finding(field, FindingCode::OddEnvelope, Effect::Noted, message, expected));
            }
        }
        let created = value::date(line.value(&at::FILE_CREATION_DATE)).map(|(date, _)| date);
        if created.is_none() {
            let message = "the file creation date is no date".to_owned();
            out.finding(line.finding(&at::FILE_CREATION_DATE, FindingCode::BadDate, Effect::Noted, message, "YYMMDD"));
        }
        Self { state: State::Open, created, ..Self::default() }
    }

    /// After the last byte: nothing more is expected.
    pub fn done() -> Self {
        Self { state: State::Done, ..Self::default() }
    }

    pub fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Counts a record for the blocks.
    pub fn count_record(&mut self, columns: usize) {
        self.records = self.records.saturating_add(1);
        self.trimmed |= columns < COLUMNS && self.state != State::Closed;
    }

    /// A batch or entry needs a file around it; said once.
    pub fn expect_open(&mut self, line: &Line<'_>, out: &mut Output<'_>) {
        let message = match self.state {
            State::Open => return,
            State::Closed => "records follow the file control",
            State::Before | State::Done => "the file header is missing",
        };
        let expected = if self.state == State::Closed { "the end of the file or a file header" } else { "record 1" };
        out.finding(line.finding_here(FindingCode::BadEnvelope, Effect::FileHeld, message.to_owned(), expected));
        if self.state == State::Closed {
            self.end(line.location(), "further records", out);
        }
        *self = Self { state: State::Open, created: self.created, ..Self::default() };
    }

    /// Adds a batch that has ended.
    pub fn add(&mut self, batch: &Batch) {
        self.batches = self.batches.saturating_add(1);
        self.totals.add(&batch.totals);
        if batch.form == Form::Adv {
            self.form = Form::Adv;
        }
    }

    /// Reads record 9. `whole` says that the record did not end with the bytes.
    pub fn close(&mut self, line: &Line<'_>, whole: bool, out: &mut Output<'_>) {
        if self.state != State::Open {
            self.expect_open(line, out);
        }
        total::count(line, &file_control::BATCH_COUNT, "file", self.batches, "the number of batches", out);
        self.totals.compare_file(line, self.form, out);
        let claimed = line.value(&file_control::BLOCK_COUNT);
        let number = total::claim(line, &file_control::BLOCK_COUNT);
        let figure = number.map_or_else(|| Figure::new(&String::from_utf8_lossy(claimed)), Figure::count);
        self.blocks = Some((figure, number, line.location_of(&file_control::BLOCK_COUNT)));
        if !whole && line.columns() < COLUMNS && !self.trimmed {
            // The other records kept their blanks. Every claim could be compared, so nothing of the file is missing.
            let message = "the file ends inside the blanks of the file control".to_owned();
            out.finding(line.finding_here(FindingCode::UnexpectedEnd, Effect::Noted, message, "94 columns"));
        }
        self.state = State::Closed;
    }

    /// Takes a record of nines.
    pub fn fill(&mut self, line: &Line<'_>) {
        self.fillers = self.fillers.saturating_add(1);
        if line.bytes.trim_ascii_end().len() < COLUMNS {
            self.filler_cut.get_or_insert(line.location());
        }
    }

    /// The file ends here, with its control or without.
    pub fn end(&mut self, location: Location, found: &str, out: &mut Output<'_>) {
        match self.state {
            State::Before | State::Done => return,
            State::Open => {
                out.finding(Finding {
                    code: FindingCode::MissingTrailer,
                    severity: Severity::Error,
                    effect: Effect::FileHeld,
                    message: "the file has no file control".to_owned(),
                    expected: "record 9".to_owned(),
                    found: found.to_owned(),
                    location,
                });
                return;
            }
            State::Closed => {}
        }
        self.compare_blocks(out);
        let all = self.records.saturating_add(self.fillers);
        if self.fillers > 0 && (self.filler_cut.is_some() || !all.is_multiple_of(BLOCK)) {
            // A record of nines that is cut short was cut off; records of nines left out are a habit.
            let cut = self.filler_cut.is_some();
            let (severity, effect) = if cut { (Severity::Error, Effect::FileHeld) } else { (Severity::Warning, Effect::Noted) };
            let message = match cut {
                true => "the file ends inside a record of nines",
                false => "the records of nines do not fill the last block",
            };
            out.finding(Finding {
                code: FindingCode::UnexpectedEnd,
                severity,
                effect,
                message: message.to_owned(),
                expected: "a multiple of ten records".to_owned(),
                found: format!("{all} records"),
                location: self.filler_cut.unwrap_or(location),
            });
        }
    }

    /// Block Count is that of the records, or that of all blocks where more nines follow than the last block needs.
    fn compare_blocks(&mut self, out: &mut Output<'_>) {
        let Some((claimed, number, location)) = self.blocks.take() else { return };
        let blocks = self.records.div_ceil(BLOCK);
        let with_fillers = self.records.saturating_add(self.fillers).div_ceil(BLOCK);
        let computed = if number == Some(with_fillers) { with_fillers } else { blocks };
        let claim = Claim { code: FindingCode::ControlCountMismatch, what: "the number of blocks of ten records", location };
        let sides = (claimed, Figure::count(computed));
        out.compare(file_control::BLOCK_COUNT.name, "file", sides, number == Some(computed), claim);
    }
}
