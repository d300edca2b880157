//! Records with their own text, for readers whose bytes do not outlive the call.

use std::borrow::Cow;

use crate::{
    Account, Acknowledgment, Adjustment, Exchange, Invoice, Party, Payment, Record, Reference, Remittance, RemittanceLine,
    Return, Text,
};

fn own(text: Text<'_>) -> Text<'static> {
    Cow::Owned(text.into_owned())
}

impl Record<'_> {
    /// The same record, independent of the bytes it was read from.
    pub fn into_owned(self) -> Record<'static> {
        match self {
            Self::Payment(record) => Record::Payment(Box::new(record.into_owned())),
            Self::Remittance(record) => Record::Remittance(Box::new(record.into_owned())),
            Self::Invoice(record) => Record::Invoice(Box::new(record.into_owned())),
            Self::Return(record) => Record::Return(record.into_owned()),
            Self::Balance(record) => Record::Balance(record),
            Self::Acknowledgment(record) => Record::Acknowledgment(record.into_owned()),
            Self::Control(record) => Record::Control(record),
            Self::Finding(record) => Record::Finding(record),
        }
    }
}

impl Party<'_> {
    /// The same party with its own text.
    pub fn into_owned(self) -> Party<'static> {
        Party {
            name: self.name.map(own),
            id: self.id.map(own),
            bank: self.bank.map(own),
            account: self.account.map(Account::into_owned),
        }
    }
}

impl Reference<'_> {
    /// The same reference with its own text.
    pub fn into_owned(self) -> Reference<'static> {
        Reference { qualifier: own(self.qualifier), value: own(self.value) }
    }
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
        Remittance {
            seq: self.seq,
            total: self.total,
            date: self.date,
            payer: self.payer.into_owned(),
            payee: self.payee.into_owned(),
            trace: self.trace.map(own),
            lines: self.lines.into_iter().map(RemittanceLine::into_owned).collect(),
            text: self.text.map(own),
            references: own_references(self.references),
            location: self.location,
            exchange: self.exchange.map(Exchange::into_owned),
        }
    }
}

impl RemittanceLine<'_> {
    /// The same line with its own text.
    pub fn into_owned(self) -> RemittanceLine<'static> {
        RemittanceLine {
            reference: own(self.reference),
            qualifier: own(self.qualifier),
            action: self.action.map(own),
            gross: self.gross,
            discount: self.discount,
            adjustments: self.adjustments.into_iter().map(Adjustment::into_owned).collect(),
            net: self.net,
            date: self.date,
            po: self.po.map(own),
            references: own_references(self.references),
            location: self.location,
        }
    }
}

impl Adjustment<'_> {
    /// The same adjustment with its own text.
    pub fn into_owned(self) -> Adjustment<'static> {
        Adjustment { amount: self.amount, reason: own(self.reason), reference: self.reference.map(own) }
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
