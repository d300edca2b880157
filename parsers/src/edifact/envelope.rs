//! UNB, UNG, UNH and their trailers: what each claims, compared with what was counted.

use std::{collections::HashSet, sync::Arc};

use crate::{
    Control, Effect, Exchange, Figure, Finding, FindingCode, Format, Location, Route, Severity, Text,
    x12::{
        Delimiters,
        output::{Claim, Output},
        received::{EdifactReceived, Received},
        segment::shown,
    },
};

use super::{numbers::Numbers, segment::Segment};

/// The interchange, group and message in hand, and the account of all before.
#[derive(Debug, Default)]
pub(super) struct Envelope {
    pub received: Received,
    interchange: Option<Open>,
    group: Option<Open>,
    message: Option<Location>,
    /// Groups of the interchange in hand; where there are any, UNZ counts them in place of messages.
    groups: u64,
    /// Sender, receiver and reference of all interchanges of the file.
    known: HashSet<(String, String, String)>,
    references: Numbers,
    route: Option<Arc<Route>>,
    format: Option<Format>,
    pub messages: u64,
    pub unsupported: u64,
}

/// A header whose trailer has not come yet.
#[derive(Debug)]
struct Open {
    location: Location,
    /// Messages in it.
    count: u64,
    /// Control reference (UNB 0020, UNG 0048).
    reference: String,
}

impl Envelope {
    /// Whether an interchange is open.
    pub fn in_interchange(&self) -> bool {
        self.interchange.is_some()
    }

    /// Whether an interchange has been there.
    pub fn is_read(&self) -> bool {
        !self.received.edifact.is_empty()
    }

    /// The format of the file so far.
    pub fn format(&self) -> Format {
        self.format.unwrap_or(Format::EdifactOther)
    }

    /// The envelope of a message.
    pub fn exchange<'w>(&self, unh: &Segment<'w>) -> Option<Exchange<'w>> {
        Some(Exchange { route: Arc::clone(self.route.as_ref()?), set_control: unh.code(1, 1) })
    }

    /// UNB.
    pub fn open_interchange(&mut self, unb: &Segment<'_>, delimiters: Delimiters, out: &mut Output<'_>) {
        let own = |n, c| unb.code(n, c).into_owned();
        let (sender, receiver, reference) = (own(2, 1), own(3, 1), own(5, 1));
        for (n, what, value) in [(2, "a sender", &sender), (3, "a recipient", &receiver), (5, "a control reference", &reference)]
        {
            if value.is_empty() {
                let message = format!("UNB names no {}", what.trim_start_matches("a "));
                out.finding(unb.element(n).finding(1, FindingCode::MissingElement, Effect::Noted, message, what));
            }
        }
        if !matches!(&*own(1, 2), "1" | "2" | "3" | "4") {
            let message = "the syntax version is not known; the interchange was read like version 3".to_owned();
            out.finding(unb.element(1).finding(2, FindingCode::OddEnvelope, Effect::Noted, message, "1, 2, 3 or 4"));
        }
        if !self.known.insert((sender.clone(), receiver.clone(), reference.clone())) {
            let message = format!("interchange {reference} of this sender stands in the file twice");
            let expected = "a control reference of its own";
            out.finding(unb.element(5).finding(1, FindingCode::DuplicateControlNumber, Effect::FileHeld, message, expected));
        }
        self.received.edifact.push(EdifactReceived {
            delimiters,
            sender_qualifier: Figure::new(&unb.code(2, 2)),
            sender: Figure::new(&sender),
            receiver_qualifier: Figure::new(&unb.code(3, 2)),
            receiver: Figure::new(&receiver),
            syntax: Figure::from(format!("{}:{}", unb.code(1, 1), unb.code(1, 2))),
            control_reference: Figure::new(&reference),
            // 0035 Test indicator.
            test: unb.text(11, 1).is_some_and(|indicator| indicator != "0"),
        });
        let interchange_control = reference.clone();
        self.route = Some(Arc::new(Route { sender, receiver, interchange_control, ..Route::default() }));
        self.interchange = Some(Open { location: unb.location(), count: 0, reference });
        (self.groups, self.references) = (0, Numbers::default());
    }

    /// UNG.
    pub fn open_group(&mut self, ung: &Segment<'_>, out: &mut Output<'_>) {
        self.group_without_trailer(ung.location(), out);
        self.groups = self.groups.saturating_add(1);
        let reference = ung.code(5, 1).into_owned();
        let route = self.route.as_deref().cloned().unwrap_or_default();
        self.route = Some(Arc::new(Route {
            application_sender: ung.code(2, 1).into_owned(),
            application_receiver: ung.code(3, 1).into_owned(),
            group_control: reference.clone(),
            ..route
        }));
        self.group = Some(Open { location: ung.location(), count: 0, reference });
    }

    /// UNH.
    pub fn open_message(&mut self, unh: &Segment<'_>, format: Format, out: &mut Output<'_>) {
        self.message = Some(unh.location());
        self.messages = self.messages.saturating_add(1);
        for open in [&mut self.interchange, &mut self.group].into_iter().flatten() {
            open.count = open.count.saturating_add(1);
        }
        self.format = Some(match self.format {
            Some(before) if before != format => Format::EdifactMixed,
            _ => format,
        });
        let reference = unh.code(1, 1);
        if !self.references.insert(&reference) {
            let message = format!("message reference {reference} stands in the interchange twice");
            let expected = "a reference of its own";
            out.finding(unh.element(1).finding(1, FindingCode::DuplicateControlNumber, Effect::Noted, message, expected));
        }
    }

    /// UNT: compares count and reference.
    pub fn close_message(&mut self, unh: &Segment<'_>, unt: &Segment<'_>, segments: usize, out: &mut Output<'_>) {
        self.message = None;
        compare_count(("UNT01", "set", "the number of segments from UNH to UNT"), unt, segments as u64, out);
        compare_references(("UNT02", "set", "the reference of UNH"), unt, &unh.code(1, 1), true, out);
    }

    /// A message whose UNT is missing: nothing of it is taken.
    pub fn message_without_trailer(&mut self, at: &Segment<'_>, out: &mut Output<'_>) {
        let Some(location) = self.message.take() else { return };
        out.finding(held(
            FindingCode::MissingTrailer,
            "the message has no UNT and may be incomplete",
            "UNT",
            at.tag().to_string(),
            location,
        ));
    }

    /// UNE: compares count and reference.
    pub fn close_group(&mut self, une: &Segment<'_>, out: &mut Output<'_>) {
        let Some(open) = self.group.take() else {
            let message = "a group ends that did not begin";
            out.finding(held(FindingCode::BadEnvelope, message, "UNG before UNE", "UNE".to_owned(), une.location()));
            return;
        };
        compare_count(("UNE01", "group", "the number of messages"), une, open.count, out);
        compare_references(("UNE02", "group", "the reference of UNG"), une, &open.reference, true, out);
        if let Some(route) = self.route.as_deref().cloned() {
            let (nobody, nothing) = (String::new(), String::new());
            let outside =
                Route { application_sender: nobody.clone(), application_receiver: nobody, group_control: nothing, ..route };
            self.route = Some(Arc::new(outside));
        }
    }

    fn group_without_trailer(&mut self, at: Location, out: &mut Output<'_>) {
        let Some(open) = self.group.take() else { return };
        let found = at.tag.map_or(String::new(), |tag| tag.to_string());
        let message = "the group has no UNE and may be incomplete";
        out.finding(held(FindingCode::MissingTrailer, message, "UNE", found, open.location));
    }

    /// UNZ: compares count and reference. `terminated` says that its terminator was there.
    pub fn close_interchange(&mut self, unz: &Segment<'_>, terminated: bool, out: &mut Output<'_>) {
        self.group_without_trailer(unz.location(), out);
        let Some(open) = self.interchange.take() else { return };
        let (what, count) = match self.groups {
            0 => ("the number of messages", open.count),
            groups => ("the number of groups", groups),
        };
        compare_count(("UNZ01", "interchange", what), unz, count, out);
        compare_references(("UNZ02", "interchange", "the reference of UNB"), unz, &open.reference, terminated, out);
        if !terminated {
            let message = "the last segment has no terminator".to_owned();
            out.finding(unz.finding(FindingCode::OddEnvelope, Effect::Noted, message, "a segment terminator"));
        }
    }

    /// The file, or another interchange, came before UNZ. `found` says which.
    pub fn interchange_without_trailer(&mut self, at: Location, found: &str, out: &mut Output<'_>) {
        if self.interchange.take().is_none() {
            return;
        }
        let (inside, expected) = match (self.message.take(), self.group.take()) {
            (Some(_), _) => ("message", "UNT and UNZ"),
            (None, Some(_)) => ("group", "UNE and UNZ"),
            (None, None) => ("interchange", "UNZ"),
        };
        let at_end = found == "the end of the file";
        let code = if at_end { FindingCode::UnexpectedEnd } else { FindingCode::MissingTrailer };
        let message = format!("the {inside} is not complete: {found} comes before its end");
        out.finding(held(code, &message, expected, found.to_owned(), at));
    }
}

/// Name, level and meaning of a claim.
type Named = (&'static str, &'static str, &'static str);

fn compare_count((name, level, what): Named, trailer: &Segment<'_>, computed: u64, out: &mut Output<'_>) {
    let element = trailer.element(1);
    let ok = element.count(1) == Some(computed);
    let claimed = if ok { Figure::count(computed) } else { Figure::from(shown(element.code(1).as_bytes())) };
    let claim = Claim { code: FindingCode::ControlCountMismatch, what, location: element.location(1) };
    out.compare(name, level, (claimed, Figure::count(computed)), ok, claim);
}

/// Compares element 2 of a trailer with the reference of its header. Numbers may be padded differently, unless the end was cut off.
fn compare_references((name, level, what): Named, trailer: &Segment<'_>, header: &str, whole: bool, out: &mut Output<'_>) {
    let element = trailer.element(2);
    let location = element.location(1);
    let claimed = element.code(1);
    let same = claimed == header && !header.is_empty();
    if same {
        out.control(Control { name, level, claimed: Figure::new(&claimed), computed: Figure::new(header), ok: true, location });
        return;
    }
    let number = |text: &str| text.parse::<u64>().ok();
    let ok = whole && number(&claimed).is_some() && number(&claimed) == number(header);
    if ok {
        let message = format!("{name} and {what} are the same number written differently");
        out.finding(element.finding(1, FindingCode::OddEnvelope, Effect::Noted, message, header));
    }
    let claim = Claim { code: FindingCode::ControlNumberMismatch, what, location };
    out.compare(name, level, (Figure::from(shown(claimed.as_bytes())), Figure::from(shown(header.as_bytes()))), ok, claim);
}

/// A finding that holds the file.
pub(super) fn held(code: FindingCode, message: &str, expected: &str, found: String, location: Location) -> Finding {
    let (message, expected) = (message.to_owned(), expected.to_owned());
    Finding { code, severity: Severity::Error, effect: Effect::FileHeld, message, expected, found, location }
}

/// Type of a message (0065).
pub(super) fn message_type<'w>(unh: &Segment<'w>) -> Text<'w> {
    unh.code(2, 1)
}
