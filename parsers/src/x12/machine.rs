//! The one machine behind both forms of reading: it moves over a window of bytes, one segment at a time.
//!
//! The window is the whole file, or what a stream holds of it. The machine asks for more bytes by consuming less than the window, and it
//! decides nothing by where a window ends, so every way of cutting a file into chunks gives the same records.

mod between;
mod ending;
mod segments;

use crate::{Currency, Effect, Limits, Location, Sink, Status, Summary, utf8};

use super::{
    bare::Bare,
    delimiters::Delimiters,
    envelope::Envelope,
    id::SegmentId,
    lexer::{Span, Stop, Tape},
    output::{Output, Tally, unlisted},
    place::{Origin, Wrap},
    received,
    remark::{not_utf8, stray, tell_oddities},
    segment::{Context, Segment},
    set::{self, Set},
};

/// Where the machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Before an ISA.
    Between,
    /// After an ISA.
    Inside,
    /// Reading stopped; everything that follows is passed over.
    Stopped,
}

/// State between two windows.
#[derive(Debug)]
pub(crate) struct Machine {
    limits: Limits,
    stage: Stage,
    tape: Tape,
    /// Next segment of the tape.
    cursor: usize,
    /// ST of the set in hand on the tape.
    set_first: Option<usize>,
    delimiters: Delimiters,
    /// How X12 without envelopes stands there, where the caller says that it does.
    bare: Option<Bare>,
    /// Unwrapped file offset of the first byte of the window.
    base: u64,
    pub wrap: Option<Wrap>,
    /// The file is wrapped at a fixed column: the rest must come without its line breaks, see [`Machine::unwrap_from`].
    pub needs_unwrapping: bool,
    envelope: Envelope,
    tally: Tally,
    gap: Option<between::Gap>,
    /// Foreign bytes are part of something already told about.
    gap_known: bool,
    /// Segments before the tape, for places outside sets.
    ordinal: u32,
}

impl Machine {
    /// A machine for a file with envelopes, or for X12 without them.
    pub fn new(limits: &Limits, bare: Option<impl Into<Bare>>) -> Self {
        Self::on_tape(limits, bare, Tape::default())
    }

    /// The same, with the memory of an earlier machine: for short texts getting memory takes as long as reading.
    pub fn on_tape(limits: &Limits, bare: Option<impl Into<Bare>>, tape: Tape) -> Self {
        let bare = bare.map(Into::into);
        let mut limits = limits.clone();
        // Positions on the tape have 32 bits.
        limits.transaction_bytes_max = limits.transaction_bytes_max.min(1 << 30);
        limits.segment_bytes_max = limits.segment_bytes_max.min(limits.transaction_bytes_max);
        let tape = tape.renewed(limits.segment_bytes_max);
        Self {
            stage: if bare.is_some() { Stage::Inside } else { Stage::Between },
            tally: Tally::new(limits.findings_max),
            limits,
            tape,
            cursor: 0,
            set_first: None,
            delimiters: bare.map_or(Delimiters::bare(b'~'), Bare::delimiters),
            bare,
            base: 0,
            wrap: None,
            needs_unwrapping: false,
            envelope: Envelope::default(),
            gap: None,
            gap_known: false,
            ordinal: 0,
        }
    }

    /// Reads on. `last` says that nothing follows the window. Gives how many bytes of the window are done with; the next window must
    /// begin with the first byte that is not.
    pub fn run<'w, S: Sink<'w> + ?Sized>(&mut self, window: &'w [u8], last: bool, sink: &mut S) -> usize {
        let mut out = Output::new(std::mem::take(&mut self.tally));
        while !self.needs_unwrapping {
            let goes_on = match self.stage {
                Stage::Between => self.seek_interchange(window, last, &mut out),
                Stage::Inside => self.read_segments(window, last, &mut out, sink),
                Stage::Stopped => {
                    self.tape.restart(window.len(), self.tape.line());
                    false
                }
            };
            out.flush(sink);
            if !goes_on {
                break;
            }
        }
        self.tally = out.tally;
        self.forget();
        let consumed = if self.set_first.is_some() { self.tape.origin } else { self.tape.open.min(self.tape.scanned) };
        self.tape.rebase(consumed);
        self.base = self.base.wrapping_add(consumed as u64);
        if let Some(wrap) = &mut self.wrap {
            wrap.forget(self.base);
        }
        consumed
    }

    /// From here on the windows come without line breaks.
    pub fn unwrap_from(&mut self) -> &mut Wrap {
        self.needs_unwrapping = false;
        self.wrap.insert(Wrap::starting_at(self.base))
    }

    /// Gives up the memory of a machine that will only be finished.
    pub fn take_tape(&mut self) -> Tape {
        std::mem::take(&mut self.tape)
    }

    /// After the last window: the verdict, what came in, and how many findings were not kept.
    pub fn finish<'w, S: Sink<'w> + ?Sized>(mut self, sink: &mut S) -> Summary {
        if let Some(finding) = unlisted(&self.tally, self.base) {
            sink.record(crate::Record::Finding(finding));
        }
        let envelope = &mut self.envelope;
        let read = !envelope.received.interchanges.is_empty() || self.bare.is_some();
        let only_unsupported = envelope.sets > 0 && envelope.sets == envelope.sets_unsupported;
        let status = match received::status(self.tally.worst(), read, only_unsupported) {
            // Something in the file was not read; that must not look like everything.
            Status::Accepted if envelope.sets_unsupported > 0 => Status::AcceptedWithFindings,
            status => status,
        };
        Summary { format: envelope.format(), status, received: std::mem::take(&mut envelope.received) }
    }

    /// Lets go of everything before the set in hand.
    fn forget(&mut self) {
        let keep = self.set_first.unwrap_or(self.cursor);
        self.tape.forget(keep);
        self.ordinal = self.ordinal.wrapping_add(u32::try_from(keep).unwrap_or(u32::MAX));
        self.cursor = self.cursor.saturating_sub(keep);
        self.set_first = self.set_first.map(|first| first.saturating_sub(keep));
    }

    fn place(&self, position: usize) -> Location {
        Origin { base: self.base, wrap: self.wrap.as_ref() }.location(position, self.tape.line(), None)
    }

    /// Reads the segments on the tape and fills it again. False: more bytes are needed, or there are none.
    fn read_segments<'w, S: Sink<'w> + ?Sized>(
        &mut self,
        window: &'w [u8],
        last: bool,
        out: &mut Output<'w>,
        sink: &mut S,
    ) -> bool {
        self.begin_segments(window);
        while self.cursor < self.tape.spans.len() && self.stage == Stage::Inside {
            self.skip_body();
            if self.cursor < self.tape.spans.len() && !self.transaction_too_long(out) {
                self.read_segment(window, true, out);
                out.flush(sink);
            }
        }
        if self.stage != Stage::Inside {
            return true;
        }
        if self.transaction_too_long(out) {
            return true;
        }
        self.forget();
        let stop = self.tape.fill(window, &self.delimiters);
        match stop {
            None | Some(Stop::AfterIea) => true,
            Some(Stop::NeedsBytes) if !last => self.cursor < self.tape.spans.len(),
            Some(Stop::NeedsBytes) if self.cursor < self.tape.spans.len() => true,
            Some(Stop::NeedsBytes) => self.end_of_file(window, out),
            Some(Stop::BeforeIsa) if self.cursor < self.tape.spans.len() => true,
            Some(Stop::BeforeIsa) => {
                self.abandon("another ISA", out);
                true
            }
            Some(Stop::SegmentTooLong) if self.cursor < self.tape.spans.len() => true,
            Some(Stop::SegmentTooLong) => {
                let expected = format!("a segment of at most {} bytes", self.limits.segment_bytes_max);
                self.stop(self.tape.open, self.tape.line(), "a segment is longer than allowed", expected, out);
                true
            }
        }
    }

    /// Moves the cursor over segments inside a set, whose content is read when the set is complete.
    #[inline]
    fn skip_body(&mut self) {
        if self.set_first.is_none() {
            return;
        }
        if self.in_segments() {
            self.cursor = self.tape.spans.len();
            return;
        }
        let rest = self.tape.spans.get(self.cursor..).unwrap_or_default();
        // A tag alone, without elements, ends nothing.
        let ends = |span: &Span| {
            span.id.is_envelope() && self.tape.separators.from(span.start).trailing_zeros() < span.end.wrapping_sub(span.start)
        };
        self.cursor = self.cursor.saturating_add(rest.iter().take_while(|span| !ends(span)).count());
    }

    /// Reads the segment under the cursor, which is part of the envelope.
    fn read_segment<'w>(&mut self, window: &'w [u8], terminated: bool, out: &mut Output<'w>) {
        let Self { tape, envelope, wrap, .. } = self;
        let context = Context {
            bytes: window.get(tape.origin..).unwrap_or_default(),
            text: None,
            delimiters: &self.delimiters,
            origin: Origin { base: self.base.wrapping_add(tape.origin as u64), wrap: wrap.as_ref() },
            separators: &tape.separators,
            long_dates: is_long_dated(envelope.version()),
        };
        let Some(span) = tape.spans.get(self.cursor) else { return };
        let ordinal = u32::try_from(self.cursor).unwrap_or(u32::MAX).wrapping_add(self.ordinal).wrapping_add(1);
        let segment = Segment::new(&context, span, ordinal);
        let mut after = None;
        if self.set_first.is_none() || segment.id() == SegmentId::SE {
            let from = self.set_first.unwrap_or(self.cursor);
            tell_oddities(tape, from..=self.cursor, &context, ordinal, out);
        }
        match segment.id() {
            SegmentId::ST => {
                drop_open_set(envelope, &mut self.set_first, &segment, out);
                self.set_first = Some(self.cursor);
                let st = Segment::new(&context, span, 1);
                envelope.open_set(&st, self.bare.is_some(), out);
            }
            SegmentId::SE => match self.set_first.take() {
                Some(first) => {
                    read_set(envelope, &self.limits, &context, tape.spans.get(first..=self.cursor).unwrap_or_default(), out)
                }
                None => out.finding(stray(&segment, "SE without ST", Effect::FileHeld)),
            },
            SegmentId::GS => {
                drop_open_set(envelope, &mut self.set_first, &segment, out);
                envelope.open_group(&segment, out);
            }
            SegmentId::GE => {
                drop_open_set(envelope, &mut self.set_first, &segment, out);
                envelope.close_group(&segment, out);
            }
            SegmentId::IEA => {
                drop_open_set(envelope, &mut self.set_first, &segment, out);
                envelope.close_interchange(&segment, terminated, out);
                self.stage = Stage::Between;
                after = Some(after_segment(&context, span));
            }
            SegmentId::TA1 | SegmentId::ISB | SegmentId::ISE => {
                envelope.acknowledgments = envelope.acknowledgments.saturating_add(u64::from(segment.id() == SegmentId::TA1));
                set::read_interchange_segment(&segment, out);
            }
            _ if self.set_first.is_some() => {}
            _ => out.finding(stray(&segment, "a segment outside transaction sets", Effect::FileHeld)),
        }
        self.cursor = self.cursor.saturating_add(1);
        if let Some((position, line)) = after {
            self.ordinal = self.ordinal.wrapping_add(u32::try_from(self.cursor).unwrap_or(u32::MAX));
            self.cursor = 0;
            let position = self.tape.origin.saturating_add(position).min(window.len());
            self.tape.restart(position, line);
        }
    }
}

/// Where the bytes go on after a segment, and the line breaks before them; a newline that ends it is left to be passed over.
fn after_segment(context: &Context<'_, '_>, span: &Span) -> (usize, u32) {
    let end = span.end as usize;
    let sign = context.delimiters.terminator.as_bytes();
    (if sign == b"\n" { end } else { end.saturating_add(sign.len()) }, span.line)
}

/// A set without SE is set aside when something else begins.
fn drop_open_set(envelope: &mut Envelope, set_first: &mut Option<usize>, at: &Segment<'_, '_>, out: &mut Output<'_>) {
    if set_first.take().is_some() {
        envelope.set_without_trailer(at.location(), out);
        envelope.close_set(true, Vec::new());
    }
}

/// Compares the trailer of a complete set and hands it to its reader.
fn read_set<'w>(envelope: &mut Envelope, limits: &Limits, context: &Context<'w, '_>, spans: &[Span], out: &mut Output<'w>) {
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return };
    let start = first.start as usize;
    let bytes = context.bytes.get(start..last.end as usize).unwrap_or_default();
    let text = utf8::text(bytes);
    let context = Context { text: text.ok().map(|text| (text, start)), ..*context };
    let st = Segment::new(&context, first, 1);
    let se = Segment::new(&context, last, u32::try_from(spans.len()).unwrap_or(u32::MAX));
    out.begin_set(envelope.exchange(&st));
    envelope.check_set_trailer(&st, &se, spans.len(), out);
    if let Err(error) = text {
        out.finding(not_utf8(&context, spans, start.saturating_add(error.valid_up_to())));
    }

    let set = Set { context: &context, spans, id: st.value(1), currency: Currency::USD, limits };
    let reader = set::reader(set.id).1;
    match reader {
        Some(read) => read(&set, out),
        None => out.finding(set::unsupported_set(&set)),
    }
    if reader.is_none() {
        envelope.set_not_supported();
    }
    let (set_aside, notes) = out.end_set();
    envelope.close_set(set_aside, notes);
}

/// Versions from 004010 on write years with four digits.
fn is_long_dated(version: &[u8]) -> bool {
    version.get(..6).is_some_and(|release| release >= b"004010".as_slice())
}
