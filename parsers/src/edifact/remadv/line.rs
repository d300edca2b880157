//! The documents of a REMADV: DOC with the amounts, dates, references and adjustments behind it.

use crate::{
    Adjustment, Currency, Effect, Finding, FindingCode, Location, Money, Reference, RemittanceLine, Severity, Text,
    x12::output::Output,
};

use super::super::{
    document::{Kind, kind},
    message::amount,
    segment::{Element, Segment},
};

/// Before the codes of 4465 Adjustment reason, which share numbers with the codes of X12 element 426 and mean other things.
const REASON: &str = "AJT";

/// Lines read so far.
pub(super) struct Lines<'w> {
    currency: Option<Currency>,
    lines_max: usize,
    lines: Vec<(Kind, RemittanceLine<'w>)>,
    open: Option<Document<'w>>,
    full: bool,
}

/// The document in hand.
struct Document<'w> {
    kind: Kind,
    line: RemittanceLine<'w>,
    /// Amounts for gross and net with their rank, 0 the best.
    gross_rank: usize,
    net_rank: usize,
    reasons: Vec<Reason<'w>>,
    /// Behind DLI stand lines of the document, whose amounts are not those of the document.
    in_detail: bool,
    /// Behind AJT its own amount and reference follow.
    in_reason: bool,
    /// An amount without currency of its own was read.
    bare: bool,
}

/// AJT with what follows it.
struct Reason<'w> {
    code: Text<'w>,
    amount: Option<Money>,
    reference: Option<Text<'w>>,
}

/// 5025 of the amount before deductions and of the amount paid, the best first.
const GROSS: &[&str] = &["9", "77", "39", "38", "86", "128"];
const NET: &[&str] = &["12", "11"];

impl<'w> Lines<'w> {
    pub fn new(currency: Option<Currency>, lines_max: usize) -> Self {
        Self { currency, lines_max, lines: Vec::new(), open: None, full: false }
    }

    /// DOC begins a line.
    pub fn open(&mut self, doc: &Segment<'w>, out: &mut Output<'w>) {
        self.close(out);
        if self.lines.len() >= self.lines_max {
            if !std::mem::replace(&mut self.full, true) {
                let expected = format!("at most {} documents", self.lines_max);
                let message = "the advice has more documents than allowed".to_owned();
                out.finding(doc.finding(FindingCode::LimitReached, Effect::RecordSetAside, message, &expected));
            }
            return;
        }
        let code = doc.code(1, 1);
        let kind = kind(&code);
        let qualifier = match kind {
            Kind::Invoice | Kind::NoDebt => Text::Borrowed("IV"),
            Kind::CreditNote => Text::Borrowed("CM"),
            Kind::DebitNote => Text::Borrowed("DM"),
            Kind::Order => Text::Borrowed("PO"),
            Kind::Other => code,
        };
        self.open = Some(Document {
            kind,
            line: RemittanceLine {
                reference: doc.code(2, 1),
                qualifier,
                action: None,
                gross: None,
                discount: None,
                adjustments: Vec::new(),
                net: None,
                date: None,
                po: None,
                references: Vec::new(),
                location: doc.location(),
            },
            gross_rank: usize::MAX,
            net_rank: usize::MAX,
            reasons: Vec::new(),
            in_detail: false,
            in_reason: false,
            bare: false,
        });
    }

    /// Takes a segment behind DOC; says whether it belongs there.
    pub fn take(&mut self, segment: &Segment<'w>, out: &mut Output<'w>) -> bool {
        let tag = segment.tag();
        let known = matches!(tag.as_str(), "MOA" | "DTM" | "RFF" | "AJT" | "DLI" | "NAD" | "FII" | "CUX");
        let Some(document) = &mut self.open else { return known };
        match tag.as_str() {
            "MOA" => segment.repeats(1).for_each(|element| document.take_amount(&element, self.currency, out)),
            "DTM" => segment.repeats(1).for_each(|element| document.take_date(&element, out)),
            "RFF" => segment.repeats(1).for_each(|element| document.take_reference(&element)),
            "AJT" => {
                document.in_reason = true;
                document.reasons.push(Reason { code: segment.code(1, 1), amount: None, reference: None });
            }
            "CUX" => document.take_currency(segment, self.currency, out),
            "DLI" => (document.in_detail, document.in_reason) = (true, false),
            _ => {}
        }
        known
    }

    /// Ends the document in hand.
    pub fn close(&mut self, out: &mut Output<'w>) {
        if let Some(document) = self.open.take() {
            let kind = document.kind;
            self.lines.push((kind, document.finish(out)));
        }
    }

    /// The lines. A debit note adds to what is paid or takes off, whichever the total bears out.
    pub fn finish(self, total: Option<Money>) -> Vec<RemittanceLine<'w>> {
        let net = |wanted: bool| -> i128 {
            let of_kind = self.lines.iter().filter(|(kind, _)| (*kind == Kind::DebitNote) == wanted);
            of_kind.filter_map(|(_, line)| line.net).map(|net| i128::from(net.minor)).fold(0, i128::saturating_add)
        };
        let (debits, others) = (net(true), net(false));
        let taken_off = total.is_some_and(|total| {
            let total = i128::from(total.minor);
            debits > 0 && others.saturating_add(debits) != total && others.saturating_sub(debits) == total
        });
        let settle = |(kind, mut line): (Kind, RemittanceLine<'w>)| {
            if taken_off && kind == Kind::DebitNote {
                turn(&mut line);
            }
            line
        };
        self.lines.into_iter().map(settle).collect()
    }
}

impl<'w> Document<'w> {
    /// CUX behind the amounts of a document: one that is not the message's leaves amounts without a meaning that name none themselves.
    fn take_currency(&mut self, cux: &Segment<'w>, currency: Option<Currency>, out: &mut Output<'w>) {
        let element = cux.element(1);
        let Some(code) = element.text(2).filter(|_| self.bare) else { return };
        if Currency::parse(&code) != currency {
            let message = "the document has a currency of its own, and its amounts do not say which they are in".to_owned();
            let expected = "the currency in each MOA";
            out.finding(element.finding(2, FindingCode::BadCode, Effect::RecordSetAside, message, expected));
        }
    }

    fn take_amount(&mut self, element: &Element<'w>, currency: Option<Currency>, out: &mut Output<'w>) {
        self.bare |= element.text(3).is_none();
        let qualifier = element.code(1);
        let rank = |listed: &[&str]| listed.iter().position(|listed| *listed == qualifier);
        if qualifier == "52" && !self.in_detail {
            let Some(money) = amount(element, currency, out) else { return };
            self.line.discount = self.line.discount.map_or(Some(money), |held| held.checked_add(money).ok());
        } else if let Some(reason) = self.reasons.last_mut().filter(|_| self.in_reason) {
            if reason.amount.is_none() {
                reason.amount = amount(element, currency, out);
            }
        } else if let Some(rank) = rank(NET).filter(|rank| *rank < self.net_rank && !self.in_detail) {
            (self.net_rank, self.line.net) = (rank, amount(element, currency, out));
        } else if let Some(rank) = rank(GROSS).filter(|rank| *rank < self.gross_rank && !self.in_detail) {
            (self.gross_rank, self.line.gross) = (rank, amount(element, currency, out));
        }
    }

    fn take_date(&mut self, element: &Element<'w>, out: &mut Output<'w>) {
        if matches!(&*element.code(1), "137" | "3" | "171") && self.line.date.is_none() {
            self.line.date = element.date(Effect::Noted, out);
        }
    }

    fn take_reference(&mut self, element: &Element<'w>) {
        let (qualifier, Some(value)) = (element.code(1), element.text(2)) else { return };
        if let Some(reason) = self.reasons.last_mut().filter(|reason| self.in_reason && reason.reference.is_none()) {
            reason.reference = Some(value);
        } else if qualifier == "ON" && self.line.po.is_none() {
            self.line.po = Some(value);
        } else {
            self.line.references.push(Reference { qualifier, value });
        }
    }

    fn finish(mut self, out: &mut Output<'w>) -> RemittanceLine<'w> {
        if self.kind == Kind::CreditNote {
            // Many senders write a credit note without its sign: the code of the document says it.
            for amount in [&mut self.line.gross, &mut self.line.discount, &mut self.line.net].into_iter().flatten() {
                amount.minor = amount.minor.saturating_abs().saturating_neg();
            }
        }
        let wanted = self.wanted();
        self.adjust(wanted);
        self.check(wanted, out);
        self.line
    }

    /// What adjustments must come to: net less gross and discount.
    fn wanted(&self) -> Option<i64> {
        let (gross, net) = (self.line.gross?, self.line.net?);
        let before = gross.checked_sub(self.line.discount.unwrap_or(Money::zero(gross.currency))).ok()?;
        net.checked_sub(before).ok().map(|difference| difference.minor)
    }

    /// Adjustments take off what they name, unless the amounts of the document say otherwise. A reason alone explains the whole difference.
    fn adjust(&mut self, wanted: Option<i64>) {
        let mut reasons = std::mem::take(&mut self.reasons);
        let alone = reasons.iter().all(|reason| reason.amount.is_none());
        if let (true, Some(wanted), Some(net)) = (alone, wanted.filter(|wanted| *wanted != 0), self.line.net)
            && let Some(first) = reasons.first_mut()
        {
            first.amount = Some(Money::new(wanted, net.currency));
        }
        let written = reasons.iter().filter_map(|reason| reason.amount);
        let sum = written.map(|money| i128::from(money.minor)).fold(0, i128::saturating_add);
        let as_written = alone || wanted.map(i128::from) == Some(sum);
        let all_turn = wanted.map(i128::from) == Some(sum.saturating_neg());
        for Reason { code, amount, reference } in reasons {
            let Some(money) = amount else {
                self.line.references.push(Reference { qualifier: Text::Borrowed(REASON), value: code });
                continue;
            };
            let turns = !as_written && (all_turn || money.minor > 0);
            let minor = if turns { money.minor.saturating_neg() } else { money.minor };
            let amount = Money::new(minor, money.currency);
            self.line.adjustments.push(Adjustment { amount, reason: Text::Owned(format!("{REASON}{code}")), reference });
        }
    }

    /// Gross, discount and adjustments must give the net. A line paid short without a word is an everyday matter.
    fn check(&self, wanted: Option<i64>, out: &mut Output<'w>) {
        let sum = self.line.adjustments.iter().map(|held| i128::from(held.amount.minor)).fold(0, i128::saturating_add);
        let (Some(wanted), Some(gross), Some(net)) = (wanted, self.line.gross, self.line.net) else { return };
        if i128::from(wanted) == sum {
            return;
        }
        let told = !self.line.adjustments.is_empty();
        out.finding(Finding {
            code: FindingCode::LineOutOfBalance,
            severity: if told { Severity::Warning } else { Severity::Info },
            effect: Effect::Noted,
            message: format!("{gross} less discount and adjustments is not the {net} that is paid"),
            expected: "amount due - discount + adjustments = amount remitted".to_owned(),
            found: net.to_string(),
            location: Location { ..self.line.location },
        });
    }
}

/// The line with the opposite sign.
fn turn(line: &mut RemittanceLine<'_>) {
    let adjustments = line.adjustments.iter_mut().map(|held| &mut held.amount);
    for amount in [&mut line.gross, &mut line.discount, &mut line.net].into_iter().flatten().chain(adjustments) {
        amount.minor = amount.minor.saturating_neg();
    }
}
