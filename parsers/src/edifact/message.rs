//! One message, from UNH to UNT, and what the readers of its kinds share: currency, claims and findings about what is missing.

use crate::{
    Control, Currency, Effect, Figure, Finding, FindingCode, Limits, Location, Money, Severity, Tag, x12::output::Output,
};

use super::{
    lexer::Span,
    segment::{Dialect, Element, Segment},
};

/// One message. Its segments are made when they are asked for, because a list of them would take many times their bytes.
#[derive(Debug)]
pub(super) struct Message<'w, 's> {
    pub window: &'w [u8],
    /// File offset of the first byte of the window.
    pub base: u64,
    /// All segments in order, UNH and UNT included.
    pub spans: &'s [Span],
    pub dialect: Dialect,
    /// Bounds.
    pub limits: &'s Limits,
}

impl<'w> Message<'w, '_> {
    /// Where the message begins.
    pub fn location(&self) -> Location {
        self.segments().next().map(|segment| segment.location()).unwrap_or_default()
    }

    /// All segments, UNH and UNT included.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = Segment<'w>> + use<'w, '_> {
        let Self { window, base, spans, dialect, .. } = *self;
        let of = move |(index, span): (usize, &Span)| {
            let ordinal = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
            Segment::new(window, base, *span, ordinal, dialect)
        };
        spans.iter().enumerate().map(of)
    }

    /// The segments between UNH and UNT.
    pub fn body(&self) -> impl Iterator<Item = Segment<'w>> + use<'w, '_> {
        self.segments().skip(1).take(self.spans.len().saturating_sub(2))
    }

    /// The currency of the message: that of CUX with currency type `preferred`, else the reference currency (6347 is 2), else the first.
    /// Only a CUX ahead of the first segment with tag `detail` speaks for the whole message.
    pub fn currency(&self, preferred: &str, detail: &str, out: &mut Output<'w>) -> Option<Currency> {
        let header = self.body().take_while(|segment| segment.tag().as_str() != detail);
        let all = header.filter(|segment| segment.tag().as_str() == "CUX").flat_map(|cux| [cux.element(1), cux.element(2)]);
        let named: Vec<Element<'w>> = all.filter(|element| element.text(2).is_some()).collect();
        let chosen = named
            .iter()
            .find(|element| element.code(3) == preferred)
            .or_else(|| named.iter().find(|element| element.code(1) == "2"))
            .or_else(|| named.first())?;
        let currency = Currency::parse(&chosen.code(2));
        if currency.is_none() {
            let message = "CUX names no currency, so no amount of the message has a meaning".to_owned();
            out.finding(chosen.finding(2, FindingCode::BadCode, Effect::RecordSetAside, message, "an ISO 4217 code"));
        }
        currency
    }

    /// A finding that a segment is missing; its place is the end of the message.
    pub fn missing(&self, tag: &str, message: &str) -> Finding {
        let end = self.segments().next_back().map(|segment| segment.location()).unwrap_or_default();
        Finding {
            code: FindingCode::MissingSegment,
            severity: Severity::Error,
            effect: Effect::RecordSetAside,
            message: message.to_owned(),
            expected: tag.to_owned(),
            found: "nothing".to_owned(),
            location: Location { tag: Some(Tag::new(tag.get(..3).unwrap_or(tag).as_bytes())), ..end },
        }
    }
}

/// MOA: an amount in its own currency, or in that of the message. One without currency has no meaning.
pub(super) fn amount(moa: &Element<'_>, currency: Option<Currency>, out: &mut Output<'_>) -> Option<Money> {
    moa.text(2)?;
    let own = moa.text(3);
    let Some(currency) = own.as_deref().map_or(currency, Currency::parse) else {
        let message = format!("{} has no currency, and no CUX names one", moa.name());
        out.finding(moa.finding(3, FindingCode::MissingElement, Effect::RecordSetAside, message, "an ISO 4217 code"));
        return None;
    };
    moa.amount(2, currency, Effect::RecordSetAside, out)
}

/// A finding that a segment that decides something stands twice.
pub(super) fn repeated(segment: &Segment<'_>, out: &mut Output<'_>) {
    let tag = segment.tag();
    let message = format!("{tag} stands twice, and both cannot count");
    out.finding(segment.finding(FindingCode::UnknownSegment, Effect::RecordSetAside, message, &format!("one {tag}")));
}

/// A claim of a message about itself, compared with what was computed. Unlike the claims of envelopes it never holds the file.
#[derive(Debug)]
pub(super) struct Claim {
    pub name: &'static str,
    pub claimed: Figure,
    pub computed: Figure,
    pub what: &'static str,
    pub code: FindingCode,
    pub effect: Effect,
    pub location: Location,
}

impl Claim {
    /// A claim about money.
    pub fn of_money(name: &'static str, claimed: Money, computed: i128, what: &'static str, location: Location) -> Self {
        let exponent = claimed.currency.exponent();
        Self {
            name,
            claimed: Figure::decimal(claimed.minor.into(), exponent),
            computed: Figure::decimal(computed, exponent),
            what,
            code: FindingCode::OutOfBalance,
            effect: Effect::Noted,
            location,
        }
    }

    /// Adds the control and, when the figures differ, a finding. Says whether they agree.
    pub fn check(self, out: &mut Output<'_>) -> bool {
        let severity = if self.effect == Effect::Noted { Severity::Warning } else { Severity::Error };
        self.check_as(severity, out)
    }

    /// The same with a severity of its own.
    pub fn check_as(self, severity: Severity, out: &mut Output<'_>) -> bool {
        let Self { name, claimed, computed, what, code, effect, location } = self;
        let ok = claimed == computed;
        if !ok {
            out.finding(Finding {
                code,
                severity,
                effect,
                message: format!("{name} says {claimed}, but {what} is {computed}"),
                expected: computed.as_str().to_owned(),
                found: claimed.as_str().to_owned(),
                location,
            });
        }
        out.control(Control { name, level: "set", claimed, computed, ok, location });
        ok
    }
}
