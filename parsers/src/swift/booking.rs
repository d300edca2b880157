//! An entry with its details becomes a payment, or a return of one.

use crate::{
    Account, Currency, Direction, Effect, FindingCode, Method, Money, Party, Payment, Reference, Return, Severity, SharedParty,
    Text,
    x12::{output::Output, segment::decode},
};

use super::{
    desk::Texts,
    details::Details,
    entry::{Entry, Mark},
    field::Field,
    statement::Statement,
};

/// Puts out what the entry is; a payment is given back. The caller has checked that it has mark, amount and date.
pub(super) fn put<'w>(
    field: &Field<'w>,
    entry: &Entry<'w>,
    mut details: Details<'w>,
    money: (Mark, Money),
    statement: &Statement,
    text: &mut Texts<'w>,
    out: &mut Output<'w>,
) -> Option<Box<Payment<'w>>> {
    let (mark, amount) = money;
    if mark == Mark::Expected || amount.minor == 0 {
        out.finding(nothing_moved(field, mark));
        return None;
    }
    let names = Names::of(field, entry, &details, text);
    let own: SharedParty<'w> = statement.own.clone();
    let location = field.location();
    if mark == Mark::ReversedCredit || (mark == Mark::Debit && comes_back(entry, &details)) {
        let original_trace = names.original(&details);
        let code = details.reason.clone();
        let payer = SharedParty::from(other_side(entry, details));
        out.payment_return(Return { seq: 0, amount, code, original_trace, trace: None, payer, payee: own, location });
        return None;
    }
    let credit = mark != Mark::Debit;
    let method = method(entry, &details);
    let references = references(entry, &details, &names, mark);
    let text = purpose(std::mem::take(&mut details.purpose), entry);
    let other = SharedParty::from(other_side(entry, details));
    let (payer, payee) = if credit { (other, own) } else { (own, other) };
    Some(Box::write(
        Box::new_uninit(),
        Payment {
            seq: 0,
            method,
            direction: if credit { Direction::Credit } else { Direction::Debit },
            amount,
            value_date: entry.value_date,
            payer,
            payee,
            references,
            trace: names.trace,
            text,
            remittance: None,
            location,
            exchange: None,
        },
    ))
}

/// The references that name the payment.
struct Names<'w> {
    trace: Option<Text<'w>>,
    bank: Option<Text<'w>>,
    owner: Option<Text<'w>>,
}

impl<'w> Names<'w> {
    /// The trace is the bank's reference; the whole end-to-end reference where field 61 only has room for its end; the number of a cheque.
    fn of(field: &Field<'w>, entry: &Entry<'w>, details: &Details<'w>, text: &mut Texts<'w>) -> Self {
        let owner = named(field, entry.owner, text);
        let bank = named(field, entry.bank, text);
        let end_to_end = Some(&details.end_to_end).filter(|text| !text.is_empty());
        let trace = match (&bank, end_to_end) {
            _ if is_cheque(entry) && owner.is_some() => owner.as_ref(),
            (Some(bank), Some(whole)) if whole.ends_with(bank.as_ref()) => Some(whole),
            (Some(bank), _) => Some(bank),
            (None, whole) => whole.or(owner.as_ref()),
        };
        Self { trace: trace.cloned(), bank, owner }
    }

    /// What a return repeats of the payment it takes back; its own bank reference only where nothing else is there.
    fn original(&self, details: &Details<'w>) -> Option<Text<'w>> {
        let end_to_end = Some(&details.end_to_end).filter(|text| !text.is_empty());
        end_to_end.or(self.owner.as_ref()).or(self.bank.as_ref()).cloned()
    }
}

/// A reference, unless it says that there is none (NONREF) or that it stands in field 86 (KREF+).
fn named<'w>(field: &Field<'w>, part: &'w [u8], text: &mut Texts<'w>) -> Option<Text<'w>> {
    let none = part.is_empty() || matches!(part, b"NONREF" | b"NOTPROVIDED" | b"N" | b"KREF+" | b"EREF+" | b"MREF+" | b"EREF");
    (!none).then(|| text.of(field, part))
}

fn other_side<'w>(entry: &Entry<'w>, details: Details<'w>) -> Party<'w> {
    let told = |text: Text<'w>| (!text.is_empty()).then_some(text);
    Party {
        name: told(details.name).or_else(|| told(decode(entry.tail))),
        id: None,
        bank: told(details.bank),
        account: told(details.account).map(Account::new),
    }
}

fn references<'w>(entry: &Entry<'w>, details: &Details<'w>, names: &Names<'w>, mark: Mark) -> Vec<Reference<'w>> {
    let mut references = Vec::with_capacity(4);
    let trace = names.trace.as_deref();
    let mut push = |qualifier: &'static str, value: &Text<'w>| {
        if !value.is_empty() && (qualifier == "EREF" || trace != Some(value)) {
            references.push(Reference { qualifier: Text::Borrowed(qualifier), value: value.clone() });
        }
    };
    push("EREF", &details.end_to_end);
    if let Some(owner) = &names.owner {
        push("OWNR", owner);
    }
    if let Some(bank) = &names.bank {
        push("BANK", bank);
    }
    for (key, value) in &details.references {
        push(key, value);
    }
    push("GVC", &details.business_code);
    if !entry.supplement.is_empty() {
        push("OCMT", &supplementary(entry.supplement, "OCMT"));
        push("CHGS", &supplementary(entry.supplement, "CHGS"));
    }
    if mark == Mark::ReversedDebit {
        push("RVSL", &Text::Borrowed("RD"));
    }
    references
}

/// `/OCMT/EUR11,85//CHGS/EUR0,50/` in the supplementary details: what was ordered, and what was charged.
fn supplementary(supplement: &[u8], key: &str) -> Text<'static> {
    let text = decode(supplement);
    let value = text
        .split_once(key)
        .and_then(|(before, rest)| before.ends_with('/').then_some(rest))
        .and_then(|rest| rest.strip_prefix('/'));
    Text::Owned(value.and_then(|value| value.split('/').next()).map(|value| value.trim().to_owned()).unwrap_or_default())
}

/// The purpose; the supplementary details where field 86 says nothing.
fn purpose<'w>(told: Text<'w>, entry: &Entry<'w>) -> Option<Text<'w>> {
    if !told.is_empty() {
        return Some(told);
    }
    if entry.supplement.is_empty() {
        return None;
    }
    let supplement = decode(entry.supplement);
    let text = supplement.trim();
    if text.is_empty() || text.starts_with("/OCMT/") {
        return None;
    }
    Some(match supplement {
        Text::Borrowed(supplement) => Text::Borrowed(supplement.trim()),
        Text::Owned(supplement) => Text::Owned(supplement.trim().to_owned()),
    })
}

fn is_cheque(entry: &Entry<'_>) -> bool {
    matches!(entry.code, [_, b'C', b'H', b'K'])
}

/// Business code 1xx is SEPA, 2xx foreign; else the transaction type says it.
fn method(entry: &Entry<'_>, details: &Details<'_>) -> Method {
    match (entry.code, details.business_code.as_bytes()) {
        ([_, b'C', b'H', b'K'], _) => Method::Check,
        (_, [b'1', ..]) => Method::Ach,
        (_, [b'2', ..]) | ([b'S', ..] | [_, b'T', b'R', b'F'], _) => Method::Wire,
        ([_, b'D', b'D', _] | [_, b'S', b'T', b'O'] | [_, b'R', b'T', b'I'], _) => Method::Ach,
        _ => Method::Other,
    }
}

/// A debit that takes an earlier credit back: returned direct debits (business codes 108, 109), returned items, a return reason.
fn comes_back(entry: &Entry<'_>, details: &Details<'_>) -> bool {
    matches!(details.business_code.as_ref(), "108" | "109") || matches!(entry.code, [_, b'R', b'T', b'I']) || {
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
