//! How a reader of one kind of transaction set is plugged in.
//!
//! A reader is a function `fn(&Set, &mut Output)` in a file of its own. It walks the segments of the set, pushes records, findings and
//! controls into the output and knows nothing of envelopes: counts and control numbers were compared before it is called. To add
//! one, name it in [`reader`].

use crate::{Currency, Effect, Finding, FindingCode, Format, Limits, Location, Severity};

use super::{
    id::SegmentId,
    lexer::Span,
    output::Output,
    segment::{Context, Segment},
    set_210, set_810, set_812, set_820, set_823, set_824, set_997, set_999, ta1,
};

/// One transaction set, from ST to SE.
#[derive(Clone, Copy, Debug)]
pub struct Set<'w, 's> {
    pub(crate) context: &'s Context<'w, 's>,
    pub(crate) spans: &'s [Span],
    /// Transaction set identifier code (ST01).
    pub id: &'w [u8],
    /// Currency of amounts when the set names none.
    pub currency: Currency,
    /// Bounds.
    pub limits: &'s Limits,
}

impl<'w, 's> Set<'w, 's> {
    /// All segments in order, ST and SE included.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'w, 's>> + use<'w, 's> {
        let context = self.context;
        self.spans.iter().zip(1_u32..).map(move |(span, ordinal)| Segment::new(context, span, ordinal))
    }

    /// The segments from the one at `index` on, counted from 0.
    pub fn segments_from(&self, index: usize) -> impl Iterator<Item = Segment<'w, 's>> + use<'w, 's> {
        let context = self.context;
        let first = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        self.spans.get(index..).unwrap_or_default().iter().zip(first..).map(move |(span, n)| Segment::new(context, span, n))
    }

    /// The same without those whose tag alone says that nobody asks for them.
    #[inline(always)]
    pub(crate) fn segments_unless(&self, unasked: impl Fn(SegmentId) -> bool) -> impl Iterator<Item = Segment<'w, 's>> {
        let context = self.context;
        let asked = self.spans.iter().zip(1_u32..).filter(move |(span, _)| !unasked(span.id));
        asked.map(move |(span, ordinal)| Segment::new(context, span, ordinal))
    }

    /// How many segments the set has, ST and SE included.
    pub fn segment_count(&self) -> usize {
        self.spans.len()
    }

    /// Where the set begins.
    pub fn location(&self) -> Location {
        self.segments().next().map(|segment| segment.location()).unwrap_or_default()
    }
}

/// Reads one kind of set.
pub(crate) type Reader = for<'w, 's, 'o> fn(&Set<'w, 's>, &'o mut Output<'w>);

/// The format and the reader of a transaction set identifier. A set we recognise but do not read has a format and no reader.
pub(crate) fn reader(id: &[u8]) -> (Format, Option<Reader>) {
    match id {
        b"820" => (Format::X12Payment820, Some(set_820::read)),
        b"810" => (Format::X12Invoice810, Some(set_810::read)),
        b"210" => (Format::X12Freight210, Some(set_210::read)),
        b"823" => (Format::X12Lockbox823, Some(set_823::read)),
        b"812" => (Format::X12Adjustment812, Some(set_812::read)),
        b"824" => (Format::X12Advice824, Some(set_824::read)),
        b"997" => (Format::X12Ack997, Some(set_997::read)),
        b"999" => (Format::X12Ack999, Some(set_999::read)),
        _ => (Format::X12Other, None),
    }
}

/// The functional identifier (GS01) under which a set travels; nothing for sets that are not ours.
pub(crate) fn functional_id(id: &[u8]) -> Option<&'static [u8]> {
    Some(match id {
        b"820" => b"RA",
        b"810" => b"IN",
        b"210" => b"IM",
        b"823" => b"LB",
        b"812" => b"CD",
        b"824" => b"AG",
        b"997" | b"999" => b"FA",
        _ => return None,
    })
}

/// A segment between ISA and GS: TA1, or the security segments ISB and ISE, which need no reading.
pub(crate) fn read_interchange_segment<'w>(segment: &Segment<'w, '_>, out: &mut Output<'w>) {
    if segment.tag() == b"TA1" {
        ta1::read(segment, out);
    }
}

/// A set that has no reader.
pub(crate) fn unsupported_set(set: &Set<'_, '_>) -> Finding {
    let id = super::segment::shown(set.id);
    Finding {
        code: FindingCode::UnsupportedFormat,
        severity: Severity::Info,
        effect: Effect::Noted,
        message: format!("transaction set {id} is not read"),
        expected: "820, 823, 810, 210, 812, 824, 997 or 999".to_owned(),
        found: id,
        location: set.location(),
    }
}
