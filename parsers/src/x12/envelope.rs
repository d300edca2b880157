//! ISA, GS, ST and their trailers: what each claims, compared with what was counted.
//!
//! This page keeps the account of what came in; it does not move over bytes and does not read the content of sets.

use std::{collections::HashSet, sync::Arc};

use crate::{Control, Effect, Exchange, Figure, Finding, FindingCode, Format, Location, Route, Severity, Tag};

use super::{
    delimiters::Isa,
    output::{Claim, Output},
    received::{Codes, GroupReceived, InterchangeReceived, Note, Received, SetReceived, Verdict, verdict},
    segment::{Segment, decode, shown},
    set, value,
};

/// The interchange, group and set in hand, and the account of all before.
#[derive(Debug, Default)]
pub(crate) struct Envelope {
    pub received: Received,
    interchange: Option<Open>,
    group: Option<Open>,
    set: Option<Open>,
    /// Sender, receiver and ISA13 of all interchanges of the file.
    numbers: HashSet<(String, String, String)>,
    set_numbers: Numbers,
    /// Between whom the group in hand travels, for its records.
    route: Option<Arc<Route>>,
    format: Option<Format>,
    pub sets: u64,
    pub sets_unsupported: u64,
    pub acknowledgments: u64,
}

/// A header whose trailer has not come yet.
#[derive(Debug)]
struct Open {
    location: Location,
    /// Groups of an interchange, sets of a group.
    count: u64,
    codes: Codes,
    /// The set stands in a group, whose account it is part of.
    in_group: bool,
}

impl Open {
    fn at(location: Location) -> Self {
        Self { location, count: 0, codes: Codes::default(), in_group: false }
    }
}

impl Envelope {
    /// Whether an interchange is open.
    pub fn in_interchange(&self) -> bool {
        self.interchange.is_some()
    }

    /// Version of the group in hand (GS08).
    pub fn version(&self) -> &[u8] {
        self.group.as_ref().and_then(|_| self.last_group()).map_or(b"", |group| group.version.as_bytes())
    }

    /// The envelope of a set of the group in hand; nothing for bare sets.
    pub fn exchange<'w>(&self, st: &Segment<'w, '_>) -> Option<Exchange<'w>> {
        self.group.as_ref()?;
        Some(Exchange { route: Arc::clone(self.route.as_ref()?), set_control: st.text_or_empty(2) })
    }

    /// The format of the file so far.
    pub fn format(&self) -> Format {
        self.format.unwrap_or(if self.acknowledgments > 0 { Format::X12Ta1 } else { Format::X12Other })
    }

    fn last_group(&self) -> Option<&GroupReceived> {
        self.received.interchanges.last()?.groups.last()
    }

    fn last_group_mut(&mut self) -> Option<&mut GroupReceived> {
        self.received.interchanges.last_mut()?.groups.last_mut()
    }

    /// ISA.
    pub fn open_interchange(&mut self, isa: &Isa<'_>, location: Location, out: &mut Output<'_>) {
        let text = |n: usize| isa.elements.get(n.wrapping_sub(1)).map(|raw| decode(raw.trim_ascii_end())).unwrap_or_default();
        let figure = |n: usize| Figure::new(&text(n));
        let mut open = Open::at(location);
        if isa.collapsed {
            let message = "the ISA segment has lost its padding; its separators were found by counting".to_owned();
            out.finding(odd(
                FindingCode::OddEnvelope,
                message,
                "an ISA segment of 106 bytes",
                format!("{} bytes", isa.length),
                location,
            ));
        }
        let key = (text(6).into_owned(), text(8).into_owned(), text(13).trim().to_owned());
        if !self.numbers.insert(key) {
            open.codes.insert(25);
            let number = text(13).into_owned();
            out.finding(Finding {
                message: format!("interchange {number} of this sender stands in the file twice"),
                ..held(FindingCode::DuplicateControlNumber, "a control number of its own (ISA13)", number, location)
            });
        }
        self.interchange = Some(open);
        self.received.interchanges.push(InterchangeReceived {
            delimiters: isa.delimiters,
            sender_qualifier: figure(5),
            sender: figure(6),
            receiver_qualifier: figure(7),
            receiver: figure(8),
            date: figure(9),
            time: figure(10),
            standard: figure(11),
            version: figure(12),
            control_number: figure(13),
            acknowledgment_requested: text(14) == "1",
            usage: figure(15),
            codes: Codes::default(),
            groups: Vec::new(),
        });
    }

    /// GS.
    pub fn open_group(&mut self, segment: &Segment<'_, '_>, out: &mut Output<'_>) {
        if self.group.is_some() {
            self.group_without_trailer(segment.location(), out);
        }
        if let Some(open) = &mut self.interchange {
            open.count = open.count.saturating_add(1);
        }
        self.group = Some(Open::at(segment.location()));
        self.set_numbers = Numbers::default();
        if value::date(segment.value(4)).is_none() {
            let message = format!("{} is no date", segment.name(4));
            out.finding(segment.finding(4, FindingCode::BadDate, Effect::Noted, message, "a date as CCYYMMDD"));
        }
        let figure = |n: usize| Figure::new(&segment.text_or_empty(n));
        let group = GroupReceived {
            functional_id: figure(1),
            sender: figure(2),
            receiver: figure(3),
            control_number: figure(6),
            agency: figure(7),
            version: figure(8),
            sets_claimed: None,
            codes: Codes::default(),
            sets: Vec::new(),
            notes: Vec::new(),
        };
        self.route = self.received.interchanges.last().map(|interchange| Arc::new(route(interchange, &group)));
        if let Some(interchange) = self.received.interchanges.last_mut() {
            interchange.groups.push(group);
        }
    }

    /// ST. `bare` says that there is no envelope to stand in.
    pub fn open_set(&mut self, segment: &Segment<'_, '_>, bare: bool, out: &mut Output<'_>) {
        let location = segment.location();
        if self.group.is_none() && !bare {
            let found = "ST outside a group".to_owned();
            let finding = held(FindingCode::BadEnvelope, "GS before ST", found, location);
            out.finding(Finding { message: "a transaction set begins outside a functional group".to_owned(), ..finding });
        }
        let mut open = Open::at(location);
        if let Some(group) = &mut self.group {
            group.count = group.count.saturating_add(1);
            open.in_group = true;
        }
        self.sets = self.sets.saturating_add(1);
        let id = segment.value(1);
        let (format, _) = set::reader(id);
        self.format = Some(match self.format {
            Some(before) if before != format => Format::X12Mixed,
            _ => format,
        });
        self.check_group_fits(segment, id, out);
        let number = Figure::new(&segment.text_or_empty(2));
        let mut numbers = std::mem::take(&mut self.set_numbers);
        let earlier = self.last_group().map(|group| group.sets.as_slice()).unwrap_or_default();
        let is_new = !open.in_group || numbers.insert(&number, earlier.iter().map(|set| &set.control_number));
        self.set_numbers = numbers;
        if !is_new {
            open.codes.insert(23);
            let message = format!("set control number {number} stands in the group twice");
            let code = FindingCode::DuplicateControlNumber;
            out.finding(segment.finding(2, code, Effect::Noted, message, "a control number of its own (ST02)"));
        }
        let received = SetReceived {
            id: Tag::new(id),
            control_number: number,
            names_guide: segment.has(3),
            verdict: Verdict::Rejected,
            codes: Codes::default(),
        };
        let in_group = open.in_group;
        self.set = Some(open);
        if let Some(group) = self.last_group_mut().filter(|_| in_group) {
            group.sets.push(received);
        }
    }

    /// Segments of an 820 begin that nothing encloses.
    pub fn open_segments(&mut self) {
        self.sets = self.sets.saturating_add(1);
        self.format = Some(Format::X12Payment820);
        self.set = Some(Open::at(Location::default()));
    }

    /// GS01 says what kind of sets the group holds.
    fn check_group_fits(&self, segment: &Segment<'_, '_>, id: &[u8], out: &mut Output<'_>) {
        let Some(group) = self.group.as_ref().and_then(|_| self.last_group()) else { return };
        let Some(expected) = set::functional_id(id) else { return };
        let found = &group.functional_id;
        if found.as_bytes() != expected {
            let message = format!("set {} stands in a group {found}", shown(id));
            out.finding(segment.finding(
                1,
                FindingCode::OddEnvelope,
                Effect::Noted,
                message,
                &format!("GS01 {}", shown(expected)),
            ));
        }
    }

    /// SE: compares count and number.
    pub fn check_set_trailer(&mut self, st: &Segment<'_, '_>, se: &Segment<'_, '_>, segments: usize, out: &mut Output<'_>) {
        let counted = compare_count("SE01", "set", "the number of segments from ST to SE", se, segments as u64, out);
        let numbers = compare_numbers("SE02", "set", "ST02", se, &st.text_or_empty(2), false, out);
        if let Some(open) = &mut self.set {
            if !counted {
                open.codes.insert(4);
            }
            if !numbers {
                open.codes.insert(3);
            }
        }
    }

    /// The set in hand has no reader; its sender is told that nothing of it was taken.
    pub fn set_not_supported(&mut self) {
        self.sets_unsupported = self.sets_unsupported.saturating_add(1);
        if let Some(open) = &mut self.set {
            open.codes.insert(1);
        }
    }

    /// The set in hand is read, or set aside.
    pub fn close_set(&mut self, set_aside: bool, notes: Vec<Note>) {
        let Some(Open { codes, in_group: true, .. }) = self.set.take() else { return };
        let Some(group) = self.last_group_mut() else { return };
        let index = u32::try_from(group.sets.len().saturating_sub(1)).unwrap_or(u32::MAX);
        // A set number used twice is told, but does not cost the set.
        let mut costly = Codes::default();
        codes.iter().filter(|code| *code != 23).for_each(|code| costly.insert(code));
        let verdict = match verdict(set_aside, costly, &notes) {
            Verdict::Accepted if !codes.is_empty() => Verdict::AcceptedWithErrors,
            verdict => verdict,
        };
        let syntax = !notes.is_empty();
        if let Some(set) = group.sets.last_mut() {
            set.verdict = verdict;
            set.codes = codes;
            if syntax {
                set.codes.insert(5);
            }
        }
        group.notes.extend(notes.into_iter().map(|note| Note { set: index, ..note }));
    }

    /// A set whose SE is missing: nothing of it is taken.
    pub fn set_without_trailer(&mut self, at: Location, out: &mut Output<'_>) {
        let Some(open) = &mut self.set else { return };
        open.codes.insert(2);
        let message = "the transaction set has no SE and may be incomplete".to_owned();
        let finding = held(FindingCode::MissingTrailer, "SE", at.tag.map_or(String::new(), |tag| tag.to_string()), open.location);
        out.finding(Finding { message, ..finding });
    }

    /// GE: compares count and number.
    pub fn close_group(&mut self, segment: &Segment<'_, '_>, out: &mut Output<'_>) {
        let Some(mut open) = self.group.take() else {
            let finding = held(FindingCode::BadEnvelope, "GS before GE", "GE".to_owned(), segment.location());
            out.finding(Finding { message: "a group ends that did not begin".to_owned(), ..finding });
            return;
        };
        let number = self.last_group().map(|group| group.control_number.clone()).unwrap_or_default();
        if !compare_count("GE01", "group", "the number of sets", segment, open.count, out) {
            open.codes.insert(5);
        }
        if !compare_numbers("GE02", "group", "GS06", segment, number.as_str(), false, out) {
            open.codes.insert(4);
        }
        if let Some(group) = self.last_group_mut() {
            group.sets_claimed = value::count(segment.value(1).trim_ascii());
            group.codes = open.codes;
        }
    }

    fn group_without_trailer(&mut self, at: Location, out: &mut Output<'_>) {
        let Some(open) = self.group.take() else { return };
        let found = at.tag.map_or(String::new(), |tag| tag.to_string());
        let finding = held(FindingCode::MissingTrailer, "GE", found, open.location);
        out.finding(Finding { message: "the functional group has no GE and may be incomplete".to_owned(), ..finding });
        if let Some(group) = self.last_group_mut() {
            group.codes = open.codes;
            group.codes.insert(3);
        }
    }

    /// IEA: compares count and number. `terminated` says that its terminator was there.
    pub fn close_interchange(&mut self, segment: &Segment<'_, '_>, terminated: bool, out: &mut Output<'_>) {
        self.group_without_trailer(segment.location(), out);
        let Some(mut open) = self.interchange.take() else { return };
        let number = self.received.interchanges.last().map(|last| last.control_number.clone()).unwrap_or_default();
        if !compare_count("IEA01", "interchange", "the number of groups", segment, open.count, out) {
            open.codes.insert(21);
        }
        if !compare_numbers("IEA02", "interchange", "ISA13", segment, number.as_str(), !terminated, out) {
            open.codes.insert(1);
        }
        self.note_interchange(open.codes);
    }

    /// The file, or another ISA, came before IEA. `found` says which.
    pub fn interchange_without_trailer(&mut self, at: Location, found: &str, out: &mut Output<'_>) {
        let Some(mut open) = self.interchange.take() else { return };
        let inside = [(&self.set, "set"), (&self.group, "group")]
            .iter()
            .find(|(open, _)| open.is_some())
            .map_or("interchange", |(_, name)| name);
        let expected = match inside {
            "set" => "SE, GE and IEA",
            "group" => "GE and IEA",
            _ => "IEA",
        };
        let message = format!("the {inside} is not complete: {found} comes before its end");
        let code = if found == "the end of the file" { FindingCode::UnexpectedEnd } else { FindingCode::MissingTrailer };
        out.finding(Finding { message, ..held(code, expected, found.to_owned(), at) });
        if let Some(open) = &mut self.set {
            open.codes.insert(2);
        }
        if let Some(group) = self.group.take()
            && let Some(received) = self.last_group_mut()
        {
            received.codes = group.codes;
            received.codes.insert(3);
        }
        open.codes.insert(23);
        self.note_interchange(open.codes);
    }

    /// Adds TA105 codes to the interchange in hand.
    pub fn note_interchange(&mut self, codes: Codes) {
        if let Some(interchange) = self.received.interchanges.last_mut() {
            interchange.codes.extend(codes);
        }
    }
}

/// Whether control numbers of one group are all different. Numbers that only count up need no list.
#[derive(Debug, Default)]
struct Numbers {
    last: Option<u64>,
    listed: bool,
    seen: HashSet<String>,
}

impl Numbers {
    /// False when the number was there before; `earlier` are those before it.
    fn insert<'e>(&mut self, number: &Figure, earlier: impl Iterator<Item = &'e Figure>) -> bool {
        if !self.listed {
            let count = value::count(number.as_bytes());
            if count.is_some() && count > self.last {
                self.last = count;
                return true;
            }
            self.listed = true;
            self.seen = earlier.map(|number| number.as_str().to_owned()).collect();
        }
        self.seen.insert(number.as_str().to_owned())
    }
}

fn route(interchange: &InterchangeReceived, group: &GroupReceived) -> Route {
    let text = |figure: &Figure| figure.as_str().trim().to_owned();
    Route {
        sender: text(&interchange.sender),
        receiver: text(&interchange.receiver),
        application_sender: text(&group.sender),
        application_receiver: text(&group.receiver),
        interchange_control: text(&interchange.control_number),
        group_control: text(&group.control_number),
    }
}

fn compare_count(
    name: &'static str,
    level: &'static str,
    what: &'static str,
    segment: &Segment<'_, '_>,
    computed: u64,
    out: &mut Output<'_>,
) -> bool {
    let text = segment.value(1).trim_ascii();
    let ok = value::count(text) == Some(computed);
    let claim = Claim { code: FindingCode::ControlCountMismatch, what, location: segment.location_of(1) };
    let counted = Figure::count(computed);
    if ok {
        out.control(Control { name, level, claimed: counted.clone(), computed: counted, ok, location: claim.location });
    } else {
        out.compare(name, level, (Figure::from(shown(text)), counted), ok, claim);
    }
    ok
}

/// Compares element 2 of a trailer with the number of its header: as numbers where both are, else as text.
fn compare_numbers(
    name: &'static str,
    level: &'static str,
    what: &'static str,
    segment: &Segment<'_, '_>,
    header: &str,
    exactly: bool,
    out: &mut Output<'_>,
) -> bool {
    let claim = Claim { code: FindingCode::ControlNumberMismatch, what, location: segment.location_of(2) };
    let raw = segment.value(2);
    if raw == header.as_bytes() && !raw.is_empty() {
        out.control(Control {
            name,
            level,
            claimed: Figure::new(header),
            computed: Figure::new(header),
            ok: true,
            location: claim.location,
        });
        return true;
    }
    let trailer = segment.text_or_empty(2);
    let (header, trailer) = (header.trim(), trailer.trim());
    let same = header == trailer;
    let counts = (value::count(header.as_bytes()), value::count(trailer.as_bytes()));
    let ok = same || (!exactly && matches!(counts, (Some(header), Some(trailer)) if header == trailer));
    if ok && !same {
        let message = format!("{name} and {what} are the same number written differently");
        out.finding(segment.finding(2, FindingCode::OddEnvelope, Effect::Noted, message, header));
    }
    out.compare(name, level, (Figure::new(trailer), Figure::new(header)), ok, claim);
    ok
}

fn held(code: FindingCode, expected: &str, found: String, location: Location) -> Finding {
    let expected = expected.to_owned();
    Finding { code, severity: Severity::Error, effect: Effect::FileHeld, message: String::new(), expected, found, location }
}

fn odd(code: FindingCode, message: String, expected: &str, found: String, location: Location) -> Finding {
    let expected = expected.to_owned();
    Finding { code, severity: Severity::Warning, effect: Effect::Noted, message, expected, found, location }
}
