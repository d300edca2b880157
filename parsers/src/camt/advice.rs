//! Structured remittance information (RmtInf/Strd): documents, their amounts, and the creditor's reference.

use chrono::NaiveDate;

use crate::{
    Adjustment, Effect, FindingCode, Location, Money, Reference, RemittanceLine, Severity, Text,
    reference::{self, Checked},
    x12::output::Output,
};

use super::{
    element::El::{self, *},
    entry::{Leaf, bad, credit, date, signed_money},
};

/// One Strd.
#[derive(Debug, Default)]
pub(super) struct Strd {
    location: Location,
    /// RfrdDocInf.
    documents: Vec<Referred>,
    due: Option<Money>,
    discount: Option<Money>,
    credit_note: Option<Money>,
    remitted: Option<Money>,
    adjustments: Vec<Adjusted>,
    /// CdtrRefInf with its kind: SCOR, QRR, ISR.
    creditor_reference: String,
    creditor_kind: String,
    /// AddtlRmtInf.
    pub notes: Vec<String>,
}

/// A referred document.
#[derive(Debug, Default)]
struct Referred {
    kind: String,
    number: String,
    date: Option<NaiveDate>,
}

/// AdjstmntAmtAndRsn.
#[derive(Debug, Default)]
struct Adjusted {
    amount: Option<Money>,
    credit: bool,
    reason: String,
    info: String,
}

impl Strd {
    pub fn new(location: Location) -> Self {
        Self { location, ..Self::default() }
    }

    /// An element of it begins.
    pub fn begin(&mut self, path: &[El]) {
        match path {
            [RfrdDocInf] => self.documents.push(Referred::default()),
            [RfrdDocAmt, AdjstmntAmtAndRsn] => self.adjustments.push(Adjusted { credit: true, ..Adjusted::default() }),
            _ => {}
        }
    }

    /// Takes the text of an element; `path` leads to it from Strd.
    pub fn take(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        match path {
            [RfrdDocInf, rest @ ..] => {
                if let Some(document) = self.documents.last_mut() {
                    document.take(rest, leaf, out);
                }
            }
            [RfrdDocAmt, rest @ ..] => self.take_amount(rest, leaf, out),
            [CdtrRefInf, Ref] => leaf.text.clone_into(&mut self.creditor_reference),
            [CdtrRefInf, Tp, CdOrPrtry, Cd | Prtry] => leaf.text.clone_into(&mut self.creditor_kind),
            [AddtlRmtInf] => self.notes.push(leaf.text.to_owned()),
            _ => return,
        }
        if path == [CdtrRefInf, Ref] && reference::check(leaf.text) == Checked::Wrong {
            let message = "the check digits of the creditor reference are wrong";
            out.finding(bad(leaf, FindingCode::BadCode, Effect::Noted, message, "RF with mod 97, or 27 digits with mod 10"));
        }
    }

    /// From version 04 on discount and tax stand one level lower, with a type.
    fn take_amount(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        let amount = |out: &mut Output<'_>| signed_money(leaf, Effect::Noted, out);
        match path {
            [DuePyblAmt] => self.due = amount(out),
            [DscntApldAmt] | [DscntApldAmt, Amt] => self.discount = add(self.discount, amount(out)),
            [CdtNoteAmt] => self.credit_note = amount(out),
            [RmtdAmt] => self.remitted = amount(out),
            [AdjstmntAmtAndRsn, element] => {
                let Some(adjusted) = self.adjustments.last_mut() else { return };
                match element {
                    Amt => adjusted.amount = amount(out),
                    CdtDbtInd => adjusted.credit = credit(leaf.text).unwrap_or(true),
                    Rsn => leaf.text.clone_into(&mut adjusted.reason),
                    AddtlInf => leaf.text.clone_into(&mut adjusted.info),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// The lines: one per document, or one for the creditor's reference alone. Amounts belong to the first.
    pub fn lines(self, lines: &mut Vec<RemittanceLine<'static>>) {
        let kind = if self.creditor_kind.is_empty() { "SCOR".to_owned() } else { self.creditor_kind };
        let creditor = (!self.creditor_reference.is_empty())
            .then_some(Reference { qualifier: Text::Owned(kind), value: Text::Owned(self.creditor_reference) });
        // A purchase order beside an invoice is the order of that invoice.
        let (orders, mut documents): (Vec<Referred>, Vec<Referred>) =
            self.documents.into_iter().partition(|document| document.kind == "PUOR");
        let mut po = None;
        if documents.is_empty() {
            documents = orders;
        } else {
            po = orders.into_iter().next().map(|order| Text::Owned(order.number));
        }
        let credit = documents.first().is_some_and(|document| document.kind == "CREN")
            || (self.credit_note.is_some() && self.remitted.is_none() && self.due.is_none());
        let signed = |money: Option<Money>| money.map(|money| if credit { negative(money) } else { money });
        let mut first = RemittanceLine {
            reference: Text::Borrowed(""),
            qualifier: Text::Borrowed(""),
            action: None,
            gross: signed(self.due),
            discount: self.discount,
            adjustments: self.adjustments.into_iter().filter_map(Adjusted::adjustment).collect(),
            net: signed(if credit { self.remitted.or(self.credit_note) } else { self.remitted }),
            date: None,
            po,
            references: Vec::new(),
            location: self.location,
        };
        let mut documents = documents.into_iter();
        match (documents.next(), creditor) {
            (Some(document), creditor) => {
                document.name(&mut first);
                first.references.extend(creditor);
            }
            (None, Some(creditor)) => (first.qualifier, first.reference) = (creditor.qualifier, creditor.value),
            (None, None) if first.gross.or(first.net).or(first.discount).is_none() && first.adjustments.is_empty() => return,
            (None, None) => {}
        }
        let blank = RemittanceLine {
            gross: None,
            discount: None,
            adjustments: Vec::new(),
            net: None,
            po: None,
            references: Vec::new(),
            ..first.clone()
        };
        lines.push(first);
        for document in documents {
            let mut line = blank.clone();
            document.name(&mut line);
            lines.push(line);
        }
    }
}

impl Referred {
    fn take(&mut self, path: &[El], leaf: Leaf<'_>, out: &mut Output<'_>) {
        match path {
            [Tp, CdOrPrtry, Cd | Prtry] | [Tp, Cd | Prtry] => leaf.text.clone_into(&mut self.kind),
            [Nb] => leaf.text.clone_into(&mut self.number),
            [RltdDt] | [RltdDt, Dt] => self.date = date(leaf, out),
            _ => {}
        }
    }

    fn name(self, line: &mut RemittanceLine<'_>) {
        line.qualifier = qualifier(self.kind);
        line.reference = Text::Owned(self.number);
        line.date = self.date;
    }
}

/// The document type in the codes that advices of other formats use for it; any other stays as written.
fn qualifier(kind: String) -> Text<'static> {
    match kind.as_str() {
        "" | "CINV" | "MSIN" => Text::Borrowed("IV"),
        "CREN" => Text::Borrowed("CM"),
        "DEBN" => Text::Borrowed("DM"),
        "PUOR" => Text::Borrowed("PO"),
        "BOLD" => Text::Borrowed("BM"),
        _ => Text::Owned(kind),
    }
}

impl Adjusted {
    /// DBIT takes away from what is paid.
    fn adjustment(self) -> Option<Adjustment<'static>> {
        let amount = self.amount?;
        let reference = (!self.info.is_empty()).then_some(Text::Owned(self.info));
        Some(Adjustment {
            amount: if self.credit { amount } else { negative(amount) },
            reason: Text::Owned(self.reason),
            reference,
        })
    }
}

fn add(one: Option<Money>, other: Option<Money>) -> Option<Money> {
    match (one, other) {
        (Some(one), Some(other)) => one.checked_add(other).ok(),
        (one, other) => one.or(other),
    }
}

fn negative(money: Money) -> Money {
    Money::new(money.minor.saturating_neg(), money.currency)
}

/// Whether the lines that name a net amount give the payment; nothing where a line names none.
pub(super) fn check_total(lines: &[RemittanceLine<'_>], amount: Money, location: Location, out: &mut Output<'_>) {
    let mut sum: i128 = 0;
    for line in lines {
        match line.net {
            Some(net) if net.currency == amount.currency => sum = sum.saturating_add(net.minor.into()),
            _ => return,
        }
    }
    if sum != i128::from(amount.minor) {
        out.finding(crate::Finding {
            code: FindingCode::OutOfBalance,
            severity: Severity::Info,
            effect: Effect::Noted,
            message: "the remitted amounts do not give the payment; the payer left something out or paid on account".to_owned(),
            expected: amount.to_string(),
            found: crate::Figure::decimal(sum, amount.currency.exponent()).as_str().to_owned(),
            location,
        });
    }
}
