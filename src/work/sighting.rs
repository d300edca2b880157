//! What a record tells of where it saw the money: the account, the kind of report, and the numbers that name it.

use tieout_parsers::{Format, Method, Payment, Reference};

use super::own::Own;
use crate::{
    domain::{Marks, Report, Sighting},
    normalise,
    secret::Vault,
};

/// References that banks and clearing houses give, each to one payment.
const BY_BANK: &[&str] = &["TRACE", "TRN", "IMAD", "OMAD", "SREF", "BANK", "BREF", "ASRV", "TXID", "UETR", "CLRS"];
/// References that payers give, and may give again.
const BY_PAYER: &[&str] = &["EREF", "OWNR", "INST", "KREF", "CREF", "CUSTOMER", "CHKN", "RFB", "TN"];
/// A shorter number is given too often to name one payment.
const BANK_MARK_MIN: usize = 6;
const PAYER_MARK_MIN: usize = 3;
/// What banks write where there is no reference.
const NO_REFERENCE: &[&str] = &["NONREF", "NOTPROVIDED", "NOREF", "UNKNOWN", "NOTAVAILABLE"];
/// BAI2 types of deposits whose items come in a lockbox file: lockbox deposit, check deposit package.
const LOCKBOX_DEPOSITS: &[&str] = &["115", "175"];
/// Enough of a hash to tell one lockbox from another.
const BOX_CHARS: usize = 12;

/// How the file saw this payment.
pub fn sighting(payment: &Payment<'_>, format: Format, own: Own, vault: &Vault) -> Sighting {
    let told = |qualifier: &str| {
        payment.references.iter().find(|reference| reference.qualifier == qualifier).map(|reference| &*reference.value)
    };
    let report = match format {
        Format::Nacha | Format::LockboxBai | Format::X12Lockbox823 => Report::Items,
        Format::Csv | Format::Xlsx if payment.method == Method::Card => Report::Items,
        Format::Camt054 => Report::Notice,
        Format::Mt942 | Format::Camt052 => Report::Interim,
        Format::Bai2 if told("INTERIM").is_some() => Report::Interim,
        Format::Bai2 | Format::Mt940 | Format::Camt053 | Format::Csv | Format::Xlsx => Report::Final,
        _ => Report::Order,
    };
    let items = told("BTCH").and_then(|count| count.parse().ok());
    let deposit = format == Format::Bai2 && told("BAI").is_some_and(|code| LOCKBOX_DEPOSITS.contains(&code));
    let own_last4 = payment.payee.account.as_ref().filter(|_| own.key.is_some()).map(tieout_parsers::Account::last4);
    Sighting {
        report,
        own: own.key,
        own_last4,
        is_sum: deposit || items.is_some(),
        group: group(payment, format, vault),
        items,
        marks: marks(payment, format),
    }
}

/// What the item was booked together with: a path whose every level may be one line of a statement.
fn group(payment: &Payment<'_>, format: Format, vault: &Vault) -> Option<String> {
    let told = |qualifier: &str| {
        let found = payment.references.iter().find(|reference| reference.qualifier == qualifier);
        found.map_or_else(String::new, |reference| normalise::fold(&reference.value))
    };
    let short = |key: Option<crate::domain::AccountKey>| key.map(|key| key.0.chars().take(BOX_CHARS).collect::<String>());
    match format {
        Format::LockboxBai => {
            let lockbox = short(vault.key_of(None, payment.payee.account.as_ref()?))?;
            Some(format!("{lockbox}/{}", told("BATCH")))
        }
        Format::X12Lockbox823 => {
            let number = payment.references.iter().find(|reference| reference.qualifier == "LOCKBOX")?;
            let lockbox = short(vault.key(None, &number.value))?;
            Some(format!("{lockbox}/{}/{}", told("DEPOSIT"), told("BATCH")))
        }
        Format::Nacha => {
            let company = payment.payer.id.as_deref().or(payment.payer.name.as_deref())?;
            Some(format!("ach {}", normalise::fold(company)))
        }
        Format::Camt052 | Format::Camt053 | Format::Camt054 => {
            let entry = payment.location.segment?;
            // An entry without its transactions is named by its trace.
            let reference = match told("BTCH").is_empty() {
                true => told("NTRY"),
                false => normalise::fold(payment.trace.as_deref().unwrap_or_default()),
            };
            Some(format!("entry {entry}={reference}"))
        }
        _ => None,
    }
}

fn marks(payment: &Payment<'_>, format: Format) -> Marks {
    let mut marks = Marks::default();
    let folded = |value: &str, least: usize| {
        let folded = normalise::fold(value).trim_start_matches('0').to_owned();
        (folded.len() >= least && !NO_REFERENCE.contains(&folded.as_str())).then_some(folded)
    };
    let listed = |list: &[&str], reference: &Reference<'_>| list.contains(&&*reference.qualifier);
    for reference in &payment.references {
        if listed(BY_BANK, reference) {
            marks.bank.extend(folded(&reference.value, BANK_MARK_MIN));
        } else if listed(BY_PAYER, reference) {
            marks.payer.extend(folded(&reference.value, PAYER_MARK_MIN));
        }
    }
    let trace = payment.trace.as_deref().unwrap_or_default();
    // The number of a cheque, and what the payer called the payment, may come again; so may what an advice calls it.
    let of_payer = payment.method == Method::Check
        || matches!(format, Format::X12Payment820 | Format::X12Mixed)
        || folded(trace, PAYER_MARK_MIN).is_none_or(|trace| marks.payer.contains(&trace));
    match of_payer {
        true => marks.payer.extend(folded(trace, PAYER_MARK_MIN)),
        false => marks.bank.extend(folded(trace, BANK_MARK_MIN)),
    }
    for list in [&mut marks.bank, &mut marks.payer] {
        list.sort();
        list.dedup();
    }
    marks
}
