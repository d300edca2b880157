//! Records with their own text, for readers whose bytes do not outlive the call.

use std::borrow::Cow;

use crate::{
    Acknowledgment, Adjustment, Exchange, Invoice, Party, Payment, Record, Reference, Remittance, RemittanceLine, Return,
    SharedParty, Text,
};

fn own(text: Text<'_>) -> Text<'static> {
    Cow::Owned(text.into_owned())
}

/// Where a text stands in the bytes it was borrowed from; nothing when it stands elsewhere.
pub(crate) fn position_in(bytes: &[u8], text: &str) -> Option<usize> {
    let position = text.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
    (position.checked_add(text.len())? <= bytes.len()).then_some(position)
}

impl Record<'_> {
    /// The same record, independent of the bytes it was read from.
    pub fn into_owned(self) -> Record<'static> {
        match self {
            Self::Payment(record) => Record::Payment(Box::new(record.into_owned())),
            Self::Remittance(record) => Record::Remittance(Box::new(record.into_owned())),
            Self::Invoice(record) => Record::Invoice(Box::new(record.into_owned())),
            Self::Return(record) => Record::Return(Box::new(record.into_owned())),
            Self::Balance(record) => Record::Balance(record),
            Self::Acknowledgment(record) => Record::Acknowledgment(Box::new(record.into_owned())),
            Self::Control(record) => Record::Control(record),
            Self::Finding(record) => Record::Finding(record),
        }
    }
}

impl Party<'_> {
    /// The same party with its own text.
    pub fn into_owned(self) -> Party<'static> {
        self.with_texts(&mut own)
    }
}

impl<'a> Party<'a> {
    fn with_texts<'b>(self, text: &mut impl FnMut(Text<'a>) -> Text<'b>) -> Party<'b> {
        Party {
            name: self.name.map(&mut *text),
            id: self.id.map(&mut *text),
            bank: self.bank.map(&mut *text),
            account: self.account.map(|account| account.with_text(text)),
        }
    }
}

impl SharedParty<'_> {
    /// The same party with its own text.
    pub fn into_owned(self) -> SharedParty<'static> {
        self.with_texts(&mut own)
    }
}

impl<'a> SharedParty<'a> {
    fn with_texts<'b>(self, text: &mut impl FnMut(Text<'a>) -> Text<'b>) -> SharedParty<'b> {
        match self {
            Self::Own(party) => SharedParty::Own(party.with_texts(text)),
            Self::Shared(party) => SharedParty::Own(Party::clone(&party).with_texts(text)),
        }
    }
}

impl Reference<'_> {
    /// The same reference with its own text.
    pub fn into_owned(self) -> Reference<'static> {
        self.with_texts(&mut own)
    }
}

impl<'a> Reference<'a> {
    pub(crate) fn with_texts<'b>(self, text: &mut impl FnMut(Text<'a>) -> Text<'b>) -> Reference<'b> {
        Reference { qualifier: text(self.qualifier), value: text(self.value) }
    }
}

/// The same list with other texts. Most lists of a line are empty.
#[inline]
fn each<A, B>(list: Vec<A>, with: impl FnMut(A) -> B) -> Vec<B> {
    if list.is_empty() { Vec::new() } else { list.into_iter().map(with).collect() }
}

fn own_references(references: Vec<Reference<'_>>) -> Vec<Reference<'static>> {
    references.into_iter().map(Reference::into_owned).collect()
}

impl Payment<'_> {
    /// The same payment with its own text.
    pub fn into_owned(self) -> Payment<'static> {
        Payment {
            seq: self.seq,
            method: self.method,
            direction: self.direction,
            amount: self.amount,
            value_date: self.value_date,
            payer: self.payer.into_owned(),
            payee: self.payee.into_owned(),
            trace: self.trace.map(own),
            references: own_references(self.references),
            text: self.text.map(own),
            remittance: self.remittance,
            location: self.location,
            exchange: self.exchange.map(Exchange::into_owned),
        }
    }
}

impl Remittance<'_> {
    /// The same remittance with its own text.
    pub fn into_owned(self) -> Remittance<'static> {
        self.with_texts(&mut own)
    }
}

impl<'a> Remittance<'a> {
    /// The same remittance with other texts, such as those of the file for those of a copy that it was read from.
    pub(crate) fn with_texts<'b>(self, text: &mut impl FnMut(Text<'a>) -> Text<'b>) -> Remittance<'b> {
        Remittance {
            seq: self.seq,
            total: self.total,
            date: self.date,
            payer: self.payer.with_texts(text),
            payee: self.payee.with_texts(text),
            trace: self.trace.map(&mut *text),
            lines: self.lines.into_iter().map(|line| line.with_texts(text)).collect(),
            text: self.text.map(&mut *text),
            references: each(self.references, |reference| reference.with_texts(text)),
            location: self.location,
            exchange: self.exchange.map(|exchange| exchange.with_text(text)),
        }
    }
}

impl RemittanceLine<'_> {
    /// The same line with its own text.
    pub fn into_owned(self) -> RemittanceLine<'static> {
        self.with_texts(&mut own)
    }
}

impl<'a> RemittanceLine<'a> {
    fn with_texts<'b>(self, text: &mut impl FnMut(Text<'a>) -> Text<'b>) -> RemittanceLine<'b> {
        RemittanceLine {
            reference: text(self.reference),
            qualifier: text(self.qualifier),
            action: self.action.map(&mut *text),
            gross: self.gross,
            discount: self.discount,
            adjustments: each(self.adjustments, |adjustment| adjustment.with_texts(text)),
            net: self.net,
            date: self.date,
            po: self.po.map(&mut *text),
            references: each(self.references, |reference| reference.with_texts(text)),
            location: self.location,
        }
    }
}

impl Adjustment<'_> {
    /// The same adjustment with its own text.
    pub fn into_owned(self) -> Adjustment<'static> {
        self.with_texts(&mut own)
    }
}

impl<'a> Adjustment<'a> {
    fn with_texts<'b>(self, text: &mut impl FnMut(Text<'a>) -> Text<'b>) -> Adjustment<'b> {
        Adjustment { amount: self.amount, reason: text(self.reason), reference: self.reference.map(text) }
    }
}

impl Invoice<'_> {
    /// The same invoice with its own text.
    pub fn into_owned(self) -> Invoice<'static> {
        Invoice {
            number: own(self.number),
            kind: self.kind,
            purpose: self.purpose,
            date: self.date,
            due_date: self.due_date,
            amount: self.amount,
            bill_to: self.bill_to.into_owned(),
            seller: self.seller.into_owned(),
            po: self.po.map(own),
            bol: self.bol.map(own),
            pro: self.pro.map(own),
            terms: self.terms,
            references: own_references(self.references),
            location: self.location,
            exchange: self.exchange.map(Exchange::into_owned),
        }
    }
}

impl Return<'_> {
    /// The same return with its own text.
    pub fn into_owned(self) -> Return<'static> {
        Return {
            seq: self.seq,
            amount: self.amount,
            code: own(self.code),
            original_trace: self.original_trace.map(own),
            trace: self.trace.map(own),
            payer: self.payer.into_owned(),
            payee: self.payee.into_owned(),
            location: self.location,
        }
    }
}

impl Acknowledgment<'_> {
    /// The same acknowledgment with its own text.
    pub fn into_owned(self) -> Acknowledgment<'static> {
        Acknowledgment {
            level: self.level,
            control_number: own(self.control_number),
            group_control: self.group_control.map(own),
            id: own(self.id),
            verdict: own(self.verdict),
            codes: self.codes.into_iter().map(own).collect(),
            reference: self.reference.map(Reference::into_owned),
            text: self.text.map(own),
            location: self.location,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_where_they_stand() {
        let bytes = b"ST*820*0001";
        let text = std::str::from_utf8(bytes).expect("ASCII");
        assert_eq!(position_in(bytes, &text[3..6]), Some(3));
        assert_eq!(position_in(bytes, text), Some(0));
        assert_eq!(position_in(&bytes[..5], &text[3..6]), None);
        assert_eq!(position_in(&bytes[4..], &text[3..6]), None);
        assert_eq!(position_in(bytes, "another text"), None);
    }
}
