//! 997 Functional Acknowledgment: what a partner says about a group we sent, its sets, and what is wrong in them.
//!
//! The 999 is the same in other tags; [`Dialect`] holds the difference.

use crate::{AckLevel, Acknowledgment, Effect, Figure, Finding, FindingCode, Location, Severity, Text};

use super::{
    bill::{SetClaim, missing_segment, repeated_segment},
    output::Output,
    segment::{Segment, shown},
    set::Set,
};

/// What the 997 and the 999 call their segments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    /// Error in a segment: AK3, IK3.
    pub segment: &'static [u8],
    /// Error in an element: AK4, IK4.
    pub element: &'static [u8],
    /// Verdict on a set: AK5, IK5.
    pub set: &'static [u8],
    /// The segment that says in which business context an error stands: CTX.
    pub context: Option<&'static [u8]>,
    /// Codes that begin with I, for errors against an implementation guide.
    pub guide_codes: bool,
}

const DIALECT: Dialect = Dialect { segment: b"AK3", element: b"AK4", set: b"AK5", context: None, guide_codes: false };

/// Reads one 997.
pub(crate) fn read<'w>(set: &Set<'w, '_>, out: &mut Output<'w>) {
    read_as(DIALECT, set, out);
}

/// Reads a 997 or 999.
pub(crate) fn read_as<'w>(dialect: Dialect, set: &Set<'w, '_>, out: &mut Output<'w>) {
    let mut reader = Reader { dialect, group: None, closed: None, set: None, sets: 0, accepted: 0 };
    let last = set.segment_count();
    for (segment, n) in set.segments().zip(1_usize..) {
        if n > 1 && n < last {
            reader.segment(&segment, out);
        }
    }
    reader.finish(set, out);
}

struct Reader<'w, 's> {
    dialect: Dialect,
    /// AK1.
    group: Option<Segment<'w, 's>>,
    /// AK9.
    closed: Option<Segment<'w, 's>>,
    /// The set in hand, from AK2 to AK5.
    set: Option<Told<'w>>,
    sets: u64,
    accepted: u64,
}

/// What is told about one set.
struct Told<'w> {
    id: Text<'w>,
    control_number: Text<'w>,
    codes: Vec<Text<'w>>,
    location: Location,
    /// Tag and position of the segment in hand, for the elements told about.
    place: (String, String),
}

impl<'w, 's> Reader<'w, 's> {
    fn segment(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        let dialect = self.dialect;
        match segment.tag() {
            b"AK1" if self.group.is_some() => repeated_segment(segment, out),
            b"AK1" => self.begin(segment, out),
            b"AK2" => self.begin_set(segment, out),
            b"AK9" if self.closed.is_some() => repeated_segment(segment, out),
            b"AK9" => {
                self.verdict_missing(out);
                self.closed = Some(*segment);
            }
            tag if tag == dialect.segment => self.segment_error(segment, out),
            tag if tag == dialect.element => self.element_error(segment, out),
            tag if tag == dialect.set => self.end_set(segment, out),
            tag if Some(tag) == dialect.context => {}
            _ => out.finding(Finding {
                code: FindingCode::UnknownSegment,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: "the segment does not belong to an acknowledgment".to_owned(),
                expected: "AK1, AK2, AK9 and what stands between them".to_owned(),
                found: shown(segment.tag()),
                location: segment.location(),
            }),
        }
    }

    /// AK1: functional identifier (AK101) and group control number (AK102).
    fn begin(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        let plain = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let id = segment.value(1);
        if id.len() != 2 || !id.iter().all(plain) {
            let message = "AK101 is no functional identifier".to_owned();
            out.finding(segment.finding(1, FindingCode::BadCode, Effect::Noted, message, "two letters, such as RA or IN"));
        }
        if !segment.has(2) {
            segment.missing(2, "the group control number acknowledged", Effect::RecordSetAside, out);
        }
        self.group = Some(*segment);
    }

    /// AK2: set identifier (AK201) and set control number (AK202).
    fn begin_set(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        self.verdict_missing(out);
        self.sets = self.sets.saturating_add(1);
        self.set = Some(Told {
            id: segment.text_or_empty(1),
            control_number: segment.text_or_empty(2),
            codes: Vec::new(),
            location: segment.location(),
            place: Default::default(),
        });
    }

    /// AK3: tag, position and code of a segment in error.
    fn segment_error(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        must_be_number(segment, 2, segment.value(2), out);
        check_codes(segment, 4, SEGMENT_CODE_MAX, self.dialect.guide_codes, out);
        let Some(set) = &mut self.set else { return outside(segment, out) };
        set.place = (shown(segment.value(1)), shown(segment.value(2)));
        let (tag, at) = &set.place;
        if segment.has(4) {
            set.codes.push(format!("{tag}@{at}={}", shown(segment.value(4))).into());
        }
    }

    /// AK4: position, code and value of an element in error. The bad value is not kept: it may be an account number.
    fn element_error(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        let position = segment.component(1, 1).unwrap_or_default();
        must_be_number(segment, 1, position.as_bytes(), out);
        if segment.has(2) {
            must_be_number(segment, 2, segment.value(2), out);
        }
        check_codes(segment, 3, ELEMENT_CODE_MAX, self.dialect.guide_codes, out);
        let Some(set) = &mut self.set else { return outside(segment, out) };
        let (tag, at) = &set.place;
        let part = segment.component(1, 2).map_or(String::new(), |part| format!("-{part}"));
        set.codes.push(format!("{tag}{position:0>2}{part}@{at}={}", shown(segment.value(3))).into());
    }

    /// AK5: the verdict on the set.
    fn end_set(&mut self, segment: &Segment<'w, 's>, out: &mut Output<'w>) {
        let Some(set) = self.set.take() else { return outside(segment, out) };
        if !is_verdict(segment, b"AEMRWX", Effect::Noted, out) {
            return;
        }
        self.accepted = self.accepted.saturating_add(u64::from(matches!(segment.value(1), b"A" | b"E")));
        let mut codes = set.codes;
        codes.extend(codes_of(segment, 2, SET_CODE_MAX, self.dialect.guide_codes, out));
        out.acknowledgment(Acknowledgment {
            level: AckLevel::Set,
            control_number: set.control_number,
            group_control: self.group.and_then(|group| group.text(2)),
            id: set.id,
            verdict: segment.text_or_empty(1),
            codes,
            reference: None,
            text: None,
            location: set.location,
        });
    }

    /// A set that is named, but on which nothing is said, is told and gives no record.
    fn verdict_missing(&mut self, out: &mut Output<'w>) {
        let Some(set) = self.set.take() else { return };
        let tag = shown(self.dialect.set);
        out.finding(Finding {
            code: FindingCode::MissingSegment,
            severity: Severity::Error,
            effect: Effect::Noted,
            message: format!("nothing is said on set {}: {tag} is missing", shown(set.control_number.as_bytes())),
            expected: tag,
            found: "nothing".to_owned(),
            location: set.location,
        });
    }

    /// AK9 is the verdict on the group; without it, or without AK1, nothing is acknowledged.
    fn finish(mut self, set: &Set<'w, 's>, out: &mut Output<'w>) {
        self.verdict_missing(out);
        let Some(group) = self.group else {
            return out.finding(missing_segment(set, "AK1", "the acknowledgment names no group (AK1)"));
        };
        let Some(closed) = self.closed else {
            return out.finding(missing_segment(set, "AK9", "the acknowledgment has no verdict (AK9)"));
        };
        is_verdict(&closed, b"AEMPRWX", Effect::RecordSetAside, out);
        let codes = codes_of(&closed, 5, GROUP_CODE_MAX, false, out);
        out.acknowledgment(Acknowledgment {
            level: AckLevel::Group,
            control_number: group.text_or_empty(2),
            group_control: None,
            id: group.text_or_empty(1),
            verdict: closed.text_or_empty(1),
            codes,
            reference: None,
            text: None,
            location: group.location(),
        });
        self.check_counts(&closed, out);
    }

    /// AK904 counts accepted sets. It can be compared when every set received (AK903) is named.
    fn check_counts(&self, closed: &Segment<'w, 's>, out: &mut Output<'w>) {
        let [_, received, accepted] = [2, 3, 4].map(|n| {
            if !closed.has(n) {
                closed.missing(n, "a number of sets", Effect::Noted, out);
            }
            closed.count(n, Effect::Noted, out)
        });
        let Some(accepted) = accepted.filter(|_| self.sets > 0 && received == Some(self.sets)) else { return };
        SetClaim {
            name: "AK904",
            claimed: Figure::count(accepted),
            computed: Figure::count(self.accepted),
            what: "the number of sets accepted",
            code: FindingCode::ControlCountMismatch,
            effect: Effect::Noted,
            location: closed.location_of(4),
        }
        .check(out);
    }
}

/// Highest codes of the lists: AK304, AK403, AK502, AK905.
const SEGMENT_CODE_MAX: u64 = 8;
const ELEMENT_CODE_MAX: u64 = 13;
const SET_CODE_MAX: u64 = 27;
const GROUP_CODE_MAX: u64 = 26;

/// The codes from element `first` on, at most five, each in all its repeats.
fn codes_of<'w>(segment: &Segment<'w, '_>, first: usize, highest: u64, guide: bool, out: &mut Output<'w>) -> Vec<Text<'w>> {
    let mut codes = Vec::new();
    for n in (first..).take(5).filter(|n| segment.has(*n)) {
        check_codes(segment, n, highest, guide, out);
        codes.extend(segment.text(n));
    }
    codes
}

/// A finding when element `n` holds a code outside its list; in a 999, codes of guides begin with I.
fn check_codes<'w>(segment: &Segment<'w, '_>, n: usize, highest: u64, guide: bool, out: &mut Output<'w>) {
    let listed = |code: &[u8]| match code {
        [b'I', digits @ ..] if guide => super::value::count(digits).is_some(),
        code => super::value::count(code).is_some_and(|number| (1..=highest).contains(&number)),
    };
    if segment.has(n) && !segment.repeats(n).all(listed) {
        let message = format!("{} is no code of the list", segment.name(n));
        let expected = format!("1 to {highest}{}", if guide { ", or a code of a guide such as I6" } else { "" });
        out.finding(segment.finding(n, FindingCode::BadCode, Effect::Noted, message, &expected));
    }
}

/// Whether element 1 is a verdict of the list. What is none says neither yes nor no, and gives no record.
fn is_verdict<'w>(segment: &Segment<'w, '_>, list: &[u8], effect: Effect, out: &mut Output<'w>) -> bool {
    let ok = matches!(segment.value(1), [code] if list.contains(code));
    if !ok {
        let code = if segment.has(1) { FindingCode::BadCode } else { FindingCode::MissingElement };
        let message = format!("{} is no verdict", segment.name(1));
        let expected: Vec<String> = list.iter().map(|code| char::from(*code).to_string()).collect();
        let mut finding = segment.finding(1, code, effect, message, &expected.join(", "));
        finding.severity = Severity::Error;
        out.finding(finding);
    }
    ok
}

fn must_be_number<'w>(segment: &Segment<'w, '_>, n: usize, text: &[u8], out: &mut Output<'w>) {
    if super::value::count(text).is_none() {
        let message = format!("{} is no number", segment.name(n));
        out.finding(segment.finding(n, FindingCode::BadText, Effect::Noted, message, "a number"));
    }
}

fn outside(segment: &Segment<'_, '_>, out: &mut Output<'_>) {
    out.finding(Finding {
        code: FindingCode::MissingLoop,
        severity: Severity::Warning,
        effect: Effect::Noted,
        message: format!("{} stands outside a set (AK2)", shown(segment.tag())),
        expected: "AK2".to_owned(),
        found: shown(segment.tag()),
        location: segment.location(),
    });
}
