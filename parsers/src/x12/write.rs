//! Writing X12: one interchange that answers one interchange, and the segments it is made of.
//!
//! What is answered comes from [`received`](super::received) alone, so that acknowledgment and findings never disagree. Date, time and
//! control numbers come from the caller; there is no clock here.

use chrono::{NaiveDate, NaiveTime};

use crate::Format;

use super::{
    delimiters::Delimiters,
    received::{GroupReceived, InterchangeReceived},
    write_997, write_999, write_ta1,
};

/// TA105: the control structure is invalid.
const CONTROL_STRUCTURE: u8 = 22;

/// What the caller gives to an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Today (ISA09, GS04).
    pub date: NaiveDate,
    /// Now (ISA10, GS05).
    pub time: NaiveTime,
    /// Our next control number, from 1 to 999999999. The interchange and its first group take it, further groups the ones after it.
    pub control_number: u32,
}

/// An answer to an interchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// One whole interchange.
    pub bytes: Vec<u8>,
    /// What it holds, as we would read it.
    pub format: Format,
    /// How many control numbers it took.
    pub numbers_used: u32,
}

/// Answers an interchange: a TA1 when it asked for one or its envelope is wrong, and a 997 or 999 for every group in it.
///
/// An interchange whose envelope is wrong gets only the TA1 that rejects it. What only the caller can know, such as a control number seen
/// in an earlier file, it adds to the codes of the interchange before (TA105 025). Acknowledgments are never acknowledged, so an interchange
/// that holds nothing else gets no answer; nor does one without a control number, which no answer could name.
///
/// ```
/// use tieout_parsers::{Limits, parse, x12::{Stamp, acknowledge}};
/// let invoice = b"ISA*00*          *00*          *ZZ*PARTNER        *ZZ*US             *250131*1200*U*00401*000000007*0*P*>~\
///     GS*IN*PARTNER*US*20250131*1200*7*X*004010~ST*810*0001~BIG*20250131*INV-1~TDS*100~SE*4*0001~GE*1*7~IEA*1*000000007~";
/// let received = parse(invoice, &Limits::default()).received;
/// let stamp = Stamp {
///     date: chrono::NaiveDate::from_ymd_opt(2025, 2, 1).unwrap(),
///     time: chrono::NaiveTime::MIN,
///     control_number: 1,
/// };
/// let answer = acknowledge(&received.interchanges[0], &stamp).expect("an invoice is acknowledged");
/// assert!(String::from_utf8(answer.bytes).unwrap().contains("~AK1*IN*7~AK2*810*0001~AK5*A~AK9*A*1*1*1~"));
/// ```
pub fn acknowledge(interchange: &InterchangeReceived, stamp: &Stamp) -> Option<Answer> {
    let answered: Vec<&GroupReceived> = interchange.groups.iter().filter(|group| group.functional_id != "FA").collect();
    if answered.is_empty() || interchange.control_number.as_str().is_empty() {
        return None;
    }
    let mut writer = Writer::answering(interchange);
    writer.isa(interchange, stamp);
    let mut codes = interchange.codes;
    if !answered.iter().copied().all(is_named) {
        codes.insert(CONTROL_STRUCTURE);
    }
    if interchange.acknowledgment_requested || !codes.is_empty() {
        write_ta1::write(interchange, codes, &mut writer);
    }
    let groups = if codes.is_empty() { answered } else { Vec::new() };
    let mut number = stamp.control_number;
    for group in &groups {
        write_group(group, number, stamp, &mut writer);
        number = number.saturating_add(1);
    }
    writer.segment("IEA").text(&groups.len().to_string()).text(&control_number(stamp.control_number)).end();
    let guides = groups.iter().filter(|group| names_guide(group)).count();
    let format = match guides {
        _ if groups.is_empty() => Format::X12Ta1,
        0 => Format::X12Ack997,
        _ if guides == groups.len() => Format::X12Ack999,
        _ => Format::X12Mixed,
    };
    let numbers_used = u32::try_from(groups.len().max(1)).unwrap_or(u32::MAX);
    Some(Answer { bytes: writer.bytes, format, numbers_used })
}

/// Whether an answer can say which group it means: identifier, number and version are there.
fn is_named(group: &GroupReceived) -> bool {
    group.functional_id.as_str().len() == 2
        && [&group.control_number, &group.version].iter().all(|text| !text.as_str().is_empty())
}

/// A group of implementation guides from 005010 on is answered by 999, every other by 997.
fn names_guide(group: &GroupReceived) -> bool {
    let version = group.version.as_str();
    let recent = version.get(..6).is_some_and(|release| release >= "005010");
    recent && (version.contains('X') || group.sets.iter().any(|set| set.names_guide))
}

fn write_group(group: &GroupReceived, number: u32, stamp: &Stamp, writer: &mut Writer) {
    let by_guide = names_guide(group);
    let version = if by_guide { write_999::VERSION } else { release(group.version.as_str()) };
    let long_date = version >= "004010";
    let number = (number % 1_000_000_000).to_string();
    writer
        .segment("GS")
        .text("FA")
        .text(group.receiver.as_str())
        .text(group.sender.as_str())
        .text(&stamp.date.format(if long_date { "%Y%m%d" } else { "%y%m%d" }).to_string())
        .text(&stamp.time.format("%H%M").to_string())
        .text(&number)
        .text("X")
        .text(version)
        .end();
    if by_guide {
        write_999::write(group, writer);
    } else {
        write_997::write(group, writer);
    }
    writer.segment("GE").text("1").text(&number).end();
}

/// The release in a version: a 997 is part of no guide.
pub(crate) fn release(version: &str) -> &str {
    version.split_once('X').map_or(version, |(release, _)| release)
}

pub(crate) fn control_number(number: u32) -> String {
    format!("{:09}", number % 1_000_000_000)
}

/// Bytes of segments, and how many since ST.
#[derive(Debug)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
    element: u8,
    component: u8,
    repetition: Option<u8>,
    terminator: u8,
    /// Segments written since the last ST, itself counted.
    pub segments: u32,
}

impl Writer {
    /// A writer that separates as the interchange did where that is safe.
    pub fn answering(interchange: &InterchangeReceived) -> Self {
        let texts = Texts::of(interchange);
        let Delimiters { element, component, repetition, terminator } = interchange.delimiters;
        let ended_by = match terminator.as_bytes() {
            [byte] => *byte,
            _ => 0,
        };
        let repeats = interchange.version.as_str() >= "00402";
        let mut chosen = Vec::with_capacity(4);
        let element = texts.choose(element, b"*|^", &mut chosen);
        let terminator = texts.choose(ended_by, b"~\\'", &mut chosen);
        let component = texts.choose(component, b">:<", &mut chosen);
        let repetition = repeats.then(|| texts.choose(repetition.unwrap_or(0), b"^!&", &mut chosen));
        Self { bytes: Vec::new(), element, component, repetition, terminator, segments: 0 }
    }

    /// ISA, back to where the interchange came from.
    pub fn isa(&mut self, answered: &InterchangeReceived, stamp: &Stamp) {
        let version = answered.version.as_str();
        let version = if version.len() == 5 && version.bytes().all(|byte| byte.is_ascii_digit()) { version } else { "00401" };
        let standard = self.repetition.map_or("U".to_owned(), |byte| char::from(byte).to_string());
        let usage = if answered.usage == "P" { "P" } else { "T" };
        let date = stamp.date.format("%y%m%d").to_string();
        let time = stamp.time.format("%H%M").to_string();
        let number = control_number(stamp.control_number);
        self.bytes.extend_from_slice(b"ISA");
        for (text, width) in [
            ("00", 2),
            ("", 10),
            ("00", 2),
            ("", 10),
            (answered.receiver_qualifier.as_str(), 2),
            (answered.receiver.as_str(), 15),
            (answered.sender_qualifier.as_str(), 2),
            (answered.sender.as_str(), 15),
            (&date, 6),
            (&time, 4),
        ] {
            self.fixed(text, width);
        }
        // Separators are written as they are.
        for text in [&standard, version, &number, "0", usage] {
            self.bytes.push(self.element);
            self.bytes.extend_from_slice(text.as_bytes());
        }
        self.bytes.extend_from_slice(&[self.element, self.component, self.terminator]);
    }

    /// A text of exactly `width` bytes.
    fn fixed(&mut self, text: &str, width: usize) {
        self.bytes.push(self.element);
        let mut clean = self.clean(text);
        clean.resize(width, b' ');
        self.bytes.extend_from_slice(&clean);
    }

    /// All that was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Begins a segment.
    pub fn segment(&mut self, tag: &str) -> &mut Self {
        self.segments = if tag == "ST" { 1 } else { self.segments.saturating_add(1) };
        self.bytes.extend_from_slice(tag.as_bytes());
        self
    }

    /// Adds an element.
    pub fn text(&mut self, text: &str) -> &mut Self {
        let clean = self.clean(text.trim_end());
        self.bytes.push(self.element);
        self.bytes.extend_from_slice(&clean);
        self
    }

    /// Adds an element of components; those at the end that are absent are left out.
    pub fn components(&mut self, components: &[Option<u16>]) -> &mut Self {
        let used = components.iter().rposition(Option::is_some).map_or(0, |last| last.saturating_add(1));
        let texts: Vec<String> = components.iter().take(used).map(|n| n.map_or(String::new(), |n| n.to_string())).collect();
        self.bytes.push(self.element);
        self.bytes.extend_from_slice(texts.join(char::from(self.component).encode_utf8(&mut [0; 4])).as_bytes());
        self
    }

    /// Ends the segment; empty elements at its end are left out.
    pub fn end(&mut self) {
        while self.bytes.last() == Some(&self.element) {
            self.bytes.pop();
        }
        self.bytes.push(self.terminator);
    }

    /// Text that no separator can tear: X12 has no escape, so what separates becomes a blank, and what is not ASCII a question mark.
    fn clean(&self, text: &str) -> Vec<u8> {
        let separators = [self.element, self.component, self.terminator, self.repetition.unwrap_or(self.element)];
        let clean = |c: char| match u8::try_from(c) {
            Ok(byte) if separators.contains(&byte) || byte.is_ascii_control() => b' ',
            Ok(byte) if byte.is_ascii() => byte,
            _ => b'?',
        };
        text.chars().map(clean).collect()
    }
}

/// Which bytes occur in what an answer repeats from the interchange.
struct Texts([bool; 256]);

impl Texts {
    fn of(interchange: &InterchangeReceived) -> Self {
        let mut seen = [false; 256];
        let mut note = |text: &str| {
            for byte in text.bytes() {
                if let Some(slot) = seen.get_mut(usize::from(byte)) {
                    *slot = true;
                }
            }
        };
        [&interchange.sender_qualifier, &interchange.sender, &interchange.receiver_qualifier, &interchange.receiver]
            .into_iter()
            .chain([&interchange.control_number, &interchange.date, &interchange.time])
            .for_each(|figure| note(figure.as_str()));
        for group in &interchange.groups {
            [&group.functional_id, &group.sender, &group.receiver, &group.control_number, &group.version]
                .into_iter()
                .for_each(|figure| note(figure.as_str()));
            group.sets.iter().for_each(|set| note(set.control_number.as_str()));
        }
        Self(seen)
    }

    /// The byte of the interchange where it can separate here, else the first of `others` that can.
    fn choose(&self, wanted: u8, others: &[u8], chosen: &mut Vec<u8>) -> u8 {
        let separates = |byte: u8| {
            let kind = byte.is_ascii_punctuation() || matches!(byte, b'\n' | b'\r' | 0x1c..=0x1f);
            let free = self.0.get(usize::from(byte)) == Some(&false);
            kind && free && !chosen.contains(&byte)
        };
        let candidates = std::iter::once(wanted).chain(others.iter().copied()).chain(b'!'..=b'~');
        let byte = candidates.into_iter().find(|byte| separates(*byte)).unwrap_or(wanted);
        chosen.push(byte);
        byte
    }
}
