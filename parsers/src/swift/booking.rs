//! An entry with its details becomes a payment, or a return of one.

use crate::{
    Account, Currency, Direction, Effect, FindingCode, Method, Money, Party, Payment, Reference, Return, Severity, SharedParty,
    Text,
    x12::{output::Output, segment::decode},
};

use super::{
    details::Details,
    entry::{Entry, Mark},
    field::Field,
    statement::Statement,
};

/// Puts out what the entry is. The caller has checked that it has mark, amount and date.
pub(super) fn put(
    field: &Field<'_>,
    entry: &Entry<'_>,
    mut details: Details,
    money: (Mark, Money),
    statement: &Statement,
    out: &mut Output<'_>,
) {
    let (mark, amount) = money;
    if mark == Mark::Expected || amount.minor == 0 {
        out.finding(nothing_moved(field, mark));
        return;
    }
    let names = Names::of(entry, &details);
    let other = SharedParty::from(other_side(entry, &mut details));
    let own = SharedParty::from(Party {
        bank: statement.bank.clone().map(Text::Owned),
        account: statement.account.clone().map(|number| Account::new(Text::Owned(number))),
        ..Party::default()
    });
    let location = field.location();
    if mark == Mark::ReversedCredit || (mark == Mark::Debit && comes_back(entry, &details)) {
        let original_trace = names.original(&details).map(|trace| Text::Owned(trace.to_owned()));
        let code = Text::Owned(details.reason);
        out.payment_return(Return { seq: 0, amount, code, original_trace, trace: None, payer: other, payee: own, location });
        return;
    }
    let credit = mark != Mark::Debit;
    let (payer, payee) = if credit { (other, own) } else { (own, other) };
    out.payment(Payment {
        seq: 0,
        method: method(entry, &details),
        direction: if credit { Direction::Credit } else { Direction::Debit },
        amount,
        value_date: entry.value_date,
        payer,
        payee,
        references: references(entry, &details, &names, mark),
        trace: names.trace,
        text: text(details.purpose, entry),
        remittance: None,
        location,
        exchange: None,
    });
}

/// The references that name the payment.
struct Names {
    trace: Option<Text<'static>>,
    bank: Option<String>,
    owner: Option<String>,
}

impl Names {
    /// The trace is the bank's reference; the whole end-to-end reference where field 61 only has room for its end; the number of a cheque.
    fn of(entry: &Entry<'_>, details: &Details) -> Self {
        let bank = named(entry.bank);
        let owner = named(entry.owner);
        let end_to_end = Some(details.end_to_end.as_str()).filter(|text| !text.is_empty());
        let trace = match (&bank, end_to_end) {
            _ if is_cheque(entry) && owner.is_some() => owner.as_deref(),
            (Some(bank), Some(whole)) if whole.ends_with(bank.as_str()) => Some(whole),
            (Some(bank), _) => Some(bank.as_str()),
            (None, whole) => whole.or(owner.as_deref()),
        };
        Self { trace: trace.map(|trace| Text::Owned(trace.to_owned())), bank, owner }
    }

    /// What a return repeats of the payment it takes back; its own bank reference only where nothing else is there.
    fn original<'n>(&'n self, details: &'n Details) -> Option<&'n str> {
        let end_to_end = Some(details.end_to_end.as_str()).filter(|text| !text.is_empty());
        end_to_end.or(self.owner.as_deref()).or(self.bank.as_deref())
    }
}

/// A reference, unless it says that there is none (NONREF) or that it stands in field 86 (KREF+).
fn named(text: &[u8]) -> Option<String> {
    let none = text.is_empty() || matches!(text, b"NONREF" | b"NOTPROVIDED" | b"N" | b"KREF+" | b"EREF+" | b"MREF+" | b"EREF");
    (!none).then(|| decode(text).into_owned())
}

fn other_side(entry: &Entry<'_>, details: &mut Details) -> Party<'static> {
    let own = |text: String| (!text.is_empty()).then_some(Text::Owned(text));
    Party {
        name: own(std::mem::take(&mut details.name)).or_else(|| own(decode(entry.tail).into_owned())),
        id: None,
        bank: own(std::mem::take(&mut details.bank)),
        account: own(std::mem::take(&mut details.account)).map(Account::new),
    }
}

fn references(entry: &Entry<'_>, details: &Details, names: &Names, mark: Mark) -> Vec<Reference<'static>> {
    let mut references = Vec::with_capacity(4);
    let trace = names.trace.as_deref();
    let mut push = |qualifier: &'static str, value: &str| {
        if !value.is_empty() && (trace != Some(value) || qualifier == "EREF") {
            references.push(Reference { qualifier: Text::Borrowed(qualifier), value: Text::Owned(value.to_owned()) });
        }
    };
    push("EREF", &details.end_to_end);
    push("OWNR", names.owner.as_deref().unwrap_or_default());
    push("BANK", names.bank.as_deref().unwrap_or_default());
    for (key, value) in &details.references {
        push(key, value);
    }
    push("GVC", &details.business_code);
    if !entry.supplement.is_empty() {
        push("OCMT", &supplementary(entry.supplement, "OCMT"));
        push("CHGS", &supplementary(entry.supplement, "CHGS"));
    }
    if mark == Mark::ReversedDebit {
        push("RVSL", "RD");
    }
    references
}

/// `/OCMT/EUR11,85//CHGS/EUR0,50/` in the supplementary details: what was ordered, and what was charged.
fn supplementary(supplement: &[u8], key: &str) -> String {
    let text = decode(supplement);
    let value = text
        .split_once(key)
        .and_then(|(before, rest)| before.ends_with('/').then_some(rest))
        .and_then(|rest| rest.strip_prefix('/'));
    value.and_then(|value| value.split('/').next()).map(|value| value.trim().to_owned()).unwrap_or_default()
}

/// The purpose; the supplementary details where field 86 says nothing.
fn text(purpose: String, entry: &Entry<'_>) -> Option<Text<'static>> {
    if !purpose.is_empty() {
        return Some(Text::Owned(purpose));
    }
    let supplement = decode(entry.supplement);
    let text = supplement.trim();
    (!text.is_empty() && !text.starts_with("/OCMT/")).then(|| Text::Owned(text.to_owned()))
}

fn is_cheque(entry: &Entry<'_>) -> bool {
    matches!(entry.code, [_, b'C', b'H', b'K'])
}

/// Business code 1xx is SEPA, 2xx foreign; else the transaction type says it.
fn method(entry: &Entry<'_>, details: &Details) -> Method {
    match (entry.code, details.business_code.as_bytes()) {
        ([_, b'C', b'H', b'K'], _) => Method::Check,
        (_, [b'1', ..]) => Method::Ach,
        (_, [b'2', ..]) | ([b'S', ..] | [_, b'T', b'R', b'F'], _) => Method::Wire,
        ([_, b'D', b'D', _] | [_, b'S', b'T', b'O'] | [_, b'R', b'T', b'I'], _) => Method::Ach,
        _ => Method::Other,
    }
}

/// A debit that takes an earlier credit back: returned direct debits (business codes 108, 109), returned items, a return reason.
fn comes_back(entry: &Entry<'_>, details: &Details) -> bool {
    matches!(details.business_code.as_str(), "108" | "109") || matches!(entry.code, [_, b'R', b'T', b'I']) || {
        details.business_code.is_empty() && !details.reason.is_empty()
    }
}

fn nothing_moved(field: &Field<'_>, mark: Mark) -> crate::Finding {
    let message = match mark {
        Mark::Expected => "the entry is announced, not booked; it is no money yet",
        _ => "the entry moves no money; its amount is zero",
    };
    let mut finding = field.finding(&[], 5, FindingCode::BadAmount, Effect::Noted, message, "a booked amount");
    finding.severity = Severity::Info;
    finding
}

/// The money of an entry, once its currency is known.
pub(super) fn money(entry: &Entry<'_>, currency: Option<Currency>) -> Option<(Mark, Money)> {
    Some((entry.mark?, Money::new(entry.amount?, currency?)))
}
