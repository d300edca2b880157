//! The money a row of payments moves, and who paid it: one column with a sign or a mark, or a column each for credits and debits.

use super::{amount::Mark, cells::Cells, field::Field};
use crate::{Account, Currency, Finding, FindingCode, Party};

pub(super) fn payer(cells: &Cells<'_>) -> Party<'static> {
    Party {
        name: cells.text(Field::Payer).map(Into::into),
        id: cells.text(Field::PayerId).map(Into::into),
        bank: cells.text(Field::PayerBank).map(Into::into),
        account: cells.text(Field::PayerAccount).map(|number| Account::new(number.into())),
    }
}

/// Our side of a row: the account or merchant number that the money comes to or leaves.
pub(super) fn payee(cells: &Cells<'_>) -> Party<'static> {
    Party { account: cells.text(Field::OwnAccount).map(|number| Account::new(number.into())), ..Party::default() }
}

/// The column that holds the money of a row, for findings.
pub(super) fn money_field(cells: &Cells<'_>) -> Field {
    let held = [Field::Amount, Field::Credit, Field::Debit].into_iter().find(|field| cells.text(*field).is_some());
    let column = [Field::Amount, Field::Credit].into_iter().find(|field| cells.columns.place(*field).is_some());
    held.or(column).unwrap_or(Field::Amount)
}

/// The money a row moves: positive when it comes in, negative when it goes out.
pub(super) fn signed(cells: &Cells<'_>, currency: Currency) -> Result<Option<i64>, Box<Finding>> {
    let read = |field| cells.amount(field, currency).map(|amount| amount.filter(|amount| amount.minor != 0));
    let (credit, debit) = (read(Field::Credit)?, read(Field::Debit)?);
    match (credit, debit) {
        (Some(_), Some(_)) => {
            let expected = "either a credit or a debit";
            return Err(cells.wrong(Field::Debit, FindingCode::BadAmount, "the row has a credit and a debit", expected));
        }
        (Some(credit), None) if credit.minor < 0 => {
            return Err(cells.wrong(Field::Credit, FindingCode::OddSign, "the credit is negative", "an amount without sign"));
        }
        (Some(credit), None) => return Ok(Some(credit.minor)),
        // Banks write debits with and without sign.
        (None, Some(debit)) => return Ok(Some(debit.minor.saturating_abs().saturating_neg())),
        (None, None) => {}
    }
    let Some(amount) = cells.amount(Field::Amount, currency)? else {
        // A credit or debit of zero is an amount.
        let zero = [Field::Credit, Field::Debit].into_iter().any(|field| cells.text(field).is_some());
        return Ok(zero.then_some(0));
    };
    let mark = match (amount.mark, cells.text(Field::Mark)) {
        (Some(mark), _) => Some(mark),
        (None, None) => None,
        (None, Some(text)) => match text.to_ascii_uppercase().as_str() {
            "C" | "CR" | "CREDIT" | "CRDT" | "H" | "+" => Some(Mark::Credit),
            "D" | "DR" | "DEBIT" | "DBIT" | "S" | "-" => Some(Mark::Debit),
            _ => {
                let expected = "CR or DR";
                return Err(cells.wrong(Field::Mark, FindingCode::BadCode, "the mark is not known", expected));
            }
        },
    };
    match mark {
        Some(Mark::Credit) if amount.minor < 0 => {
            Err(cells.wrong(Field::Amount, FindingCode::OddSign, "a credit with a minus sign", "an amount without sign"))
        }
        Some(Mark::Debit) => Ok(Some(amount.minor.saturating_abs().saturating_neg())),
        _ => Ok(Some(amount.minor)),
    }
}
