//! The two forms of reading: a whole slice, or chunks pushed as they come. Both go through the same machine.

use std::sync::Arc;

use crate::{
    Document, Format, Layout, Limits, LockboxCurrencies, Mapping, Parsed, Record, Status,
    delimited::{self, Workbook},
    detect::{self, Family},
    lockbox::Lockbox,
    reader::{Reader, reader},
    x12::{Bare, machine::Machine, received::Received},
};

/// Takes records as they are read. Closures are sinks.
pub trait Sink<'w> {
    /// Takes one record.
    fn record(&mut self, record: Record<'w>);
}

impl<'w, F: FnMut(Record<'w>)> Sink<'w> for F {
    #[inline(always)]
    fn record(&mut self, record: Record<'w>) {
        self(record);
    }
}

/// How to read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Bounds.
    pub limits: Limits,
    /// The bytes are X12 without ISA and GS, as in the addenda of ACH entries, and separate like this.
    pub bare: Option<Bare>,
    /// The layout of lockbox files; without it the file chooses among [`Layout::shipped`] by its content.
    pub lockbox: Option<Arc<Layout>>,
    /// Currencies of lockboxes, because lockbox files name none; an amount of a lockbox that is not known here is read as US dollars.
    pub lockbox_currencies: LockboxCurrencies,
    /// Mappings of delimited files that go before [`Mapping::shipped`].
    pub mappings: Vec<Arc<Mapping>>,
}

/// What remains to say when a stream has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Format by content.
    pub format: Format,
    /// The verdict on the whole file.
    pub status: Status,
    /// What came in as X12, for acknowledgments.
    pub received: Received,
}

/// Reads a whole file. Reading always returns: what is wrong stands in the findings.
///
/// ```
/// let parsed = tieout_parsers::parse(b"no such format", &tieout_parsers::Limits::default());
/// assert_eq!(parsed.document.format.as_str(), "unknown");
/// assert_eq!(parsed.findings.len(), 1);
/// ```
pub fn parse<'a>(bytes: &'a [u8], limits: &Limits) -> Parsed<'a> {
    parse_with(bytes, &Options { limits: limits.clone(), ..Options::default() })
}

/// Reads a whole file with options.
pub fn parse_with<'a>(bytes: &'a [u8], options: &Options) -> Parsed<'a> {
    let mut collector = Collector::default();
    let summary = match start(options, bytes) {
        Start::Machine(mut machine) => {
            let consumed = machine.run(bytes, true, &mut collector);
            if machine.needs_unwrapping {
                let mut unwrapped = Vec::with_capacity(bytes.len().saturating_sub(consumed));
                machine.unwrap_from().strip(bytes.get(consumed..).unwrap_or_default(), &mut unwrapped);
                machine.run(&unwrapped, true, &mut |record: Record<'_>| collector.record(record.into_owned()));
            }
            (*machine).finish(&mut collector)
        }
        Start::Reader(mut reader) => {
            reader.run(bytes, true, &mut collector);
            reader.finish(&mut |record| collector.record(record))
        }
        Start::Unknown(summary) => {
            collector.record(unknown(bytes));
            summary
        }
    };
    collector.parsed(summary)
}

/// Reads a file that comes in chunks; memory is bounded by one transaction.
///
/// ```
/// use tieout_parsers::{Limits, Record, Stream};
/// let mut stream = Stream::new(&Limits::default());
/// let mut sink = |record: Record<'_>| assert!(matches!(record, Record::Finding(_)));
/// stream.feed(b"no such", &mut sink);
/// stream.feed(b" format", &mut sink);
/// assert_eq!(stream.finish(&mut sink).format.as_str(), "unknown");
/// ```
#[derive(Debug)]
pub struct Stream {
    options: Options,
    buffer: Vec<u8>,
    machine: Option<Machine>,
    reader: Option<Box<dyn Reader>>,
    unknown: Option<Summary>,
}

impl Stream {
    /// A stream with these limits.
    pub fn new(limits: &Limits) -> Self {
        Self::with(Options { limits: limits.clone(), ..Options::default() })
    }

    /// A stream with options.
    pub fn with(options: Options) -> Self {
        Self { options, buffer: Vec::new(), machine: None, reader: None, unknown: None }
    }

    /// Takes the next bytes; whatever became complete goes to the sink.
    pub fn feed<S: for<'w> Sink<'w> + ?Sized>(&mut self, chunk: &[u8], sink: &mut S) {
        if self.unknown.is_some() {
            return;
        }
        if let Some(wrap) = self.machine.as_mut().and_then(|machine| machine.wrap.as_mut()) {
            wrap.strip(chunk, &mut self.buffer);
            self.advance(false, sink);
        } else if self.machine.is_some() || self.reader.is_some() {
            self.read_through(chunk, sink);
        } else {
            self.buffer.extend_from_slice(chunk);
            if self.options.bare.is_some() || detect::is_settled(&self.buffer) {
                self.advance(false, sink);
            }
        }
    }

    /// Reads from the chunk itself wherever it can, so that only what spans two chunks is copied.
    fn read_through<S: for<'w> Sink<'w> + ?Sized>(&mut self, chunk: &[u8], sink: &mut S) {
        let mut rest = chunk;
        let mut step = 4096;
        while !rest.is_empty() {
            if self.machine.as_ref().is_some_and(|machine| machine.wrap.is_some()) {
                break;
            }
            if self.buffer.is_empty() {
                let consumed = read(&mut self.machine, &mut self.reader, rest, sink);
                self.buffer.extend_from_slice(rest.get(consumed..).unwrap_or_default());
                rest = &[];
            } else {
                let held = self.buffer.len();
                let (head, tail) = rest.split_at_checked(step).unwrap_or((rest, &[]));
                self.buffer.extend_from_slice(head);
                let consumed = read(&mut self.machine, &mut self.reader, &self.buffer, sink);
                let is_wrapped = self.machine.as_ref().is_some_and(|machine| machine.needs_unwrapping);
                if consumed >= held && !is_wrapped {
                    rest = rest.get(consumed.wrapping_sub(held)..).unwrap_or_default();
                    self.buffer.clear();
                } else {
                    self.buffer.drain(..consumed.min(self.buffer.len()));
                    rest = tail;
                    step = step.saturating_mul(2);
                }
            }
            self.unwrap_when_needed(rest.is_empty(), sink);
        }
        if !rest.is_empty() {
            // The file turned out to be wrapped.
            self.feed(rest, sink);
        }
    }

    fn unwrap_when_needed<S: for<'w> Sink<'w> + ?Sized>(&mut self, advance: bool, sink: &mut S) {
        let Some(machine) = self.machine.as_mut().filter(|machine| machine.needs_unwrapping) else { return };
        let wrapped = std::mem::take(&mut self.buffer);
        machine.unwrap_from().strip(&wrapped, &mut self.buffer);
        if advance {
            self.advance(false, sink);
        }
    }

    /// Says that nothing follows, and gives the verdict.
    pub fn finish<S: for<'w> Sink<'w> + ?Sized>(mut self, sink: &mut S) -> Summary {
        self.advance(true, sink);
        match (self.machine, self.reader) {
            (Some(machine), _) => machine.finish(sink),
            (None, Some(reader)) => reader.finish(&mut |record| sink.record(record)),
            (None, None) => self.unknown.unwrap_or_else(no_format),
        }
    }

    fn advance<S: for<'w> Sink<'w> + ?Sized>(&mut self, last: bool, sink: &mut S) {
        if self.machine.is_none() && self.reader.is_none() && self.unknown.is_none() {
            match start(&self.options, &self.buffer) {
                Start::Machine(machine) => self.machine = Some(*machine),
                Start::Reader(reader) => self.reader = Some(reader),
                Start::Unknown(summary) => {
                    sink.record(unknown(&self.buffer));
                    self.buffer = Vec::new();
                    self.unknown = Some(summary);
                }
            }
        }
        if let Some(reader) = &mut self.reader {
            let consumed = reader.run(&self.buffer, last, &mut |record: Record<'_>| sink.record(record));
            self.buffer.drain(..consumed.min(self.buffer.len()));
            return;
        }
        let Some(machine) = &mut self.machine else { return };
        let consumed = machine.run(&self.buffer, last, sink);
        self.buffer.drain(..consumed.min(self.buffer.len()));
        if machine.needs_unwrapping {
            let wrapped = std::mem::take(&mut self.buffer);
            machine.unwrap_from().strip(&wrapped, &mut self.buffer);
            self.advance(last, sink);
        }
    }
}

/// Reads what is complete in a window that more may follow, by whichever of the two is there.
fn read<S: for<'w> Sink<'w> + ?Sized>(
    machine: &mut Option<Machine>,
    reader: &mut Option<Box<dyn Reader>>,
    window: &[u8],
    sink: &mut S,
) -> usize {
    match (machine, reader) {
        (Some(machine), _) => machine.run(window, false, sink),
        (None, Some(reader)) => reader.run(window, false, &mut |record: Record<'_>| sink.record(record)),
        (None, None) => 0,
    }
}

enum Start {
    Machine(Box<Machine>),
    Reader(Box<dyn Reader>),
    Unknown(Summary),
}

fn start(options: &Options, bytes: &[u8]) -> Start {
    let family = detect::family(bytes);
    if family == Family::Lockbox && options.bare.is_none() {
        return Start::Reader(Box::new(Lockbox::new(options)));
    }
    let reader = match family {
        Family::Unknown(_) => delimited::recognise(bytes, options),
        Family::Package => Some(Box::new(Workbook::new(options)) as Box<dyn Reader>),
        _ => reader(family, &options.limits),
    };
    match (options.bare, reader) {
        (None, Some(reader)) => Start::Reader(reader),
        (None, None) if matches!(family, Family::Unknown(_)) => Start::Unknown(no_format()),
        (bare, _) => Start::Machine(Box::new(Machine::new(&options.limits, bare))),
    }
}

fn unknown(bytes: &[u8]) -> Record<'static> {
    let hint = match detect::family(bytes) {
        Family::Unknown(hint) => hint,
        _ => "",
    };
    Record::Finding(detect::unknown(hint, bytes))
}

fn no_format() -> Summary {
    Summary { format: Format::Unknown, status: Status::Rejected, received: Received::default() }
}

/// Gathers records into a document.
#[derive(Debug)]
struct Collector<'a>(Parsed<'a>);

impl Default for Collector<'_> {
    fn default() -> Self {
        let document = Document {
            format: Format::Unknown,
            status: Status::Rejected,
            payments: Vec::new(),
            remittances: Vec::new(),
            invoices: Vec::new(),
            returns: Vec::new(),
            balances: Vec::new(),
            acknowledgments: Vec::new(),
            controls: Vec::new(),
        };
        Self(Parsed { document, findings: Vec::new(), received: Received::default() })
    }
}

impl<'a> Collector<'a> {
    fn parsed(mut self, summary: Summary) -> Parsed<'a> {
        (self.0.document.format, self.0.document.status) = (summary.format, summary.status);
        self.0.received = summary.received;
        self.0
    }
}

impl<'a> Sink<'a> for Collector<'a> {
    fn record(&mut self, record: Record<'a>) {
        let Parsed { document, findings, .. } = &mut self.0;
        match record {
            Record::Payment(record) => document.payments.push(*record),
            Record::Remittance(record) => document.remittances.push(*record),
            Record::Invoice(record) => document.invoices.push(*record),
            Record::Return(record) => document.returns.push(*record),
            Record::Balance(record) => document.balances.push(record),
            Record::Acknowledgment(record) => document.acknowledgments.push(*record),
            Record::Control(record) => document.controls.push(record),
            Record::Finding(record) => findings.push(record),
        }
    }
}
