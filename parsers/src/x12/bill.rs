//! What the invoice of goods (810) and the freight bill (210) have in common: parties, references, currency, sign and claims that do not
//! add up.

use crate::{
    Account, Control, Currency, Effect, Figure, Finding, FindingCode, InvoiceKind, Location, Money, Party, Reference, Severity,
    Tag, Text,
};

use super::{output::Output, segment::Segment, set::Set};

/// References kept for one bill. Stops a bill of a million references from filling memory and searches.
const REFERENCES_MAX: usize = 500;

/// Party roles (N101), the best first.
pub(crate) type Roles = &'static [&'static str];

/// Parties and references of one bill, as they are gathered.
#[derive(Debug)]
pub(crate) struct Bill<'w> {
    debtor_roles: Roles,
    seller_roles: Roles,
    debtor: Option<Ranked<'w>>,
    seller: Option<Ranked<'w>>,
    /// The N1 loop in hand.
    open: Option<Loop<'w>>,
    pub references: Vec<Reference<'w>>,
    pub po: Option<Text<'w>>,
    pub bol: Option<Text<'w>>,
    pub pro: Option<Text<'w>>,
    references_full: bool,
}

/// A party and how good its role is, 0 the best.
#[derive(Debug)]
struct Ranked<'w> {
    rank: usize,
    role: Text<'w>,
    party: Party<'w>,
    location: Location,
}

#[derive(Debug)]
struct Loop<'w> {
    role: Text<'w>,
    party: Party<'w>,
    location: Location,
}

impl<'w> Bill<'w> {
    pub fn new(debtor_roles: Roles, seller_roles: Roles) -> Self {
        Self {
            debtor_roles,
            seller_roles,
            debtor: None,
            seller: None,
            open: None,
            references: Vec::new(),
            po: None,
            bol: None,
            pro: None,
            references_full: false,
        }
    }

    /// Says who may owe, once it is known.
    pub fn set_debtor_roles(&mut self, roles: Roles) {
        self.debtor_roles = roles;
    }

    /// Takes a segment of the header that may belong to an N1 loop; says whether it did.
    pub fn take_party(&mut self, segment: &Segment<'w, '_>) -> bool {
        match (segment.tag(), &mut self.open) {
            (b"N1", _) => {
                self.close_party();
                let party = Party { name: segment.text(2), id: segment.text(4), ..Party::default() };
                self.open = Some(Loop { role: segment.text_or_empty(1), party, location: segment.location() });
            }
            (b"N2", Some(open)) => {
                if open.party.name.is_none() {
                    open.party.name = segment.text(1);
                }
            }
            (b"REF" | b"N9", Some(open)) => open.identify(segment.value(1), segment.text(2)),
            (b"L11", Some(open)) => open.identify(segment.value(2), segment.text(1)),
            (b"N3" | b"N4" | b"PER" | b"DMG", Some(_)) => {}
            _ => {
                self.close_party();
                return false;
            }
        }
        // Numbers of the bill itself are sometimes written behind a party.
        !matches!(segment.tag(), b"REF" | b"N9" | b"L11") || !names_bill(segment)
    }

    /// Ends the N1 loop in hand: its party counts when its role is better than that of the party before.
    pub fn close_party(&mut self) {
        let Some(Loop { role, party, location }) = self.open.take() else { return };
        for (roles, slot) in [(self.debtor_roles, &mut self.debtor), (self.seller_roles, &mut self.seller)] {
            let Some(rank) = roles.iter().position(|listed| *listed == role) else { continue };
            if slot.as_ref().is_none_or(|held| rank < held.rank) {
                *slot = Some(Ranked { rank, role: role.clone(), party: party.clone(), location });
            }
        }
    }

    /// Who owes. A role among `doubtful`, such as the ship-to, is used with a note.
    pub fn debtor(&mut self, doubtful: &[&str], out: &mut Output<'w>) -> Party<'w> {
        let Some(ranked) = self.debtor.take() else { return Party::default() };
        if doubtful.contains(&&*ranked.role) {
            out.finding(Finding {
                code: FindingCode::InferredParty,
                severity: Severity::Info,
                effect: Effect::Noted,
                message: format!("no bill-to is named; party {} was taken as the one who owes", ranked.role),
                expected: "N1*BT".to_owned(),
                found: ranked.role.into_owned(),
                location: ranked.location,
            });
        }
        ranked.party
    }

    /// Whose receivable it is.
    pub fn seller(&mut self) -> Party<'w> {
        self.seller.take().map(|ranked| ranked.party).unwrap_or_default()
    }

    /// Adds a reference once. The first purchase order, bill of lading and carrier number also stand in their own fields.
    pub fn reference(&mut self, qualifier: Text<'w>, value: Option<Text<'w>>, location: Location, out: &mut Output<'w>) {
        let Some(value) = value else { return };
        let field = match &*qualifier {
            "PO" => Some(&mut self.po),
            "BM" => Some(&mut self.bol),
            "CN" => Some(&mut self.pro),
            _ => None,
        };
        if let Some(field) = field {
            field.get_or_insert_with(|| value.clone());
        }
        let reference = Reference { qualifier, value };
        if self.references_full || self.references.contains(&reference) {
            return;
        }
        if self.references.len() >= REFERENCES_MAX {
            self.references_full = true;
            out.finding(Finding {
                code: FindingCode::LimitReached,
                severity: Severity::Warning,
                effect: Effect::Noted,
                message: "further references of the bill are not kept".to_owned(),
                expected: format!("at most {REFERENCES_MAX} references"),
                found: String::new(),
                location,
            });
            return;
        }
        self.references.push(reference);
    }
}

impl<'w> Loop<'w> {
    /// What REF and N9 say about the party: bank (01, RT), account (11, AP of a remit-to), our number for it (IT).
    fn identify(&mut self, qualifier: &[u8], value: Option<Text<'w>>) {
        let is_payee = matches!(&*self.role, "RE" | "RI" | "PE");
        match qualifier {
            b"01" | b"RT" if is_payee => self.party.bank = self.party.bank.take().or(value),
            b"11" | b"AP" if is_payee => self.party.account = self.party.account.take().or(value.map(Account::new)),
            b"IT" => self.party.id = self.party.id.take().or(value),
            _ => {}
        }
    }
}

/// Whether a reference behind a party is one of the bill: purchase order, bill of lading, carrier's number.
fn names_bill(segment: &Segment<'_, '_>) -> bool {
    let qualifier = if segment.tag() == b"L11" { segment.value(2) } else { segment.value(1) };
    matches!(qualifier, b"PO" | b"BM" | b"CN")
}

/// The currency that element `n` of the first segment with `tag` names, ahead of the lines that begin with `detail`.
pub(crate) fn currency<'w>(set: &Set<'w, '_>, tag: &[u8], n: usize, detail: &[u8], out: &mut Output<'w>) -> Currency {
    let header = set.segments().take_while(|segment| segment.tag() != detail);
    let Some(segment) = header.into_iter().find(|segment| segment.tag() == tag && segment.has(n)) else { return set.currency };
    segment.text(n).and_then(|code| Currency::parse(&code)).unwrap_or_else(|| {
        let message = format!("{} is no currency", segment.name(n));
        out.finding(segment.finding(n, FindingCode::BadCode, Effect::RecordSetAside, message, "an ISO 4217 currency code"));
        set.currency
    })
}

/// A finding that a segment is missing; its place is the end of the set, under the tag that should have been there.
pub(crate) fn missing_segment(set: &Set<'_, '_>, tag: &str, message: &str) -> Finding {
    let end = set.segments().last().map(|segment| segment.location()).unwrap_or_default();
    Finding {
        code: FindingCode::MissingSegment,
        severity: Severity::Error,
        effect: Effect::RecordSetAside,
        message: message.to_owned(),
        expected: tag.to_owned(),
        found: "nothing".to_owned(),
        location: Location { tag: Some(Tag::new(tag.as_bytes())), ..end },
    }
}

/// A finding that a segment that decides something stands twice.
pub(crate) fn repeated_segment(segment: &Segment<'_, '_>, out: &mut Output<'_>) {
    let tag = String::from_utf8_lossy(segment.tag()).into_owned();
    out.finding(Finding {
        code: FindingCode::UnknownSegment,
        severity: Severity::Error,
        effect: Effect::RecordSetAside,
        message: format!("{tag} stands twice, and both cannot count"),
        expected: format!("one {tag}"),
        found: "another".to_owned(),
        location: segment.location(),
    });
}

/// A total and what it means. `marked` says that the document calls itself a credit memo.
///
/// Some senders write the total of a credit memo without its sign; the mark then decides. A negative invoice is a credit memo.
pub(crate) fn signed<'w>(
    segment: &Segment<'w, '_>,
    n: usize,
    total: Money,
    marked: bool,
    out: &mut Output<'w>,
) -> (InvoiceKind, Money) {
    match (marked, total.minor) {
        (true, 1..) => {
            let message = format!("{} is positive in a credit memo; it was read as a credit", segment.name(n));
            let mut finding = segment.finding(n, FindingCode::OddSign, Effect::Noted, message, "a negative total");
            finding.severity = Severity::Info;
            out.finding(finding);
            (InvoiceKind::CreditMemo, Money::new(total.minor.saturating_neg(), total.currency))
        }
        (true, _) => (InvoiceKind::CreditMemo, total),
        (false, ..=-1) => {
            let message = format!("{} is negative in an invoice; it was read as a credit memo", segment.name(n));
            out.finding(segment.finding(n, FindingCode::OddSign, Effect::Noted, message, "a positive total"));
            (InvoiceKind::CreditMemo, total)
        }
        (false, _) => (InvoiceKind::Invoice, total),
    }
}

/// A claim of one set about itself. Unlike the claims of envelopes it never holds the file.
#[derive(Debug)]
pub(crate) struct SetClaim<'t> {
    pub name: &'static str,
    pub claimed: Figure,
    pub computed: Figure,
    /// What was computed, such as `the sum of L104`.
    pub what: &'t str,
    pub code: FindingCode,
    /// What a difference means.
    pub effect: Effect,
    pub location: Location,
}

impl SetClaim<'_> {
    /// Adds the control and, when the figures differ, a finding.
    pub fn check(self, out: &mut Output<'_>) {
        let ok = self.claimed == self.computed;
        if !ok {
            out.finding(Finding {
                code: self.code,
                severity: if self.effect == Effect::Noted { Severity::Warning } else { Severity::Error },
                effect: self.effect,
                message: format!("{} says {}, but {} is {}", self.name, self.claimed, self.what, self.computed),
                expected: self.computed.as_str().to_owned(),
                found: self.claimed.as_str().to_owned(),
                location: self.location,
            });
        }
        let Self { name, claimed, computed, location, .. } = self;
        out.control(Control { name, level: "set", claimed, computed, ok, location });
    }
}

/// An amount of minor units as a figure.
pub(crate) fn figure(minor: i128, currency: Currency) -> Figure {
    Figure::decimal(minor, currency.exponent())
}
