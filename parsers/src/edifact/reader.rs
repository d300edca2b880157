//! Moves over a window of bytes, one segment at a time, and hands each complete message to the reader of its kind.
//!
//! What a window does not hold whole is asked for again, so every way of cutting a file into chunks gives the same records.

mod gap;

use crate::{
    Effect, Finding, FindingCode, Format, Limits, Location, Record, Severity, Sink, Status, Summary,
    line::byte_order_mark,
    reader::Reader,
    x12::{
        output::{Output, Tally, unlisted},
        received,
        segment::shown,
    },
};

use self::gap::Gap;
use super::{
    charset::Charset,
    envelope::{Envelope, held, message_type},
    invoic,
    lexer::{Cut, Span, cut},
    marks::{Beginning, Marks, beginning},
    message::Message,
    remadv,
    segment::{Dialect, Segment},
};

/// Where the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Before an interchange.
    Between,
    /// Behind its service characters.
    Inside,
    /// Reading stopped; everything that follows is passed over.
    Stopped,
}

/// State between two windows.
#[derive(Debug)]
pub(crate) struct EdifactReader {
    limits: Limits,
    tally: Tally,
    stage: Stage,
    /// File offset of the first byte of the window.
    base: u64,
    /// Position in the window, and line breaks before it.
    at: usize,
    line: u64,
    /// The bytes before this position hold no terminator.
    searched: usize,
    dialect: Dialect,
    /// Segments of the message in hand.
    message: Option<Vec<Span>>,
    /// Segments of the file so far, for places outside messages.
    ordinal: u32,
    envelope: Envelope,
    gap: Option<Gap>,
    /// The interchange has been said to hold text other than UNB says.
    charset_told: bool,
}

impl EdifactReader {
    pub fn new(limits: &Limits) -> Self {
        Self {
            limits: limits.clone(),
            tally: Tally::new(limits.findings_max),
            stage: Stage::Between,
            base: 0,
            at: 0,
            line: 0,
            searched: 0,
            dialect: Dialect { marks: Marks::DEFAULT, charset: Charset::Ascii },
            message: None,
            ordinal: 0,
            envelope: Envelope::default(),
            gap: None,
            charset_told: false,
        }
    }

    /// Looks for the next interchange. False: more bytes are needed, or there are none.
    fn seek(&mut self, window: &[u8], last: bool, out: &mut Output<'_>) -> bool {
        if self.base == 0 && self.at == 0 {
            if window.len() < 3 && !last {
                return false;
            }
            if window.starts_with(b"\xef\xbb\xbf") {
                self.at = 3;
                out.finding(byte_order_mark());
            }
        }
        self.pass_blanks(window);
        let rest = window.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return false;
        }
        match beginning(rest, last) {
            Beginning::NeedsBytes => false,
            Beginning::Interchange(marks, skip) => {
                self.end_gap(false, out);
                self.pass(window, skip);
                self.dialect = Dialect { marks, charset: Charset::Ascii };
                (self.stage, self.charset_told) = (Stage::Inside, false);
                true
            }
            Beginning::Foreign => {
                self.gather_gap(window, last);
                true
            }
        }
    }

    /// Reads the next segment. False: more bytes are needed, or there are none.
    fn step<'w>(&mut self, window: &'w [u8], last: bool, out: &mut Output<'w>) -> bool {
        if self.envelope.in_interchange() && !self.una_is_no_segment(window, last, out) {
            return self.stage == Stage::Between;
        }
        let bytes_max = self.limits.segment_bytes_max;
        match cut(window, self.at, self.line, self.searched, &self.dialect.marks, last, bytes_max) {
            Cut::End => self.message_is_too_long(window.len(), out),
            Cut::NeedsBytes(searched) => {
                self.searched = searched;
                self.message_is_too_long(window.len(), out)
            }
            Cut::TooLong(span) => {
                let expected = format!("segments of at most {bytes_max} bytes");
                self.stop(span, "a segment is longer than allowed or never ends", expected, out);
                true
            }
            Cut::Segment { span, next, line, terminated } => {
                self.ordinal = self.ordinal.saturating_add(1);
                let goes_on = self.segment(window, span, terminated, out);
                if goes_on && self.stage != Stage::Stopped {
                    (self.at, self.line, self.searched) = (next, line, next);
                }
                true
            }
        }
    }

    /// An interchange may begin where a segment would, with service characters of its own. False: it does, or more bytes are needed.
    fn una_is_no_segment(&mut self, window: &[u8], last: bool, out: &mut Output<'_>) -> bool {
        let rest = window.get(self.at..).unwrap_or_default();
        let blank = rest.iter().take_while(|byte| super::lexer::is_blank(**byte)).count();
        let rest = rest.get(blank..).unwrap_or_default();
        if !rest.starts_with(b"UNA") {
            return true;
        }
        match beginning(rest, last) {
            Beginning::NeedsBytes => false,
            Beginning::Foreign => true,
            Beginning::Interchange(..) => {
                let location = self.place(self.at.saturating_add(blank));
                self.abandon(location, out);
                false
            }
        }
    }

    /// Another interchange begins before this one has ended.
    fn abandon(&mut self, location: Location, out: &mut Output<'_>) {
        self.message = None;
        self.envelope.interchange_without_trailer(location, "another interchange", out);
        self.stage = Stage::Between;
    }

    /// Takes one segment; false when it must be looked at again.
    fn segment<'w>(&mut self, window: &'w [u8], span: Span, terminated: bool, out: &mut Output<'w>) -> bool {
        let ordinal = match &self.message {
            Some(spans) => u32::try_from(spans.len()).unwrap_or(u32::MAX).saturating_add(1),
            None => self.ordinal,
        };
        if self.message_is_too_long(span.end, out) {
            return true;
        }
        let segment = Segment::new(window, self.base, span, ordinal, self.dialect);
        let tag = segment.tag();
        if self.message.is_some() && matches!(tag.as_str(), "UNB" | "UNG" | "UNH" | "UNE" | "UNZ") {
            self.message = None;
            if tag.as_str() != "UNB" {
                self.envelope.message_without_trailer(&segment, out);
            }
        }
        match tag.as_str() {
            "UNB" if self.envelope.in_interchange() => {
                self.abandon(segment.location(), out);
                return false;
            }
            "UNB" => self.open_interchange(&segment, out),
            _ if !self.envelope.in_interchange() => out.finding(stray(&segment, "UNB")),
            "UNG" => self.envelope.open_group(&segment, out),
            "UNE" => self.envelope.close_group(&segment, out),
            "UNZ" => {
                self.envelope.close_interchange(&segment, terminated, out);
                self.stage = Stage::Between;
            }
            "UNH" => {
                let unh = Segment::new(window, self.base, span, 1, self.dialect);
                self.envelope.open_message(&unh, format(&message_type(&unh)), out);
                self.message = Some(vec![span]);
            }
            "UNT" if self.message.is_some() => {
                let mut spans = self.message.take().unwrap_or_default();
                spans.push(span);
                self.read_message(window, &spans, out);
            }
            _ => match &mut self.message {
                Some(spans) => spans.push(span),
                None => out.finding(stray(&segment, "UNG, UNH, UNE or UNZ")),
            },
        }
        true
    }

    fn open_interchange(&mut self, unb: &Segment<'_>, out: &mut Output<'_>) {
        let (identifier, version) = (unb.code(1, 1), unb.code(1, 2));
        self.dialect.charset = Charset::of(&identifier);
        self.dialect.marks = self.dialect.marks.for_version(&version);
        self.envelope.open_interchange(unb, self.dialect.marks.delimiters(), out);
    }

    /// Compares the trailer of a complete message and hands it to its reader.
    fn read_message<'w>(&mut self, window: &'w [u8], spans: &[Span], out: &mut Output<'w>) {
        let limits = self.limits.clone();
        let message = Message { window, base: self.base, spans, dialect: self.dialect, limits: &limits };
        let (Some(unh), Some(unt)) = (message.segments().next(), message.segments().next_back()) else { return };
        out.begin_set(self.envelope.exchange(&unh));
        self.envelope.close_message(&unh, &unt, spans.len(), out);
        self.tell_charset(&message, out);
        let kind = message_type(&unh);
        match &*kind {
            "REMADV" => remadv::read(&message, out),
            "INVOIC" => invoic::read(&message, out),
            _ => {
                self.envelope.unsupported = self.envelope.unsupported.saturating_add(1);
                let mut finding = unh.element(2).finding(
                    1,
                    FindingCode::UnsupportedFormat,
                    Effect::Noted,
                    format!("message {} is not read", shown(kind.as_bytes())),
                    "REMADV or INVOIC",
                );
                finding.severity = Severity::Info;
                out.finding(finding);
            }
        }
        out.end_set();
    }

    /// The first text of an interchange that is not in the character set of its UNB is told about.
    fn tell_charset(&mut self, message: &Message<'_, '_>, out: &mut Output<'_>) {
        let charset = self.dialect.charset;
        if self.charset_told || charset.has_single_bytes() {
            return;
        }
        let Some(segment) = message.segments().find(|segment| !segment.raw().is_ascii()) else { return };
        let is_utf8 = message.segments().all(|segment| std::str::from_utf8(segment.raw()).is_ok());
        if is_utf8 && charset == Charset::Utf8 {
            return;
        }
        self.charset_told = true;
        let message = if is_utf8 { "the text is UTF-8" } else { "the text is not UTF-8 and was read as Windows-1252" };
        let code = if is_utf8 { FindingCode::OddEnvelope } else { FindingCode::NotUtf8 };
        let byte = segment.raw().iter().find(|byte| !byte.is_ascii()).copied().unwrap_or_default();
        let expected = "the characters that UNB announces";
        let mut finding = segment.finding(code, Effect::Noted, format!("{message}; UNB announces other characters"), expected);
        finding.found = format!("byte {byte:02X}");
        if is_utf8 {
            finding.severity = Severity::Info;
        }
        out.finding(finding);
    }

    /// Memory is bounded by one message: reading stops at one that goes on beyond its limit.
    fn message_is_too_long(&mut self, end: usize, out: &mut Output<'_>) -> bool {
        let Some(first) = self.message.as_ref().and_then(|spans| spans.first()).copied() else { return false };
        if end.saturating_sub(first.start) <= self.limits.transaction_bytes_max {
            return false;
        }
        let expected = format!("messages of at most {} bytes", self.limits.transaction_bytes_max);
        self.stop(first, "a message is longer than allowed", expected, out);
        true
    }

    fn stop(&mut self, span: Span, message: &str, expected: String, out: &mut Output<'_>) {
        self.stage = Stage::Stopped;
        self.message = None;
        let byte = self.base.saturating_add(span.start as u64);
        let location = Location { byte, line: Some(span.line.saturating_add(1)), ..Location::default() };
        out.finding(held(FindingCode::LimitReached, message, &expected, "more".to_owned(), location));
    }

    /// The place of a position of the window.
    fn place(&self, at: usize) -> Location {
        let byte = self.base.saturating_add(at as u64);
        Location { byte, line: Some(self.line.saturating_add(1)), ..Location::default() }
    }

    fn end_of_file(&mut self, window: &[u8], out: &mut Output<'_>) {
        if self.stage == Stage::Stopped {
            return;
        }
        self.end_gap(true, out);
        let location = self.place(window.len());
        self.message = None;
        self.envelope.interchange_without_trailer(location, "the end of the file", out);
        if !self.envelope.is_read() {
            let message = "the file holds no interchange";
            let finding = held(FindingCode::MissingSegment, message, "UNB", String::new(), location);
            out.finding(Finding { effect: Effect::FileRejected, ..finding });
        }
    }
}

impl Reader for EdifactReader {
    fn run<'w>(&mut self, window: &'w [u8], last: bool, sink: &mut dyn Sink<'w>) -> usize {
        let mut out = Output::new(std::mem::take(&mut self.tally));
        loop {
            let goes_on = match self.stage {
                Stage::Between => self.seek(window, last, &mut out),
                Stage::Inside => self.step(window, last, &mut out),
                Stage::Stopped => {
                    self.at = window.len();
                    false
                }
            };
            out.flush(sink);
            if !goes_on {
                break;
            }
        }
        if last {
            self.end_of_file(window, &mut out);
            out.flush(sink);
        }
        self.tally = out.tally;
        let consumed = self.message.as_ref().and_then(|spans| spans.first()).map_or(self.at, |first| first.start);
        for span in self.message.iter_mut().flatten() {
            span.start = span.start.saturating_sub(consumed);
            span.end = span.end.saturating_sub(consumed);
        }
        self.at = self.at.saturating_sub(consumed);
        self.searched = self.searched.saturating_sub(consumed);
        self.base = self.base.saturating_add(consumed as u64);
        consumed
    }

    fn finish(self: Box<Self>, sink: &mut dyn FnMut(Record<'static>)) -> Summary {
        if let Some(finding) = unlisted(&self.tally, self.base) {
            sink(Record::Finding(finding));
        }
        let envelope = self.envelope;
        let only_unsupported = envelope.messages > 0 && envelope.messages == envelope.unsupported;
        let status = match received::status(self.tally.worst(), envelope.is_read(), only_unsupported) {
            // Something in the file was not read; that must not look like everything.
            Status::Accepted if envelope.unsupported > 0 => Status::AcceptedWithFindings,
            status => status,
        };
        Summary { format: envelope.format(), status, received: envelope.received }
    }
}

/// The format of a message by its type (0065).
fn format(message_type: &str) -> Format {
    match message_type {
        "REMADV" => Format::EdifactRemadv,
        "INVOIC" => Format::EdifactInvoic,
        _ => Format::EdifactOther,
    }
}

/// A segment that stands where the envelope allows none.
fn stray(segment: &Segment<'_>, expected: &str) -> Finding {
    let message = "a segment stands where the envelope allows none";
    held(FindingCode::BadEnvelope, message, expected, segment.tag().to_string(), segment.location())
}
